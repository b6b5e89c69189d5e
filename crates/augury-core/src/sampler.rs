//! Feature rows for training, taken from a cache at work.
//!
//! At random decision points, not only at accesses, a random resident is seen through the same
//! [`row`] that serving uses; then it is waited for: the next access to the object tells
//! how long the wait was, and what has not come when sampling ends is *censored*, its wait at
//! least so long. Sampling only at accesses would show every object at age 0, where no decision is
//! ever made.
//!
//! A sampler either keeps the first rows and then stops ([`Sampler::new`], for a data set), or keeps
//! the latest for as long as the cache runs ([`Sampler::latest`], for watching and retraining).
//!
//! Work per request: one look at a table of the objects waited for. Memory: rows asked for, at
//! most. This module must not know what is learned from the rows.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use crate::history::History;
use crate::model::features::{Row, row};
use crate::model::lens::Lens;
use crate::random::Random;
use crate::slots::Slots;

/// Number of a row: rows taken before it.
type Number = u64;
/// No further row waits for the same object.
const END: Number = Number::MAX;

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
    samples: VecDeque<Sample>,
    /// For each sample, the one before it that waits for the same object.
    links: VecDeque<Number>,
    /// Samples that are no longer kept.
    dropped: Number,
    waiting: FxHashMap<u64, Number>,
    /// Samples per request.
    rate: f64,
    /// Samples due, the fraction that is left over included.
    due: f64,
    limit: usize,
    keeps_latest: bool,
    random: Random,
}

impl Sampler {
    /// Takes `rate` samples per request on average, up to `limit`.
    pub fn new(rate: f64, limit: usize, seed: u64) -> Self {
        Sampler {
            samples: VecDeque::new(),
            links: VecDeque::new(),
            dropped: 0,
            waiting: FxHashMap::default(),
            rate: rate.max(0.0),
            due: 0.0,
            limit,
            keeps_latest: false,
            random: Random::new(seed),
        }
    }

    /// Takes `rate` samples per request on average for ever, and keeps the latest `limit`.
    pub fn latest(rate: f64, limit: usize, seed: u64) -> Self {
        Sampler { keeps_latest: true, ..Sampler::new(rate, limit, seed) }
    }

    /// An object was asked for: the samples that waited for it are answered.
    #[inline]
    pub fn asked(&mut self, hash: u64, now: u64) {
        let Some(mut number) = self.waiting.remove(&hash) else { return };
        while let Some(at) = self.place(number) {
            let sample = &mut self.samples[at];
            (sample.wait, sample.is_observed) = (now - sample.tick, true);
            number = self.links[at];
        }
    }

    /// Where the sample of this number is kept.
    #[inline]
    fn place(&self, number: Number) -> Option<usize> {
        if number == END {
            return None;
        }
        number.checked_sub(self.dropped).map(|place| place as usize)
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
        let is_full = self.samples.len() >= self.limit;
        if (is_full && !self.keeps_latest) || self.limit == 0 || slots.bound() == 0 {
            return;
        }
        let id = self.random.below(slots.bound());
        let Some((history, size)) = slots.candidate(id) else { return };
        if is_full {
            self.drop_first();
        }
        let number = self.dropped + self.samples.len() as Number;
        let (row, hash) = (row(lens, history, size), slots.hash(id));
        self.samples.push_back(Sample { row, hash, tick: now, wait: 0, is_observed: false });
        self.links.push_back(self.waiting.insert(hash, number).unwrap_or(END));
    }

    fn drop_first(&mut self) {
        let Some(first) = self.samples.pop_front() else { return };
        self.links.pop_front();
        if !first.is_observed && self.waiting.get(&first.hash) == Some(&self.dropped) {
            self.waiting.remove(&first.hash);
        }
        self.dropped += 1;
    }

    /// Samples that were taken so far: the number that the next one will have.
    pub fn taken(&self) -> u64 {
        self.dropped + self.samples.len() as Number
    }

    /// Number of the first sample that is kept.
    pub fn first(&self) -> u64 {
        self.dropped
    }

    /// The kept samples from this number on; the waits of those still waited for are 0.
    pub fn since(&self, number: u64) -> impl Iterator<Item = &Sample> {
        let from = number.saturating_sub(self.dropped).min(self.samples.len() as u64);
        self.samples.range(from as usize..)
    }

    /// What is kept, as it would be if sampling ended at this tick: what is still waited for is
    /// censored.
    pub fn seen(&self, now: u64) -> Vec<Sample> {
        let mut samples: Vec<Sample> = self.samples.iter().copied().collect();
        for sample in samples.iter_mut().filter(|sample| !sample.is_observed) {
            sample.wait = now - sample.tick;
        }
        samples
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        self.samples.capacity() * size_of::<Sample>()
            + self.links.capacity() * size_of::<Number>()
            + self.waiting.capacity() * size_of::<(u64, Number)>()
    }
}
