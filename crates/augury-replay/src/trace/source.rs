//! Where a trace comes from: a file, standard input or a synthetic workload, and how to read it.
//!
//! A [`TraceSource`] opens as often as it is asked (a fraction of the footprint needs a first
//! pass), except standard input, which can be read once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::bytes::ByteStream;
use super::columns::Columns;
use super::delimited::DelimitedLine;
use super::error::TraceError;
use super::format::{Format, trace_name};
use super::lines::{Lines, TextReader};
use super::oracle_general::OracleGeneralReader;
use super::plain::KeyLine;
use super::reader::{RecordStream, TraceReader};
use super::twitter::TwitterLine;
use crate::synthetic::Workload;

/// How to read a trace. The default reads what it finds and stops at the first bad record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceOptions {
    /// The format, or `None` to tell it by name and contents.
    pub format: Option<Format>,
    /// Columns of a CSV, or the default for automatic names.
    pub columns: Columns,
    /// Count bad records and go on, in place of stopping at the first.
    pub skip_bad: bool,
}

#[derive(Debug, Clone)]
enum Origin {
    File,
    StandardInput { taken: Arc<AtomicBool> },
    Synthetic(Workload),
}

/// A trace that can be opened.
#[derive(Debug, Clone)]
pub struct TraceSource {
    path: String,
    origin: Origin,
    options: SourceOptions,
}

impl TraceSource {
    /// A path, `-` for standard input, or `synthetic:NAME?parameter=value&...`.
    ///
    /// Nothing is opened yet; a bad synthetic name or parameter is found here.
    pub fn new(path: &str, options: SourceOptions) -> Result<Self, TraceError> {
        let origin = match path.strip_prefix("synthetic:") {
            Some(workload) => Origin::Synthetic(workload.parse()?),
            None if path == "-" => Origin::StandardInput { taken: Arc::default() },
            None => Origin::File,
        };
        Ok(TraceSource { path: path.to_owned(), origin, options })
    }

    /// The trace's name in results: file name without `.oracleGeneral.zst` and the like, `stdin`,
    /// or the synthetic name as given.
    pub fn name(&self) -> String {
        match self.origin {
            Origin::Synthetic(_) => self.path.clone(),
            _ => trace_name(&self.path),
        }
    }

    /// The path as given.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// How it is read.
    pub fn options(&self) -> &SourceOptions {
        &self.options
    }

    /// Whether it can be opened more than once.
    pub fn is_repeatable(&self) -> bool {
        !matches!(self.origin, Origin::StandardInput { .. })
    }

    /// Opens the trace at its beginning.
    pub fn open(&self) -> Result<TraceReader, TraceError> {
        match &self.origin {
            Origin::Synthetic(workload) => {
                return Ok(TraceReader::new(self.path.as_str().into(), workload.stream()));
            }
            Origin::StandardInput { taken } if taken.swap(true, Ordering::Relaxed) => {
                return Err(TraceError::CannotRewind { file: self.path.clone() });
            }
            _ => {}
        }
        read_bytes(ByteStream::open(&self.path)?, &self.options)
    }
}

/// Reads a trace from bytes in memory, under a name that stands for the file in messages.
pub fn read_from(
    name: &str,
    contents: Box<dyn std::io::Read + Send>,
    options: &SourceOptions,
) -> Result<TraceReader, TraceError> {
    read_bytes(ByteStream::from_reader(name, contents, None)?, options)
}

fn read_bytes(mut bytes: ByteStream, options: &SourceOptions) -> Result<TraceReader, TraceError> {
    let format = match options.format {
        Some(format) => format,
        None => {
            let file = bytes.file();
            Format::detect(&file, bytes.peek())?
        }
    };
    let skip_bad = options.skip_bad;
    let file = bytes.file();
    let stream: Box<dyn RecordStream> = match format {
        Format::OracleGeneral => Box::new(OracleGeneralReader::new(bytes, skip_bad)),
        Format::Twitter => {
            let format = TwitterLine::new(file.clone());
            Box::new(TextReader::new(Lines::new(bytes), format, skip_bad))
        }
        Format::Csv => {
            let mut lines = Lines::new(bytes);
            let format = DelimitedLine::begin(&mut lines, &options.columns)?;
            Box::new(TextReader::new(lines, format, skip_bad))
        }
        Format::Keys => Box::new(TextReader::new(Lines::new(bytes), KeyLine, skip_bad)),
    };
    Ok(TraceReader::new(file, stream))
}
