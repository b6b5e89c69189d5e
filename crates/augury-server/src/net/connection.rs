//! A connection: socket, what has come and is not run, what is answered and not written.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use augury_core::clock::Millis;

use super::dialect::{Batch, Dialect};
use super::limits::{State, Times};
use super::transport::Transport;

/// Room that a connection's buffers keep between requests.
const BUFFER_KEPT: usize = 16 << 10;

/// What has become of reading.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// There may be more.
    More,
    /// There is no more at present, but perhaps the peer's end.
    Dry,
    /// There was nothing.
    Nothing,
    /// The peer has ended.
    Ended,
}

/// See the module's head.
pub(super) struct Connection {
    pub(super) transport: Transport,
    /// Its client's seat in the server.
    pub(super) seat: usize,
    /// Which of all connections it is: so they are shared among workers.
    pub(super) ticket: usize,
    /// What has come.
    pub(super) input: Vec<u8>,
    /// The commands in it, in the protocol of its port.
    pub(super) batch: Batch,
    /// Answers not yet written.
    pub(super) output: Vec<u8>,
    written: usize,
    /// Bytes read and written that the server has not counted yet.
    pub(super) uncounted: (u64, u64),
    /// Bytes of its buffers, as they were counted last.
    counted: usize,
    /// Whether it ends when all answers are written.
    pub(super) is_ending: bool,
    /// Whether its next command waits.
    pub(super) is_waiting: bool,
    /// Whether its client has to authenticate.
    pub(super) is_stranger: bool,
    /// Whether some of the answers are what others have sent.
    pub(super) has_pushes: bool,
    /// Whether its client has subscribed to something.
    pub(super) is_subscriber: bool,
    /// Until when nothing is written or run.
    pub(super) hold: Option<Millis>,
    pub(super) times: Times,
}

impl Connection {
    pub(super) fn new(
        transport: Transport,
        seat: usize,
        ticket: usize,
        dialect: Dialect,
        is_stranger: bool,
        now: Instant,
    ) -> Connection {
        Connection {
            transport,
            seat,
            ticket,
            input: Vec::new(),
            batch: Batch::new(dialect),
            output: Vec::new(),
            written: 0,
            uncounted: (0, 0),
            counted: 0,
            is_ending: false,
            is_waiting: false,
            is_stranger,
            has_pushes: false,
            is_subscriber: false,
            hold: None,
            times: Times::new(now),
        }
    }

    /// Reads once. A read that does not fill its buffer has emptied the socket (epoll(7)). `scratch` is
    /// what short reads go through: room in the input would be zeroed for each of them.
    pub(super) fn read(&mut self, scratch: &mut [u8]) -> io::Result<Reading> {
        let len = self.input.len();
        // A long argument is read in few pieces, and the buffer grows no further than twice what has
        // come: a length that is only declared costs nothing.
        let wanted = self.batch.wants().map_or(0, |end| end.saturating_sub(len)).min(len);
        let is_long = wanted > scratch.len();
        let room = if is_long { wanted } else { scratch.len() };
        if is_long {
            self.input.resize(len + room, 0);
        }
        let read = loop {
            let into = if is_long { &mut self.input[len..] } else { &mut *scratch };
            match self.transport.read(into) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        let count = read.as_ref().map_or(0, |&count| count);
        if is_long {
            self.input.truncate(len + count);
        } else {
            self.input.extend_from_slice(&scratch[..count]);
        }
        self.uncounted.0 += count as u64;
        match read {
            Ok(0) => Ok(Reading::Ended),
            Ok(count) if count < room && self.transport.is_plain() => Ok(Reading::Dry),
            Ok(_) => Ok(Reading::More),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Reading::Nothing),
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

    /// Whether all that was answered is with the socket.
    pub(super) fn is_flushed(&self) -> bool {
        self.unwritten() == 0 && !self.transport.holds_back()
    }

    /// Whether nothing may be run: the next command waits, or nothing follows.
    pub(super) fn is_stopped(&self) -> bool {
        self.is_ending || self.is_waiting || self.hold.is_some()
    }

    /// What its limits are held against.
    pub(super) fn state(&self) -> State {
        State {
            unwritten: self.unwritten(),
            has_pushes: self.has_pushes || self.is_subscriber,
            is_subscriber: self.is_subscriber,
            is_partial: !self.input.is_empty() && !self.is_stopped(),
            is_greeting: self.is_stranger || self.transport.is_handshaking(),
            is_ending: self.is_ending,
        }
    }

    /// Writes what the socket takes; how many bytes.
    pub(super) fn write(&mut self) -> io::Result<usize> {
        let before = self.written;
        self.transport.push()?;
        while self.written < self.output.len() {
            match self.transport.write(&self.output[self.written..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => self.written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        let count = self.written - before;
        self.uncounted.1 += count as u64;
        if self.written == self.output.len() {
            self.written = 0;
            self.has_pushes = false;
            self.output.clear();
            if self.output.capacity() > BUFFER_KEPT {
                self.output = Vec::new();
            }
        }
        if self.written > self.unwritten() {
            // A peer that always leaves something unread must not keep what it has read.
            self.output.drain(..self.written);
            self.written = 0;
        }
        Ok(count)
    }
}
