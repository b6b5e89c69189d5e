//! A connection: socket, what has come and is not run, what is answered and not written.

use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};

use mio::net::TcpStream;

use crate::resp::Batch;

/// Room that a connection's buffers keep between requests.
const BUFFER_KEPT: usize = 16 << 10;
/// Bytes asked of the socket at once.
const READ_AT_ONCE: usize = 16 << 10;

/// What has become of reading.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// There may be more.
    More,
    /// There is no more at present.
    Dry,
    /// The peer has ended.
    Ended,
}

/// See the module's head.
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    /// Its client's seat in the server.
    pub(super) seat: usize,
    /// What has come.
    pub(super) input: Vec<u8>,
    /// The commands in it.
    pub(super) batch: Batch,
    /// Answers not yet written.
    pub(super) output: Vec<u8>,
    written: usize,
    /// Bytes of its buffers, as they were counted last.
    counted: usize,
    /// Whether it ends when all answers are written.
    pub(super) is_ending: bool,
    /// Whether its next command waits.
    pub(super) is_waiting: bool,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, seat: usize) -> Connection {
        Connection {
            stream,
            seat,
            input: Vec::new(),
            batch: Batch::default(),
            output: Vec::new(),
            written: 0,
            counted: 0,
            is_ending: false,
            is_waiting: false,
        }
    }

    /// Reads once. A read that does not fill its buffer has emptied the socket (epoll(7)).
    pub(super) fn read(&mut self) -> io::Result<Reading> {
        let len = self.input.len();
        // A long argument is read in few pieces, and the buffer grows no further than twice what has
        // come: a length that is only declared costs nothing.
        let wanted = self.batch.wants().map_or(0, |end| end.saturating_sub(len));
        let room = wanted.clamp(READ_AT_ONCE, len.max(READ_AT_ONCE));
        self.input.resize(len + room, 0);
        let read = loop {
            match self.stream.read(&mut self.input[len..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.input.truncate(len + read.as_ref().map_or(0, |&count| count));
        match read {
            Ok(0) => Ok(Reading::Ended),
            Ok(count) if count < room => Ok(Reading::Dry),
            Ok(_) => Ok(Reading::More),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Reading::Dry),
            Err(error) => Err(error),
        }
    }

    /// Drops so many bytes of the input.
    pub(super) fn consume(&mut self, count: usize) {
        if count == self.input.len() {
            self.input.clear();
            if self.input.capacity() > BUFFER_KEPT {
                self.input = Vec::new();
            }
        } else if count > 0 {
            self.input.drain(..count);
        }
    }

    /// Brings what its buffers take into the sum of all connections.
    #[inline]
    pub(super) fn count(&mut self, all: &AtomicUsize) {
        let now = self.input.capacity() + self.output.capacity();
        if now > self.counted {
            all.fetch_add(now - self.counted, Ordering::Relaxed);
        } else if now < self.counted {
            all.fetch_sub(self.counted - now, Ordering::Relaxed);
        }
        self.counted = now;
    }

    /// Takes what its buffers took out of the sum.
    pub(super) fn discount(&self, all: &AtomicUsize) {
        all.fetch_sub(self.counted, Ordering::Relaxed);
    }

    /// Bytes answered and not written.
    pub(super) fn unwritten(&self) -> usize {
        self.output.len() - self.written
    }

    /// Writes what the socket takes; how many bytes.
    pub(super) fn write(&mut self) -> io::Result<usize> {
        let before = self.written;
        while self.written < self.output.len() {
            match self.stream.write(&self.output[self.written..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => self.written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        let count = self.written - before;
        if self.written == self.output.len() {
            self.written = 0;
            self.output.clear();
            if self.output.capacity() > BUFFER_KEPT {
                self.output = Vec::new();
            }
        }
        Ok(count)
    }
}
