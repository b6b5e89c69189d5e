//! One key per line: the simplest trace there is. Time is the index of the request, size is 1.

use super::error::TraceError;
use super::fields::{namespace_of, object_id};
use super::lines::LineFormat;
use super::request::Request;

/// A line is a key, blanks inside it included.
pub(crate) struct KeyLine;

impl LineFormat for KeyLine {
    fn parse(&mut self, line: &[u8], _number: u64, index: u64) -> Result<Request, TraceError> {
        let namespace = namespace_of(line);
        Ok(Request { time: index, namespace, ..Request::read(object_id(line), 1) })
    }
}
