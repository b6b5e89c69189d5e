//! Slow commands: the latest of those that took longer than a threshold, each with its arguments cut
//! to a length.
//!
//! Reading the clock costs as much as a third of a GET, so that commands of constant time are timed only
//! where the threshold is below what they can take.

use std::collections::VecDeque;

use crate::client::Client;

/// Arguments kept of a command.
const ARGUMENTS_MAX: usize = 32;
/// Bytes kept of an argument.
const ARGUMENT_BYTES_MAX: usize = 128;
/// With a threshold below, commands of constant time are timed too, in microseconds.
const FAST_MICROS: i64 = 1_000;

/// A command that was slow.
#[derive(Debug)]
pub struct Entry {
    /// Its number, from 0.
    pub id: u64,
    /// When it ended, in seconds of Unix time.
    pub time: u64,
    /// How long it took, in microseconds.
    pub micros: u64,
    /// Its arguments, cut.
    pub arguments: Vec<Vec<u8>>,
    /// Address of its client.
    pub address: String,
    /// Name of its client.
    pub name: Box<[u8]>,
}

/// See the module's head.
#[derive(Debug)]
pub struct SlowLog {
    entries: VecDeque<Entry>,
    next: u64,
    threshold: i64,
    len_max: usize,
}

impl SlowLog {
    /// An empty log with a threshold in microseconds (negative: nothing is logged) and a length.
    pub fn new(threshold: i64, len_max: usize) -> SlowLog {
        SlowLog { entries: VecDeque::new(), next: 0, threshold, len_max }
    }

    /// Changes the threshold, in microseconds; negative: nothing is logged.
    pub fn set_threshold(&mut self, threshold: i64) {
        self.threshold = threshold;
    }

    /// Changes the length; the oldest entries leave.
    pub fn set_len_max(&mut self, len_max: usize) {
        self.len_max = len_max;
        self.entries.truncate(len_max);
    }

    /// Whether a command is to be timed.
    #[inline]
    pub fn times(&self, is_fast: bool) -> bool {
        self.threshold >= 0 && (!is_fast || self.threshold < FAST_MICROS)
    }

    /// A command took so many microseconds; it is logged if that is slow.
    pub fn note<'a>(
        &mut self,
        micros: u64,
        seconds: u64,
        client: &Client,
        arguments: impl ExactSizeIterator<Item = &'a [u8]>,
    ) {
        if i64::try_from(micros).is_ok_and(|micros| micros < self.threshold) || self.len_max == 0 {
            return;
        }
        self.entries.truncate(self.len_max - 1);
        self.entries.push_front(Entry {
            id: self.next,
            time: seconds,
            micros,
            arguments: cut(arguments),
            address: client.address.clone(),
            name: client.name.clone(),
        });
        self.next += 1;
    }

    /// The entries, the latest first.
    pub fn entries(&self) -> &VecDeque<Entry> {
        &self.entries
    }

    /// Forgets all entries.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}

fn cut<'a>(arguments: impl ExactSizeIterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let count = arguments.len();
    let shown = if count > ARGUMENTS_MAX { ARGUMENTS_MAX - 1 } else { count };
    let mut kept: Vec<Vec<u8>> = arguments.take(shown).map(cut_argument).collect();
    if count > shown {
        kept.push(format!("... ({} more arguments)", count - shown).into());
    }
    kept
}

fn cut_argument(argument: &[u8]) -> Vec<u8> {
    let Some(more) = argument.len().checked_sub(ARGUMENT_BYTES_MAX).filter(|&more| more > 0) else {
        return argument.into();
    };
    let mut kept = argument[..ARGUMENT_BYTES_MAX].to_vec();
    kept.extend_from_slice(format!("... ({more} more bytes)").as_bytes());
    kept
}
