//! Access probability with exponential decay: a request of one half-life ago counts half.
//!
//! Forward decay (Cormode, Shkapenyuk, Srivastava and Xu, "Forward decay: a practical time decay
//! model for streaming systems", 2009): instead of all counters shrinking, a request at time t
//! weighs 2^((t - L) / h), L being fixed. Shares of weights are those of decayed counts. When the
//! weights grow large, everything is scaled down and L moves: once in 512 half-lives at most.

use super::{Precision, Tally, ranked};

/// Half-lives between two scalings: the weights stay far below the largest float.
const SCALE_AFTER: f64 = 512.0;

/// Counts that halve with every half-life.
#[derive(Debug, Clone)]
pub struct Decayed<K> {
    half_life: f64,
    tally: Tally<K>,
    /// L, and the time of the latest request; None before the first.
    landmark: Option<f64>,
    now: f64,
}

impl<K: Clone> Decayed<K> {
    /// Counts with a half-life above 0, in the unit of the times that come.
    pub fn new(half_life: f64, precision: Precision) -> Self {
        Decayed { half_life, tally: Tally::new(precision), landmark: None, now: 0.0 }
    }

    /// Counts a request at a finite time; one before the latest counts as if it came with it.
    pub fn record(&mut self, hash: u64, key: &K, time: f64) {
        let landmark = *self.landmark.get_or_insert(time);
        self.now = if self.tally.total() > 0.0 { self.now.max(time) } else { time };
        let mut age = (self.now - landmark) / self.half_life;
        if age > SCALE_AFTER {
            self.tally.scale((-age).exp2());
            self.landmark = Some(self.now);
            age = 0.0;
        }
        self.tally.add(hash, key, age.exp2());
    }

    /// F(t): the decayed number of requests, as of the latest.
    pub fn requests(&self) -> f64 {
        self.decayed(self.tally.total())
    }

    /// f(k, t): the decayed number of requests for the key, or more.
    pub fn count(&self, hash: u64) -> f64 {
        self.decayed(self.tally.upper(hash))
    }

    /// P(k, t) = f(k, t) / F(t), which does not change between requests; 0 before the first.
    pub fn probability(&self, hash: u64) -> f64 {
        let total = self.tally.total();
        if total > 0.0 { self.tally.upper(hash) / total } else { 0.0 }
    }

    /// The keys asked for most, with their probabilities, the most probable first.
    ///
    /// Every key above 1 / `heavy_hitters` of all is among them.
    pub fn heavy_hitters(&self) -> Vec<(K, f64)> {
        let keys = self.tally.heavy_hitters();
        ranked(keys.map(|(hash, key)| (hash, key.clone(), self.probability(hash))).collect())
    }

    /// Bytes held, the contents of keys apart.
    pub fn memory_bytes(&self) -> usize {
        self.tally.memory_bytes()
    }

    fn decayed(&self, weight: f64) -> f64 {
        let landmark = self.landmark.unwrap_or(self.now);
        weight * (-(self.now - landmark) / self.half_life).exp2()
    }
}
