//! Predictions whose outcome is still open: a bounded queue, and where each object is in it.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

use super::predictor::Candidate;

/// A prediction waiting for its outcome.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pending {
    pub(super) candidate: Candidate,
    /// The chance it was given.
    pub(super) chance: f32,
    /// Demands before it was made.
    pub(super) since: u64,
    /// Tick at which it was made.
    pub(super) tick: u64,
}

/// Hashes of keys are well mixed: they need no hashing.
#[derive(Debug, Default)]
struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only hashes of keys are hashed")
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct Outstanding {
    queue: VecDeque<Option<Pending>>,
    /// Number of the first of the queue.
    first: u64,
    places: HashMap<u64, u64, BuildHasherDefault<Mixed>>,
}

impl Outstanding {
    /// Predictions waiting.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether the object is waited for.
    #[inline]
    pub(super) fn contains(&self, hash: u64) -> bool {
        self.places.contains_key(&hash)
    }

    /// Adds one; its object is not waited for yet.
    pub(super) fn push(&mut self, pending: Pending) {
        self.places.insert(pending.candidate.hash, self.first + self.queue.len() as u64);
        self.queue.push_back(Some(pending));
    }

    /// Takes out the prediction of this object.
    #[inline]
    pub(super) fn take(&mut self, hash: u64) -> Option<Pending> {
        if self.places.is_empty() {
            return None;
        }
        let place = self.places.remove(&hash)?;
        self.queue[(place - self.first) as usize].take()
    }

    /// The oldest that waits.
    pub(super) fn oldest(&mut self) -> Option<&Pending> {
        while let Some(None) = self.queue.front() {
            self.queue.pop_front();
            self.first += 1;
        }
        self.queue.front().and_then(Option::as_ref)
    }

    /// Takes out the oldest.
    pub(super) fn pop(&mut self) -> Option<Pending> {
        let hash = self.oldest()?.candidate.hash;
        self.take(hash)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.queue.capacity() * size_of::<Option<Pending>>()
            + self.places.capacity() * size_of::<(u64, u64)>() * 8 / 7
    }
}
