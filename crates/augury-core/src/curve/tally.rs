//! What was counted lately, and what follows for the traffic as a whole.
//!
//! Of all requests it is known whether the cache itself missed; of the sampled ones also whether
//! each cache that is asked about would have. So only the *difference* between the two is estimated
//! from the sample and the rest is known: objects that are hit by both, the most popular ones, whose
//! being sampled or not is what makes plain samples err, cancel out (a control variate; the
//! correction of SHARDS, which counts such requests as hits of all caches, is the special case of a
//! cache that never misses). All counts are halved now and then together.

use super::miniature::Order;
use super::recency::SEGMENTS;

/// Orders of the miniature caches.
pub(super) const ORDERS: usize = Order::ALL.len();
/// Capacities of the miniature caches, as multiples of the present one.
pub const SCALES: [f64; 4] = [0.5, 1.0, 2.0, 4.0];
/// Miniature caches: order by order, by capacity.
pub(super) const MINIATURES: usize = ORDERS * SCALES.len();

/// Counts of requests, each for those it stands for.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// All requests, and those that missed.
    pub(super) requests: f64,
    pub(super) misses: f64,
    /// Requests in the sample, and those that missed.
    sampled: f64,
    sampled_misses: f64,
    /// Hits of LRU by segment.
    recency_hits: [f64; SEGMENTS],
    hits: [f64; MINIATURES],
}

impl Tally {
    /// A sampled request that stands for `weight` of them: its segment on the recency list, and
    /// the miniature caches that had it.
    pub(super) fn record(&mut self, weight: f64, is_hit: bool, segment: u8, members: u16) {
        self.sampled += weight;
        self.sampled_misses += if is_hit { 0.0 } else { weight };
        if let Some(hits) = self.recency_hits.get_mut(usize::from(segment)) {
            *hits += weight;
        }
        for (at, hits) in self.hits.iter_mut().enumerate() {
            *hits += if members & 1 << at != 0 { weight } else { 0.0 };
        }
    }

    /// Halves the weight of all that was counted.
    pub(super) fn halve(&mut self) {
        let counts = [&mut self.requests, &mut self.misses];
        let sampled = [&mut self.sampled, &mut self.sampled_misses];
        let all = counts.into_iter().chain(sampled);
        all.chain(&mut self.recency_hits).chain(&mut self.hits).for_each(|count| *count /= 2.0);
    }

    /// The cache's own object miss ratio; 0 where nothing was asked for.
    pub(super) fn miss_ratio(&self) -> f64 {
        self.misses / self.requests.max(1.0)
    }

    /// That of a cache with so many hits in the sample.
    fn with_hits(&self, hits: f64) -> f64 {
        let difference = self.sampled - hits - self.sampled_misses;
        ((self.misses + difference) / self.requests.max(1.0)).clamp(0.0, 1.0)
    }

    /// That of LRU at the ends of the segments.
    pub(super) fn recency(&self) -> [f64; SEGMENTS] {
        let mut hits = 0.0;
        self.recency_hits.map(|here| {
            hits += here;
            self.with_hits(hits)
        })
    }

    /// That of a miniature cache.
    pub(super) fn miniature(&self, order: usize, scale: usize) -> f64 {
        self.with_hits(self.hits[order * SCALES.len() + scale])
    }
}
