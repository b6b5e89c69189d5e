//! Feature rows for training, taken from a cache at work.
//!
//! At random decision points, not only at accesses, a random resident is seen through the same
//! [`features::row`](row) that serving uses; then it is waited for: the next access to the object tells
//! how long the wait was, and what has not come when sampling ends is *censored*, its wait at
//! least so long. Sampling only at accesses would show every object at age 0, where no decision is
//! ever made.
//!
//! Work per request: one look at a table of the objects waited for. Memory: about 120 bytes for each
//! row that is kept, and of those the latest are kept, up to a limit. [`live`] samples a cache that
//! has no end. This module must not know what is learned from the rows.

pub mod live;

use rustc_hash::FxHashMap;

use crate::history::History;
use crate::model::features::{Row, row};
use crate::model::lens::Lens;
use crate::random::Random;
use crate::slots::Slots;

/// No further row waits for the same object.
const END: u64 = u64::MAX;

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
    /// A ring: the row of number `n` stands at `n` modulo the limit.
    samples: Vec<Sample>,
    /// For each sample, the number of the one before it that waits for the same object.
    links: Vec<u64>,
    /// By object, the number of the latest sample that waits for it.
    waiting: FxHashMap<u64, u64>,
    /// Samples taken: the number of the next one.
    taken: u64,
    /// Samples per request.
    rate: f64,
    /// Samples due, the fraction that is left over included.
    due: f64,
    limit: usize,
    random: Random,
}

impl Sampler {
    /// Takes `rate` samples per request on average and keeps the latest `limit` of them.
    pub fn new(rate: f64, limit: usize, seed: u64) -> Self {
        Sampler {
            samples: Vec::new(),
            links: Vec::new(),
            waiting: FxHashMap::default(),
            taken: 0,
            rate: rate.max(0.0),
            due: 0.0,
            limit,
            random: Random::new(seed),
        }
    }

    /// An object was asked for: the samples that waited for it are answered.
    #[inline]
    pub fn asked(&mut self, hash: u64, now: u64) {
        if let Some(mut number) = self.waiting.remove(&hash) {
            // A link may lead to a sample that is no longer kept: all before it are gone too.
            while number != END && number >= self.oldest() {
                let at = self.place(number);
                let sample = &mut self.samples[at];
                (sample.wait, sample.is_observed) = (now - sample.tick, true);
                number = self.links[at];
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

    /// Another rate from now on.
    pub fn set_rate(&mut self, rate: f64) {
        self.rate = rate.max(0.0);
    }

    /// Number of the earliest sample kept.
    #[inline]
    fn oldest(&self) -> u64 {
        self.taken - self.samples.len() as u64
    }

    #[inline]
    fn place(&self, number: u64) -> usize {
        (number % self.limit as u64) as usize
    }

    fn take(&mut self, slots: &Slots<History>, lens: &Lens<'_>, now: u64) {
        if self.limit == 0 || slots.bound() == 0 {
            return;
        }
        let id = self.random.below(slots.bound());
        let Some((history, size)) = slots.candidate(id) else { return };
        let (row, hash) = (row(lens, history, size), slots.hash(id));
        let sample = Sample { row, hash, tick: now, wait: 0, is_observed: false };
        if self.samples.len() < self.limit {
            let link = self.waiting.insert(hash, self.taken).unwrap_or(END);
            self.samples.push(sample);
            self.links.push(link);
        } else {
            let at = self.place(self.taken);
            let gone = self.samples[at].hash;
            // The latest that waits for its object: so nothing waits for it any more.
            if self.waiting.get(&gone) == Some(&self.oldest()) {
                self.waiting.remove(&gone);
            }
            self.links[at] = self.waiting.insert(hash, self.taken).unwrap_or(END);
            self.samples[at] = sample;
        }
        self.taken += 1;
    }

    /// Samples taken so far: the number that the next one will have.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Number of the first sample that is kept.
    pub fn first(&self) -> u64 {
        self.oldest()
    }

    /// The kept samples from this number on; the waits of those still waited for are 0.
    pub fn since(&self, number: u64) -> impl Iterator<Item = &Sample> {
        (number.max(self.oldest())..self.taken).map(|number| &self.samples[self.place(number)])
    }

    /// What is kept, in the order of time, as known at this tick: what is still waited for is
    /// censored.
    pub fn samples(&self, now: u64) -> Vec<Sample> {
        let kept = (self.oldest()..self.taken).map(|number| self.samples[self.place(number)]);
        kept.map(|sample| match sample.is_observed {
            true => sample,
            false => Sample { wait: now - sample.tick, ..sample },
        })
        .collect()
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        self.samples.capacity() * size_of::<Sample>()
            + self.links.capacity() * size_of::<u64>()
            + self.waiting.capacity() * size_of::<(u64, u64)>()
    }
}
