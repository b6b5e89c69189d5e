//! What can be wrong with a trace, as one closed list.
//!
//! Every message names the file and the place, what was found, what was expected, and the way
//! out. [`TraceError::code`] is stable: other layers (Python, the command line) branch on it and
//! never on the text. This module must not know how records are read.

use std::fmt;
use std::io;

/// Where in a file: text formats count lines, binary formats and streams count bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// Line, counted from 1.
    Line(u64),
    /// Byte of the (decompressed) contents, counted from 0.
    Byte(u64),
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Position::Line(line) => write!(f, "line {line}"),
            Position::Byte(offset) => write!(f, "byte {offset}"),
        }
    }
}

/// Everything that can be wrong with a trace or with what was asked of it.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file does not open, or is a directory.
    #[error(
        "{file}: cannot open: {source}; expected a readable trace file (or - for standard input)"
    )]
    CannotOpen {
        /// The file as the caller named it.
        file: String,
        /// The operating system's word.
        source: io::Error,
    },
    /// Reading failed for a reason outside the file's contents.
    #[error("{file}: byte {offset}: cannot read further: {source}; check the device and try again")]
    CannotRead {
        /// The file as the caller named it.
        file: String,
        /// Bytes of contents read before the failure.
        offset: u64,
        /// The operating system's word.
        source: io::Error,
    },
    /// Writing failed; no partial file is left behind.
    #[error(
        "{file}: cannot write: {source}; expected a writable folder with enough room (nothing was left there)"
    )]
    CannotWrite {
        /// The file as the caller named it.
        file: String,
        /// The operating system's word.
        source: io::Error,
    },
    /// What stands at the place to write to cannot be replaced by a file.
    #[error("{file}: is not a regular file; write to a file and move it")]
    NotAFile {
        /// The file as the caller named it.
        file: String,
    },
    /// A request that the format to be written has no room for.
    #[error(
        "{file}: request {index}: found time {found}, expected at most 4294967295 s in oracleGeneral; write csv, or take the trace's origin from its times"
    )]
    TimeTooLarge {
        /// The file to be written.
        file: String,
        /// Index of the request.
        index: u64,
        /// Its time in seconds.
        found: u64,
    },
    /// Standard input was asked for a second time.
    #[error(
        "{file}: standard input can be read only once, and this work needs a second pass; save the trace to a file first, or give an absolute capacity"
    )]
    CannotRewind {
        /// Always `-`.
        file: String,
    },
    /// Nothing to read.
    #[error("{file}: no requests: {found}; expected at least one record")]
    Empty {
        /// The file as the caller named it.
        file: String,
        /// In which way it is empty.
        found: String,
    },
    /// The file ends within a record.
    #[error(
        "{file}: byte {offset}: the last record is cut off: found {found} bytes, expected {expected}; fetch the file again, or use --skip-bad to go without it"
    )]
    TruncatedRecord {
        /// The file as the caller named it.
        file: String,
        /// Where the record starts.
        offset: u64,
        /// Bytes present.
        found: usize,
        /// Bytes of a whole record.
        expected: usize,
    },
    /// A line has fewer or other fields than the format has.
    #[error(
        "{file}: {at}: wrong columns: found {found}, expected {expected}; use --skip-bad if only some lines are bad, or --trace-format and --columns if the file is laid out differently"
    )]
    WrongColumns {
        /// The file as the caller named it.
        file: String,
        /// The line.
        at: Position,
        /// What the line has.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// A field that should be a number is not one, or is out of its range.
    #[error(
        "{file}: {at}: column {column}: found {found:?}, expected {expected}; use --skip-bad to leave such records out, or --columns if another column was meant"
    )]
    NotANumber {
        /// The file as the caller named it.
        file: String,
        /// The line.
        at: Position,
        /// The column's name.
        column: String,
        /// The field's text, cut to a readable length.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// A size below zero.
    #[error(
        "{file}: {at}: negative size {found}, expected 0 to 4294967295 bytes; use --skip-bad to leave such records out"
    )]
    NegativeSize {
        /// The file as the caller named it.
        file: String,
        /// The record.
        at: Position,
        /// The size as written.
        found: String,
    },
    /// A size that does not fit 32 bits.
    #[error(
        "{file}: {at}: size {found} is too large, expected 0 to 4294967295 bytes; use --skip-bad to leave such records out"
    )]
    SizeTooLarge {
        /// The file as the caller named it.
        file: String,
        /// The record.
        at: Position,
        /// The size as written.
        found: String,
    },
    /// A record older than the one before it.
    #[error(
        "{file}: {at}: time goes backwards: found {found} s after {previous} s, expected times in order; sort the trace by time, or use --skip-bad to leave such records out"
    )]
    TimeBackwards {
        /// The file as the caller named it.
        file: String,
        /// The record.
        at: Position,
        /// Its time in seconds.
        found: u64,
        /// The time of the record before it.
        previous: u64,
    },
    /// A line beyond the limit; it is never held in memory.
    #[error(
        "{file}: line {line} (from byte {offset}): the line is longer than {limit} bytes, expected one request per line; use --trace-format if the file is not text, or --skip-bad to pass over such lines"
    )]
    LineTooLong {
        /// The file as the caller named it.
        file: String,
        /// The line.
        line: u64,
        /// Where the line starts.
        offset: u64,
        /// The limit in bytes.
        limit: usize,
    },
    /// Bytes that no text has, in a format that is text.
    #[error(
        "{file}: line {line} (byte {offset}): binary data where text is expected: found {found}; use --trace-format oracleGeneral if the file is binary, or --skip-bad to pass over such lines"
    )]
    BinaryData {
        /// The file as the caller named it.
        file: String,
        /// The line.
        line: u64,
        /// The offending byte's place.
        offset: u64,
        /// The offending byte, in words.
        found: String,
    },
    /// The compressed stream is damaged or cut off.
    #[error(
        "{file}: the {compression} stream is damaged after {offset} bytes of contents: {detail}; expected a whole stream: fetch the file again, or use --skip-bad to keep what comes before"
    )]
    BadCompression {
        /// The file as the caller named it.
        file: String,
        /// `zstd` or `gzip`.
        compression: &'static str,
        /// Bytes of contents before the damage.
        offset: u64,
        /// The decompressor's word.
        detail: String,
    },
    /// An operation that no trace format knows.
    #[error(
        "{file}: {at}: unknown operation {found:?}, expected one of get gets set add replace cas append prepend delete incr decr; use --skip-bad to leave such records out, or --columns if another column was meant"
    )]
    UnknownOperation {
        /// The file as the caller named it.
        file: String,
        /// The line.
        at: Position,
        /// The operation as written.
        found: String,
    },
    /// An oracleGeneral record whose next request is not in the future.
    #[error(
        "{file}: {at}: request {index} names {found} as the next request for its object, expected -1 or a later index; the file is probably not oracleGeneral: use --trace-format, or --skip-bad to leave such records out"
    )]
    BadNext {
        /// The file as the caller named it.
        file: String,
        /// The record.
        at: Position,
        /// The record's own index.
        index: u64,
        /// The index it names.
        found: i64,
    },
    /// Neither name nor contents tell the format.
    #[error(
        "{file}: unknown trace format: {found}; expected oracleGeneral, twitter, csv or keys: name it with --trace-format (and --columns for csv)"
    )]
    UnknownFormat {
        /// The file as the caller named it.
        file: String,
        /// What was seen.
        found: String,
    },
    /// Text that is a log of requests and not a trace.
    #[error(
        "{file}: this is a log, not a trace: make one of it by `augury record {} {}` (and --columns, \
        where it is JSON); if its lines are keys, say so: --trace-format keys",
        quoted(file), quoted(&format!("{name}.csv.zst"))
    )]
    IsLog {
        /// The file as the caller named it.
        file: String,
        /// What the trace could be called.
        name: String,
    },
    /// No synthetic workload of this name.
    #[error("unknown synthetic workload {found:?}, expected synthetic: and one of {expected}")]
    UnknownSynthetic {
        /// The name asked for.
        found: String,
        /// The names there are.
        expected: String,
    },
    /// An option with a value it cannot have.
    #[error("{option}: found {found:?}, expected {expected}")]
    InvalidOption {
        /// The option's name.
        option: String,
        /// The value given.
        found: String,
        /// The values it can have.
        expected: String,
    },
}

