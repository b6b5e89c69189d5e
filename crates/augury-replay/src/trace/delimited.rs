//! Any delimited text (CSV, TSV), columns found by name or number.
//!
//! The first line decides: it is a header where it holds a column's name (or, with columns given
//! by number only, where its number columns are not numbers). Lines are split at the delimiter;
//! only a line with a quotation mark goes through the full CSV grammar (crate `csv-core`). A
//! quoted field cannot span lines.

use std::ops::Range;
use std::sync::Arc;

use augury_core::request::Op;

use super::columns::{Column, Columns, KEY_NAMES, delimiter_of, is_one_of, listed};
use super::error::{Position, TraceError};
use super::fields::{Place, namespace_id, namespace_of, object_id, session_id};
use super::lines::{LineFormat, Lines};
use super::request::Request;
use super::skip::Clock;

/// Splits lines into fields; buffers are reused.
struct Splitter {
    delimiter: u8,
    fields: Vec<Range<usize>>,
    unquoted: Vec<u8>,
    ends: Vec<usize>,
}

impl Splitter {
    /// The fields as ranges of the returned text, or `None` for a quotation without end.
    fn split<'a>(&'a mut self, line: &'a [u8]) -> Option<(&'a [u8], &'a [Range<usize>])> {
        self.fields.clear();
        let mut start = 0;
        let delimiters = memchr::memchr_iter(self.delimiter, line);
        if memchr::memchr(b'"', line).is_none() {
            for end in delimiters.chain([line.len()]) {
                self.fields.push(start..end);
                start = end + 1;
            }
            return Some((line, &self.fields));
        }
        self.unquoted.resize(line.len() + 1, 0);
        self.ends.resize(delimiters.count() + 2, 0);
        let mut grammar = csv_core::ReaderBuilder::new().delimiter(self.delimiter).build();
        let (_, _, written, ended) = grammar.read_record(line, &mut self.unquoted, &mut self.ends);
        let (outcome, _, _, more) =
            grammar.read_record(b"\n", &mut self.unquoted[written..], &mut self.ends[ended..]);
        if !matches!(outcome, csv_core::ReadRecordResult::Record) {
            return None;
        }
        for end in &self.ends[..ended + more] {
            self.fields.push(start..*end);
            start = *end;
        }
        Some((&self.unquoted, &self.fields))
    }
}

/// Columns by index from 0.
#[derive(Debug, Clone, Copy)]
struct Resolved {
    time: Option<usize>,
    key: usize,
    size: Option<usize>,
    key_size: Option<usize>,
    op: Option<usize>,
    ttl: Option<usize>,
    session: Option<usize>,
    namespace: Option<usize>,
    width: usize,
}

/// Parses lines of one delimited file.
pub(crate) struct DelimitedLine {
    file: Arc<str>,
    splitter: Splitter,
    columns: Resolved,
    clock: Clock,
}

impl DelimitedLine {
    /// Looks at the first line and settles delimiter, header and columns.
    pub(crate) fn begin(lines: &mut Lines, columns: &Columns) -> Result<Self, TraceError> {
        let file = lines.file();
        let head = lines.peek_line()?;
        let delimiter = delimiter_of(head).unwrap_or(b',');
        let mut splitter =
            Splitter { delimiter, fields: Vec::new(), unquoted: Vec::new(), ends: Vec::new() };
        let Some((text, fields)) = splitter.split(head) else {
            return Err(open_quotation(&file, 1));
        };
        let names: Vec<Vec<u8>> =
            fields.iter().map(|field| text[field.clone()].trim_ascii().to_vec()).collect();
        let head = Head { file: &file, has_names: columns.name_any_of(&names), names: &names };
        let columns = head.resolve(columns)?;
        if head.is_header(&columns) {
            lines.next_line()?;
        }
        Ok(DelimitedLine { file, splitter, columns, clock: Clock::default() })
    }
}

/// The fields of the first line.
struct Head<'a> {
    file: &'a str,
    names: &'a [Vec<u8>],
    has_names: bool,
}

