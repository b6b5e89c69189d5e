//! Twitter's cache-trace: `time,key,key_size,value_size,client,op,ttl`, no header.
//!
//! J. Yang, Y. Yue, K. V. Rashmi. A large scale analysis of hundreds of in-memory cache clusters
//! at Twitter. OSDI 2020. Keys may contain commas, so five fields are taken from the right. The
//! size of an object is key size plus value size, as libCacheSim counts it.

use std::sync::Arc;

use super::error::{Position, TraceError};
use super::fields::{Place, namespace_of, object_id, session_id};
use super::lines::LineFormat;
use super::request::Request;
use super::skip::Clock;

/// Parses lines of the format.
pub(crate) struct TwitterLine {
    file: Arc<str>,
    clock: Clock,
}

impl TwitterLine {
    pub(crate) fn new(file: Arc<str>) -> Self {
        TwitterLine { file, clock: Clock::default() }
    }
}

/// The seven fields of a line, or `None` where there are fewer.
pub(crate) fn split(line: &[u8]) -> Option<[&[u8]; 7]> {
    let mut from_right = line.rsplitn(6, |byte| *byte == b',');
    let mut field = || from_right.next();
    let (ttl, op, client) = (field()?, field()?, field()?);
    let (value_size, key_size, rest) = (field()?, field()?, field()?);
    let comma = memchr::memchr(b',', rest)?;
    Some([&rest[..comma], &rest[comma + 1..], key_size, value_size, client, op, ttl])
}

impl LineFormat for TwitterLine {
    fn parse(&mut self, line: &[u8], number: u64, _index: u64) -> Result<Request, TraceError> {
        let Some([time, key, key_size, value_size, client, op, ttl]) = split(line) else {
            return Err(TraceError::WrongColumns {
                file: self.file.to_string(),
                at: Position::Line(number),
                found: format!("{} columns", memchr::memchr_iter(b',', line).count() + 1),
                expected: "7: time,key,key_size,value_size,client,op,ttl".to_owned(),
            });
        };
        let place = Place { file: &self.file, line: number };
        let key_size = place.size("key_size", key_size)?;
        let bytes = place.size("value_size", value_size)?.saturating_add(key_size);
        let request = Request {
            key: object_id(key),
            next: None,
            time: place.time(time)?,
            size: place.object_size(bytes)?,
            ttl: place.ttl(ttl)?,
            session: session_id(client),
            namespace: namespace_of(key),
            op: place.operation(op)?,
        };
        let time = self.clock.advance(request.time, &self.file, Position::Line(number))?;
        Ok(Request { time, ..request })
    }
}
