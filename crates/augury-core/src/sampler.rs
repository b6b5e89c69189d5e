//! Feature rows for training, taken from a cache at work.
//!
//! At random decision points, not only at accesses, a random resident is seen through the same
//! [`features::row`] that serving uses; then it is waited for: the next access to the object tells
//! how long the wait was, and what has not come when sampling ends is *censored*, its wait at
//! least so long. Sampling only at accesses would show every object at age 0, where no decision is
//! ever made.
//!
//! Work per request: one look at a table of the objects waited for. Memory: rows asked for, at
//! most. This module must not know what is learned from the rows.

use rustc_hash::FxHashMap;

use crate::history::History;
use crate::model::features::{Row, row};
use crate::model::lens::Lens;
use crate::random::Random;
use crate::slots::Slots;

/// No further row waits for the same object.
const END: u32 = u32::MAX;

/// One row and what became of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// What a model would have seen.
    pub row: Row,
    /// The object's hash.
    pub hash: u64,
    /// When.
    pub tick: u64,
    /// Requests from then to the next access, or to the end of what was seen.
    pub wait: u64,
    /// Whether the next access was seen.
    pub is_observed: bool,
}

/// See the module's head.
#[derive(Debug)]
pub struct Sampler {
    samples: Vec<Sample>,
    /// For each sample, the one before it that waits for the same object.
    links: Vec<u32>,
    waiting: FxHashMap<u64, u32>,
    /// Samples per request.
    rate: f64,
    /// Samples due, the fraction that is left over included.
    due: f64,
    limit: usize,
    random: Random,
}

impl Sampler {
    /// Takes `rate` samples per request on average, up to `limit`.
    pub fn new(rate: f64, limit: usize, seed: u64) -> Self {
        let limit = limit.min(END as usize);
        Sampler {
            samples: Vec::new(),
            links: Vec::new(),
            waiting: FxHashMap::default(),
            rate: rate.max(0.0),
            due: 0.0,
            limit,
            random: Random::new(seed),
        }
    }

    /// An object was asked for: the samples that waited for it are answered.
    #[inline]
    pub fn asked(&mut self, hash: u64, now: u64) {
        if let Some(mut at) = self.waiting.remove(&hash) {
            while at != END {
                let sample = &mut self.samples[at as usize];
                (sample.wait, sample.is_observed) = (now - sample.tick, true);
                at = self.links[at as usize];
            }
        }
    }

    /// A request is done: perhaps a decision point. The lens is that of the policy at work.
    #[inline]
    pub fn sample(&mut self, slots: &Slots<History>, lens: &Lens<'_>, now: u64) {
        // Twice the rate or nothing, at random: no rhythm of the traffic can hide from it.
        self.due += 2.0 * self.rate * f64::from(self.random.below(2));
        while self.due >= 1.0 {
            self.due -= 1.0;
            self.take(slots, lens, now);
        }
    }

    fn take(&mut self, slots: &Slots<History>, lens: &Lens<'_>, now: u64) {
        if self.samples.len() >= self.limit || slots.bound() == 0 {
            return;
        }
        let id = self.random.below(slots.bound());
        let Some((history, size)) = slots.candidate(id) else { return };
        let at = self.samples.len() as u32;
        let (row, hash) = (row(lens, history, size), slots.hash(id));
        self.samples.push(Sample { row, hash, tick: now, wait: 0, is_observed: false });
        self.links.push(self.waiting.insert(hash, at).unwrap_or(END));
    }

    /// Ends sampling at this tick: what is still waited for is censored.
    pub fn finish(mut self, now: u64) -> Vec<Sample> {
        for sample in self.samples.iter_mut().filter(|sample| !sample.is_observed) {
            sample.wait = now - sample.tick;
        }
        self.samples
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        self.samples.capacity() * size_of::<Sample>()
            + self.links.capacity() * size_of::<u32>()
            + self.waiting.capacity() * size_of::<(u64, u32)>()
    }
}