impl Head<'_> {
    fn resolve(&self, columns: &Columns) -> Result<Resolved, TraceError> {
        let mut indices = [None; 8];
        for (index, (chosen, usual)) in indices.iter_mut().zip(columns.roles()) {
            *index = match chosen {
                Some(Column::Numbered(number)) if *number <= self.names.len() => Some(number - 1),
                Some(Column::Numbered(number)) => {
                    return Err(self.wrong(format!("at least {number} columns")));
                }
                Some(Column::Named(name)) => match self.position(name) {
                    None => return Err(self.wrong(format!("a column named {name}"))),
                    found => found,
                },
                None if self.has_names => usual.iter().find_map(|name| self.position(name)),
                None => None,
            };
        }
        let [time, key, size, key_size, op, ttl, session, namespace] = indices;
        let Some(key) = key else {
            let names = KEY_NAMES.join(", ");
            return Err(self.wrong(format!("a header with a key column ({names})")));
        };
        let width = self.names.len();
        Ok(Resolved { time, key, size, key_size, op, ttl, session, namespace, width })
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|field| is_one_of(field, &[name]))
    }

    /// Whether the line is a header, and not the first record of a file with numbered columns.
    fn is_header(&self, columns: &Resolved) -> bool {
        let is_number = |index: usize| {
            std::str::from_utf8(&self.names[index]).is_ok_and(|text| text.parse::<f64>().is_ok())
        };
        let numbers = [columns.time, columns.size, columns.key_size, columns.ttl];
        self.has_names || numbers.into_iter().flatten().any(|index| !is_number(index))
    }

    fn wrong(&self, expected: String) -> TraceError {
        TraceError::WrongColumns {
            file: self.file.to_owned(),
            at: Position::Line(1),
            found: listed(self.names.iter().map(Vec::as_slice)),
            expected,
        }
    }
}

fn open_quotation(file: &str, line: u64) -> TraceError {
    TraceError::WrongColumns {
        file: file.to_owned(),
        at: Position::Line(line),
        found: "a quotation that does not end".to_owned(),
        expected: "both quotation marks on one line".to_owned(),
    }
}

impl LineFormat for DelimitedLine {
    fn parse(&mut self, line: &[u8], number: u64, index: u64) -> Result<Request, TraceError> {
        let columns = self.columns;
        let Some((text, fields)) = self.splitter.split(line) else {
            return Err(open_quotation(&self.file, number));
        };
        let wrong = |found: String, expected: String| TraceError::WrongColumns {
            file: self.file.to_string(),
            at: Position::Line(number),
            found,
            expected,
        };
        if fields.len() != columns.width {
            return Err(wrong(
                format!("{} columns", fields.len()),
                format!("{} as in the first line", columns.width),
            ));
        }
        let field = |index: usize| text[fields[index].clone()].trim_ascii();
        let place = Place { file: &self.file, line: number };
        let key = field(columns.key);
        if key.is_empty() {
            return Err(wrong("an empty key".to_owned(), "a key".to_owned()));
        }
        let bytes = |column: Option<usize>, name: &str| {
            column.map(|index| place.size(name, field(index))).transpose()
        };
        let size = match (bytes(columns.size, "size")?, bytes(columns.key_size, "key_size")?) {
            (size, None) => size.unwrap_or(1),
            (size, Some(key_size)) => size.unwrap_or(0).saturating_add(key_size),
        };
        let op = columns.op.map(|index| place.operation(field(index))).transpose()?;
        let request = Request {
            key: object_id(key),
            next: None,
            time: index,
            size: place.object_size(size)?,
            ttl: columns.ttl.map_or(Ok(0), |index| place.ttl(field(index)))?,
            session: columns.session.map_or(0, |index| session_id(field(index))),
            namespace: match columns.namespace {
                Some(index) => namespace_id(field(index)),
                None => namespace_of(key),
            },
            op: op.unwrap_or(Op::Get),
        };
        let Some(time) = columns.time else { return Ok(request) };
        let time = place.time(field(time))?;
        let time = self.clock.advance(time, &self.file, Position::Line(number))?;
        Ok(Request { time, ..request })
    }
}