impl TraceError {
    /// Stable name of the case.
    pub const fn code(&self) -> &'static str {
        match self {
            TraceError::CannotOpen { .. } => "cannot_open",
            TraceError::CannotRead { .. } => "cannot_read",
            TraceError::CannotWrite { .. } => "cannot_write",
            TraceError::NotAFile { .. } => "not_a_file",
            TraceError::TimeTooLarge { .. } => "time_too_large",
            TraceError::CannotRewind { .. } => "cannot_rewind",
            TraceError::Empty { .. } => "empty",
            TraceError::TruncatedRecord { .. } => "truncated_record",
            TraceError::WrongColumns { .. } => "wrong_columns",
            TraceError::NotANumber { .. } => "not_a_number",
            TraceError::NegativeSize { .. } => "negative_size",
            TraceError::SizeTooLarge { .. } => "size_too_large",
            TraceError::TimeBackwards { .. } => "time_backwards",
            TraceError::LineTooLong { .. } => "line_too_long",
            TraceError::BinaryData { .. } => "binary_data",
            TraceError::BadCompression { .. } => "bad_compression",
            TraceError::UnknownOperation { .. } => "unknown_operation",
            TraceError::BadNext { .. } => "bad_next",
            TraceError::UnknownFormat { .. } => "unknown_format",
            TraceError::IsLog { .. } => "is_log",
            TraceError::UnknownSynthetic { .. } => "unknown_synthetic",
            TraceError::InvalidOption { .. } => "invalid_option",
        }
    }

    /// Whether one record is at fault, so that `skip_bad` may count it and go on.
    pub const fn is_bad_record(&self) -> bool {
        matches!(
            self,
            TraceError::TruncatedRecord { .. }
                | TraceError::WrongColumns { .. }
                | TraceError::NotANumber { .. }
                | TraceError::NegativeSize { .. }
                | TraceError::SizeTooLarge { .. }
                | TraceError::TimeBackwards { .. }
                | TraceError::LineTooLong { .. }
                | TraceError::BinaryData { .. }
                | TraceError::BadCompression { .. }
                | TraceError::UnknownOperation { .. }
                | TraceError::BadNext { .. }
        )
    }
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
