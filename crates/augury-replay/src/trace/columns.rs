//! Which column of a delimited text holds what.
//!
//! Names are matched without regard to case; a number counts columns from 1. What is not named
//! is found by its usual names. `value_size` alone is the size; a key size is added only when its
//! column is named on purpose.

use std::str::FromStr;

use augury_core::request::Op;

use super::error::TraceError;
use super::fields::shown;
use super::twitter;

/// One column, by name or by number from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// The column whose header is this name.
    Named(String),
    /// The column with this number, from 1.
    Numbered(usize),
}

/// The columns of a CSV. The default finds all of them by their usual names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// Time in seconds (`time`, `timestamp`, `ts`); without it, time is the request's index.
    pub time: Option<Column>,
    /// Key (`key`, `id`, `object`, `obj_id`, `object_id`); must be there.
    pub key: Option<Column>,
    /// Size in bytes (`size`, `value_size`, `bytes`, `obj_size`, `object_size`); without it, 1.
    pub size: Option<Column>,
    /// Size of the key in bytes, added to the size; only where named.
    pub key_size: Option<Column>,
    /// Operation (`op`, `operation`); without it, get.
    pub op: Option<Column>,
    /// TTL in seconds (`ttl`); without it, none.
    pub ttl: Option<Column>,
    /// Client or session (`session`, `client`); without it, none.
    pub session: Option<Column>,
    /// Namespace (`namespace`); without it, the key's text up to the first `:` or `/`.
    pub namespace: Option<Column>,
}

const TIME_NAMES: &[&str] = &["time", "timestamp", "ts"];
pub(crate) const KEY_NAMES: &[&str] = &["key", "id", "object", "obj_id", "object_id"];
const SIZE_NAMES: &[&str] = &["size", "value_size", "bytes", "obj_size", "object_size"];
const OP_NAMES: &[&str] = &["op", "operation"];
const TTL_NAMES: &[&str] = &["ttl"];
const SESSION_NAMES: &[&str] = &["session", "client"];
const NAMESPACE_NAMES: &[&str] = &["namespace"];

impl FromStr for Columns {
    type Err = TraceError;

    /// Parses `key=object,size=3,time=ts`.
    fn from_str(text: &str) -> Result<Columns, TraceError> {
        let mut columns = Columns::default();
        for part in text.split(',').filter(|part| !part.trim().is_empty()) {
            let invalid = || TraceError::InvalidOption {
                option: "--columns".to_owned(),
                found: part.to_owned(),
                expected: "ROLE=COLUMN with a role of time key size key_size op ttl session \
                           namespace and a column name or its number from 1, as in \
                           key=object,size=3"
                    .to_owned(),
            };
            let (role, column) = part.split_once('=').ok_or_else(invalid)?;
            let column = match (column.trim(), column.trim().parse::<usize>()) {
                ("", _) | (_, Ok(0)) => return Err(invalid()),
                (_, Ok(number)) => Column::Numbered(number),
                (name, Err(_)) => Column::Named(name.to_owned()),
            };
            let place = match role.trim() {
                "time" => &mut columns.time,
                "key" => &mut columns.key,
                "size" => &mut columns.size,
                "key_size" => &mut columns.key_size,
                "op" => &mut columns.op,
                "ttl" => &mut columns.ttl,
                "session" => &mut columns.session,
                "namespace" => &mut columns.namespace,
                _ => return Err(invalid()),
            };
            *place = Some(column);
        }
        Ok(columns)
    }
}

impl Columns {
    /// The columns in a fixed order, with the usual names of each.
    pub(crate) fn roles(&self) -> [(Option<&Column>, &'static [&'static str]); 8] {
        [
            (self.time.as_ref(), TIME_NAMES),
            (self.key.as_ref(), KEY_NAMES),
            (self.size.as_ref(), SIZE_NAMES),
            (self.key_size.as_ref(), &[]),
            (self.op.as_ref(), OP_NAMES),
            (self.ttl.as_ref(), TTL_NAMES),
            (self.session.as_ref(), SESSION_NAMES),
            (self.namespace.as_ref(), NAMESPACE_NAMES),
        ]
    }

    /// Whether one of these fields is the name of a column, chosen or usual.
    pub(crate) fn name_any_of(&self, fields: &[Vec<u8>]) -> bool {
        self.roles().into_iter().any(|(chosen, usual)| {
            let chosen = match chosen {
                Some(Column::Named(name)) => Some(name.as_str()),
                _ => None,
            };
            fields.iter().any(|field| {
                is_one_of(field, usual) || chosen.is_some_and(|name| is_one_of(field, &[name]))
            })
        })
    }
}

/// The delimiter of a first line: the most frequent of tab, comma, semicolon and bar.
pub(crate) fn delimiter_of(line: &[u8]) -> Option<u8> {
    let count = |delimiter: u8| memchr::memchr_iter(delimiter, line).count();
    let best = [b'|', b';', b',', b'\t'].into_iter().max_by_key(|delimiter| count(*delimiter))?;
    (count(best) > 0).then_some(best)
}

/// Whether a field is one of these names, quoted or not.
pub(crate) fn is_one_of(field: &[u8], names: &[&str]) -> bool {
    let field = field.trim_ascii();
    let bare = field.strip_prefix(b"\"").and_then(|field| field.strip_suffix(b"\""));
    names.iter().any(|name| name.as_bytes().eq_ignore_ascii_case(bare.unwrap_or(field)))
}

/// What a first line looks like, for telling the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Twitter's seven fields.
    Twitter,
    /// A header with a key column.
    Header,
    /// One field.
    Single,
    /// Several fields without names.
    Unnamed,
}

impl Layout {
    /// The layout of a file's first line.
    pub(crate) fn of_line(line: &[u8]) -> Layout {
        if is_twitter(line) {
            return Layout::Twitter;
        }
        let delimiter = delimiter_of(line);
        if line.split(|byte| Some(*byte) == delimiter).any(|field| is_one_of(field, KEY_NAMES)) {
            return Layout::Header;
        }
        if delimiter.is_none() { Layout::Single } else { Layout::Unnamed }
    }
}

fn is_twitter(line: &[u8]) -> bool {
    let Some([time, _, key_size, value_size, _, op, ttl]) = twitter::split(line) else {
        return false;
    };
    let is_number = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let is_op = std::str::from_utf8(op).ok().and_then(Op::from_name).is_some();
    is_op && [time, key_size, value_size, ttl].into_iter().all(is_number)
}

/// A header's names as messages show them.
pub(crate) fn listed<'a>(fields: impl Iterator<Item = &'a [u8]>) -> String {
    let names: Vec<String> = fields.take(12).map(shown).collect();
    format!("the columns {}", names.join(", "))
}
