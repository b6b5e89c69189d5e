//! Reading a trace: requests in order, in bounded memory, whatever the format.
//!
//! [`TraceReader`] is what everything behind reads from: an iterator, and `next_chunk` where
//! speed matters. Formats and synthetic workloads stand behind [`RecordStream`], called once per
//! chunk. This module must not know any format.

use std::sync::Arc;

use super::bytes::Progress;
use super::error::TraceError;
use super::request::Request;
use super::skip::Skipped;

/// Requests per chunk: about 100 kB, which stays in the second-level cache.
pub const CHUNK: usize = 2048;

/// A source of requests, asked for one chunk at a time.
pub(crate) trait RecordStream: Send {
    /// Appends at most `limit` (at least 1) requests to `out`.
    ///
    /// Appending none and returning `Ok` means the end. What was appended before an `Err` is good;
    /// the caller does not ask again after an `Err`.
    fn fill(&mut self, out: &mut Vec<Request>, limit: usize) -> Result<(), TraceError>;

    /// Bad records left out so far.
    fn skipped(&self) -> Skipped {
        Skipped::default()
    }

    /// Number of requests in all, where it is known beforehand; only a hint.
    fn length_hint(&self) -> Option<u64> {
        None
    }

    /// Whether [`Request::next`] is filled in.
    fn has_next(&self) -> bool {
        false
    }

    /// How far the file has been read.
    fn progress(&self) -> Progress {
        Progress::default()
    }
}

/// Requests of one trace, in order. After an error it ends.
pub struct TraceReader {
    file: Arc<str>,
    delivered: u64,
    stream: Box<dyn RecordStream>,
    chunk: Vec<Request>,
    cursor: usize,
    held: Option<TraceError>,
    ended: bool,
}

impl TraceReader {
    pub(crate) fn new(file: Arc<str>, stream: Box<dyn RecordStream>) -> Self {
        let (chunk, held) = (Vec::new(), None);
        TraceReader { file, delivered: 0, stream, chunk, cursor: 0, held, ended: false }
    }

    /// Replaces the contents of `out` by the next requests, at most [`CHUNK`]; their number, 0 at
    /// the end. The fast way to read; may be mixed with iteration.
    pub fn next_chunk(&mut self, out: &mut Vec<Request>) -> Result<usize, TraceError> {
        out.clear();
        if self.cursor < self.chunk.len() {
            out.extend_from_slice(&self.chunk[self.cursor..]);
            self.cursor = self.chunk.len();
            return Ok(out.len());
        }
        if let Some(error) = self.held.take() {
            return Err(error);
        }
        if self.ended {
            return Ok(0);
        }
        match self.stream.fill(out, CHUNK) {
            Ok(()) if out.is_empty() => {
                self.ended = true;
                if self.delivered == 0 {
                    return Err(self.empty());
                }
            }
            Ok(()) => {}
            Err(error) => {
                self.ended = true;
                if out.is_empty() {
                    return Err(error);
                }
                self.held = Some(error);
            }
        }
        self.delivered += out.len() as u64;
        Ok(out.len())
    }

    fn empty(&self) -> TraceError {
        let found = match self.skipped().total() {
            0 => "there is no record behind the header".to_owned(),
            bad => format!("all {bad} records are bad"),
        };
        TraceError::Empty { file: self.file.to_string(), found }
    }

    /// Calls `visit` with every chunk until the end or the first error.
    pub fn for_each_chunk(&mut self, mut visit: impl FnMut(&[Request])) -> Result<(), TraceError> {
        let mut chunk = Vec::with_capacity(CHUNK);
        while self.next_chunk(&mut chunk)? > 0 {
            visit(&chunk);
        }
        Ok(())
    }

    /// Bad records left out so far; complete once the reader has ended.
    pub fn skipped(&self) -> Skipped {
        self.stream.skipped()
    }

    /// Number of requests in all, where it is known beforehand; only a hint.
    pub fn length_hint(&self) -> Option<u64> {
        self.stream.length_hint()
    }

    /// Whether [`Request::next`] is filled in by the format. It is not for text formats, and not
    /// with `skip_bad`, where leaving a record out would shift the indices.
    pub fn has_next(&self) -> bool {
        self.stream.has_next()
    }

    /// How far the file has been read.
    pub fn progress(&self) -> Progress {
        self.stream.progress()
    }
}

impl Iterator for TraceReader {
    type Item = Result<Request, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.cursor >= self.chunk.len() {
            let mut chunk = std::mem::take(&mut self.chunk);
            self.cursor = 0;
            let outcome = self.next_chunk(&mut chunk);
            self.chunk = chunk;
            if let Err(error) = outcome {
                return Some(Err(error));
            }
        }
        let request = *self.chunk.get(self.cursor)?;
        self.cursor += 1;
        Some(Ok(request))
    }
}
