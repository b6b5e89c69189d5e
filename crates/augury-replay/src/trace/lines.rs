//! Text contents as lines of bounded length.
//!
//! A line lies in the byte window or, where it crosses two windows, in a carry buffer of at most
//! [`LINE_LIMIT`] bytes; a longer line is reported at once and passed over without being held.
//! [`TextReader`] turns lines into requests for any [`LineFormat`]; blank lines are not records.

use std::sync::Arc;

use super::bytes::{ByteStream, Progress};
use super::error::TraceError;
use super::reader::RecordStream;
use super::request::Request;
use super::skip::{BadRecords, Skipped};

/// Longest line accepted, in bytes.
pub const LINE_LIMIT: usize = 1 << 20;

/// Reads lines from a byte stream.
pub(crate) struct Lines {
    bytes: ByteStream,
    file: Arc<str>,
    number: u64,
    offset: u64,
    carry: Vec<u8>,
    unconsumed: usize,
    passing_over: bool,
}

enum Place {
    Window(usize),
    Carry,
}

impl Lines {
    pub(crate) fn new(bytes: ByteStream) -> Self {
        Lines {
            file: bytes.file(),
            bytes,
            number: 0,
            offset: 0,
            carry: Vec::new(),
            unconsumed: 0,
            passing_over: false,
        }
    }

    /// The file as the caller named it.
    pub(crate) fn file(&self) -> Arc<str> {
        self.file.clone()
    }

    /// Number of the line handed out last, from 1.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Whether a whole line is at hand, so that the next one needs no waiting.
    pub(crate) fn has_line(&self) -> bool {
        let unread = self.bytes.at_hand().get(self.unconsumed..).unwrap_or_default();
        !self.passing_over && memchr::memchr(b'\n', unread).is_some()
    }

    /// The first line as far as it lies in the window; it is read again by `next_line`.
    pub(crate) fn peek_line(&mut self) -> Result<&[u8], TraceError> {
        let file = self.file.clone();
        let window = self.bytes.peek();
        let line = window.split(|byte| *byte == b'\n').next().unwrap_or_default();
        text_of(line, &file, 1, 0)
    }

    /// The next line that is not blank, without its ending, or `None` at the end.
    ///
    /// After an error about a line the next call goes on behind it.
    pub(crate) fn next_line(&mut self) -> Result<Option<&[u8]>, TraceError> {
        loop {
            let Some(place) = self.find()? else { return Ok(None) };
            if !self.trimmed(&place)?.is_empty() {
                let line = match place {
                    Place::Window(length) => &self.bytes.at_least(1)?[..length],
                    Place::Carry => &self.carry,
                };
                return text_of(line, &self.file, self.number, self.offset).map(Some);
            }
        }
    }

    fn trimmed(&mut self, place: &Place) -> Result<&[u8], TraceError> {
        Ok(match place {
            Place::Window(length) => self.bytes.at_least(1)?[..*length].trim_ascii(),
            Place::Carry => self.carry.trim_ascii(),
        })
    }

    fn find(&mut self) -> Result<Option<Place>, TraceError> {
        self.bytes.consume(std::mem::take(&mut self.unconsumed));
        if std::mem::take(&mut self.passing_over) {
            self.pass_over_line()?;
        }
        self.carry.clear();
        self.offset = self.bytes.offset();
        loop {
            let window = self.bytes.at_least(1)?;
            let end = memchr::memchr(b'\n', window);
            if let (Some(length), true) = (end, self.carry.is_empty()) {
                self.unconsumed = length + 1;
                self.number += 1;
                return Ok(Some(Place::Window(length)));
            }
            let taken = end.unwrap_or(window.len());
            if self.carry.len() + taken > LINE_LIMIT {
                self.number += 1;
                self.passing_over = true;
                return Err(TraceError::LineTooLong {
                    file: self.file.to_string(),
                    line: self.number,
                    offset: self.offset,
                    limit: LINE_LIMIT,
                });
            }
            self.carry.extend_from_slice(&window[..taken]);
            let at_end = window.is_empty();
            self.bytes.consume(taken + usize::from(end.is_some()));
            if end.is_some() || at_end {
                // Without a line ending the contents stop here: by their end, or by damage.
                let whole = end.is_some() || (!self.carry.is_empty() && !self.bytes.damaged());
                self.number += u64::from(whole);
                return Ok(whole.then_some(Place::Carry));
            }
        }
    }

    fn pass_over_line(&mut self) -> Result<(), TraceError> {
        loop {
            let window = self.bytes.at_least(1)?;
            let (length, end) = (window.len(), memchr::memchr(b'\n', window));
            self.bytes.consume(end.map_or(length, |end| end + 1));
            if end.is_some() || length == 0 {
                return Ok(());
            }
        }
    }
}

/// The line without a carriage return and, at the beginning of the file, a byte order mark.
fn without_marks(line: &[u8], number: u64) -> &[u8] {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if number == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line }
}

/// The line as text, or what is binary about it.
fn text_of<'a>(
    line: &'a [u8],
    file: &str,
    number: u64,
    offset: u64,
) -> Result<&'a [u8], TraceError> {
    let text = without_marks(line, number);
    match binary_byte(text) {
        None => Ok(text),
        Some((at, found)) => Err(TraceError::BinaryData {
            file: file.to_owned(),
            line: number,
            offset: offset + at as u64,
            found,
        }),
    }
}

/// The first byte that no text has, and its description.
fn binary_byte(line: &[u8]) -> Option<(usize, String)> {
    let is_control = |byte: u8| (byte < 0x20 && byte != b'\t') || byte == 0x7f;
    let suspicious =
        line.iter().fold(false, |seen, byte| seen | is_control(*byte) | (*byte >= 0x80));
    if !suspicious {
        return None;
    }
    if let Some(at) = line.iter().position(|byte| is_control(*byte)) {
        return Some((at, format!("the control character 0x{:02x}", line[at])));
    }
    let at = std::str::from_utf8(line).err()?.valid_up_to();
    Some((at, format!("the byte 0x{:02x}, which is not UTF-8", line[at])))
}

/// One text format: how a line becomes a request.
pub(crate) trait LineFormat: Send {
    /// Parses a line (never blank) with this number; `index` requests came before it.
    fn parse(&mut self, line: &[u8], number: u64, index: u64) -> Result<Request, TraceError>;
}

/// Reads requests from lines in one format.
pub(crate) struct TextReader<F> {
    lines: Lines,
    format: F,
    bad: BadRecords,
    index: u64,
}

impl<F: LineFormat> TextReader<F> {
    pub(crate) fn new(lines: Lines, format: F, skip_bad: bool) -> Self {
        TextReader { lines, format, bad: BadRecords::new(skip_bad), index: 0 }
    }
}

impl<F: LineFormat> RecordStream for TextReader<F> {
    fn fill(&mut self, out: &mut Vec<Request>, limit: usize) -> Result<(), TraceError> {
        let target = out.len() + limit;
        while out.len() < target {
            let number = self.lines.number() + 1;
            let outcome = match self.lines.next_line() {
                Ok(None) => return Ok(()),
                Ok(Some(line)) => self.format.parse(line, number, self.index),
                Err(error) => Err(error),
            };
            match outcome {
                Ok(request) => {
                    out.push(request);
                    self.index += 1;
                }
                Err(error) => self.bad.judge(error)?,
            }
        }
        Ok(())
    }

    fn skipped(&self) -> Skipped {
        self.bad.skipped().clone()
    }

    fn progress(&self) -> Progress {
        self.lines.bytes.progress()
    }
}
