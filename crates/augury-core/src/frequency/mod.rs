//! How often each key is asked for: the access probability P(k, t), in bounded memory.
//!
//! Beside the engine's own histories, which know residents and ghosts only: this counts all keys of
//! a stream, over a [`window`] of requests or with [`decayed`] weight. Each [`Tally`] joins a
//! count-min sketch, which answers for every key, with the space-saving summary, which also names
//! the most frequent ones. Both only ever count too much, so the lower answer is the better one.
//!
//! Of a total weight F, a summary of m keys counts at most F / m too much, always; a sketch of
//! width w and depth d at most e F / w, with probability 1 - exp(-d) for any one key. A key is told
//! by its 64-bit hash. Keys are held for the most frequent only. Nothing here may know caches,
//! policies or a clock.

pub mod decayed;
mod sketch;
mod summary;
pub mod window;

pub use decayed::Decayed;
pub use window::Window;

use sketch::CountMin;
use summary::SpaceSaving;

/// Rows of every sketch: a bound that holds with probability 1 - exp(-4), 0.98.
pub const DEPTH: usize = 4;

/// How much memory a tally may take, and with it how exact it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Precision {
    /// Counters in each row of the sketch, 8 bytes each; rounded up to a power of two.
    pub sketch_width: usize,
    /// Keys in the summary of the most frequent; at least 1.
    pub heavy_hitters: usize,
}

/// Weights of keys, each with an upper bound that is close for frequent ones.
#[derive(Debug, Clone)]
pub(crate) struct Tally<K> {
    sketch: CountMin,
    summary: SpaceSaving<K>,
    total: f64,
}

impl<K: Clone> Tally<K> {
    pub(crate) fn new(precision: Precision) -> Self {
        Tally {
            sketch: CountMin::new(precision.sketch_width),
            summary: SpaceSaving::new(precision.heavy_hitters),
            total: 0.0,
        }
    }

    pub(crate) fn add(&mut self, hash: u64, key: &K, weight: f64) {
        self.sketch.add(hash, weight);
        self.summary.add(hash, key, weight);
        self.total += weight;
    }

    /// The weight of a key, or more.
    pub(crate) fn upper(&self, hash: u64) -> f64 {
        self.sketch.upper(hash).min(self.summary.upper(hash))
    }

    /// The most frequent keys, in no order.
    pub(crate) fn heavy_hitters(&self) -> impl Iterator<Item = (u64, &K)> {
        self.summary.keys()
    }

    pub(crate) fn total(&self) -> f64 {
        self.total
    }

    /// Multiplies every weight by a factor below 1.
    pub(crate) fn scale(&mut self, factor: f64) {
        self.sketch.scale(factor);
        self.summary.scale(factor);
        self.total *= factor;
    }

    pub(crate) fn clear(&mut self) {
        self.sketch.scale(0.0);
        self.summary.clear();
        self.total = 0.0;
    }

    /// Bytes held, the contents of keys apart.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.sketch.memory_bytes() + self.summary.memory_bytes()
    }
}

/// Keys with what they weigh, the heaviest first; equals in the order of their hashes.
pub(crate) fn ranked<K>(mut keys: Vec<(u64, K, f64)>) -> Vec<(K, f64)> {
    keys.sort_by(|(hash, _, weight), (other_hash, _, other)| {
        other.total_cmp(weight).then(hash.cmp(other_hash))
    });
    keys.into_iter().map(|(_, key, weight)| (key, weight)).collect()
}
