//! From a trace to a data set: feature rows and waits, sampled while a cache replays it.
//!
//! The cache is the one that will serve the model: `auto` at a capacity. Rows come from
//! [`augury_core::sampler`], so they are what serving would have seen; a replay adds only when to
//! begin and to end.

use augury_core::guard::{Auto, Guard};
use augury_core::hash::mix;
use augury_core::sampler::{Sample, Sampler};

use crate::replay::{Capacity, Drive, ReplayError};
use crate::trace::{DecodedTrace, Footprint, Request};

/// Requests between two words about progress.
const STRIDE: usize = 1 << 16;

/// What to take from a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetSpec {
    /// Of the cache that is replayed.
    pub capacity: Capacity,
    /// Rows to take, about.
    pub rows: usize,
    /// Requests from the beginning of the trace that are replayed; all where `None`. What
    /// happens later is not seen, and waits that last longer are censored.
    pub until: Option<u64>,
    /// Seed of the sampling and of the cache.
    pub seed: u64,
}

/// Rows with their waits, and what the cache was like.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// In the order of their ticks.
    pub samples: Vec<Sample>,
    /// Requests replayed.
    pub requests: u64,
    /// What the capacity came to.
    pub capacity: u64,
    /// Requests that a resident stays, on average: residents per insertion and request.
    pub residence: f64,
}

/// `auto` at work, its decision points sampled once evictions have begun.
pub struct SampledCache {
    cache: Drive<Auto>,
    sampler: Sampler,
    /// What becomes of the weight of a request with each one after it.
    fading: f64,
    /// Residents and insertions, summed over the requests.
    occupancy: f64,
    insertions: f64,
}

impl SampledCache {
    /// An empty cache. The mean residence is that of the latest `memory` requests, about.
    pub fn new(capacity: u64, sampler: Sampler, memory: f64, seed: u64) -> Self {
        SampledCache {
            cache: Drive::new(capacity, Auto::with_chooser(seed, Guard::default())),
            sampler,
            fading: 1.0 - 1.0 / memory.max(1.0),
            occupancy: 0.0,
            insertions: 0.0,
        }
    }

    /// Replays one request.
    #[inline]
    pub fn request(&mut self, request: &Request) {
        let now = self.cache.shard().tick();
        if request.op.is_read() {
            self.sampler.asked(mix(request.key), now);
        }
        let before = self.cache.stats().insertions;
        self.cache.request(request);
        let inserted = self.cache.stats().insertions - before;
        self.occupancy = self.occupancy * self.fading + self.cache.len() as f64;
        self.insertions = self.insertions * self.fading + inserted as f64;
        let shard = self.cache.shard();
        if shard.stats().evicted > 0 {
            self.sampler.sample(shard.store().slots(), &shard.policy().learner().lens(now), now);
        }
    }

    /// The cache.
    pub fn cache(&self) -> &Drive<Auto> {
        &self.cache
    }

    /// The cache, to load a model into.
    pub fn cache_mut(&mut self) -> &mut Drive<Auto> {
        &mut self.cache
    }

    /// The rows.
    pub fn sampler(&self) -> &Sampler {
        &self.sampler
    }

    /// What is known by now.
    pub fn dataset(&self) -> Dataset {
        let requests = self.cache.shard().tick();
        Dataset {
            samples: self.sampler.samples(requests),
            requests,
            capacity: self.cache.shard().capacity(),
            residence: self.occupancy / self.insertions.max(1.0),
        }
    }
}

/// Replays a trace and takes rows once evictions have begun.
pub fn build_dataset(
    trace: &DecodedTrace,
    footprint: Footprint,
    spec: &DatasetSpec,
    progress: &mut dyn FnMut(u64) -> bool,
) -> Result<Dataset, ReplayError> {
    let capacity = spec.capacity.resolve(footprint)?;
    let length = spec.until.unwrap_or(u64::MAX).min(trace.requests.len() as u64) as usize;
    let rate = spec.rows as f64 / length.max(1) as f64;
    let sampler = Sampler::new(rate, spec.rows, spec.seed);
    let mut cache = SampledCache::new(capacity, sampler, f64::INFINITY, spec.seed);
    for (at, chunk) in trace.requests[..length].chunks(STRIDE).enumerate() {
        chunk.iter().for_each(|request| cache.request(request));
        if !progress((at * STRIDE + chunk.len()) as u64) {
            return Err(ReplayError::Stopped);
        }
    }
    Ok(cache.dataset())
}

#[cfg(test)]
mod tests {
    use super::*;
    use augury_core::request::Op;

    use crate::trace::Request;

    fn trace(length: u64) -> DecodedTrace {
        let request = |at: u64| Request {
            key: at * at % 499 + at % 101,
            next: None,
            time: at,
            size: 1,
            ttl: 0,
            op: Op::Get,
            namespace: 0,
            session: 0,
        };
        DecodedTrace::from_requests("test".to_owned(), (0..length).map(request).collect())
    }

    fn build(trace: &DecodedTrace, until: Option<u64>) -> Dataset {
        let spec = DatasetSpec { capacity: Capacity::Absolute(50), rows: 5_000, until, seed: 1 };
        build_dataset(trace, trace.objects(), &spec, &mut |_| true).unwrap()
    }

    #[test]
    fn rows_are_those_asked_for_in_order() {
        let found = build(&trace(20_000), None);
        assert!((4_000..=5_000).contains(&found.samples.len()), "{}", found.samples.len());
        assert!(found.samples.is_sorted_by_key(|sample| sample.tick));
        assert!(found.residence > 50.0 && found.residence < 1_000.0, "{}", found.residence);
        assert!(found.samples.iter().all(|sample| sample.tick + sample.wait <= 20_000));
    }

    #[test]
    fn what_comes_after_the_end_is_not_seen() {
        let (whole, part) = (trace(20_000), trace(10_000));
        assert_eq!(build(&part, None), build(&whole, Some(10_000)));
    }
}
