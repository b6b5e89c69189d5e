//! Sampling of a cache that runs for ever: the latest rows, spread over some residences.
//!
//! What a model learns from is whether an object comes back within a part of its stay, so the rows
//! that are kept have to reach over several stays; how long those are is measured. The rate of
//! sampling follows: `limit` rows over [`RESIDENCES`] mean residences, at most one row in
//! [`SPARSEST`] requests. When the limit is reached, the oldest row makes way for the next one, so
//! the history is that of the traffic as it is now.

use super::{Sample, Sampler};
use crate::slots::Slots;

/// Mean residences that the rows reach over: a label is certain after a fifth of one.
const RESIDENCES: f64 = 8.0;
/// Requests per row, at least.
const SPARSEST: f64 = 4.0;

/// Rows with their waits, and what the cache was like.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampled {
    /// In the order of their ticks.
    pub samples: Vec<Sample>,
    /// Requests seen.
    pub requests: u64,
    /// Requests summed over the stays of all residents, and insertions, since evictions began.
    pub occupancy: u64,
    /// See `occupancy`.
    pub insertions: u64,
}

impl Sampled {
    /// Requests that a resident stays, on average.
    pub fn residence(&self) -> f64 {
        self.occupancy as f64 / self.insertions.max(1) as f64
    }

    /// What could be known at this tick.
    fn before(mut self, tick: u64) -> Self {
        self.samples.retain(|sample| sample.tick < tick);
        for sample in &mut self.samples {
            let left = tick - sample.tick;
            sample.is_observed &= sample.wait <= left;
            sample.wait = sample.wait.min(left);
        }
        Sampled { requests: tick, ..self }
    }

    /// As one: shards count their own requests and are cut to the shortest of them.
    pub fn merged(parts: Vec<Sampled>) -> Option<Self> {
        let requests = parts.iter().map(|part| part.requests).min()?;
        let mut whole = Sampled { samples: Vec::new(), requests, occupancy: 0, insertions: 0 };
        for part in parts {
            whole.occupancy += part.occupancy;
            whole.insertions += part.insertions;
            whole.samples.append(&mut part.before(requests).samples);
        }
        whole.samples.sort_by_key(|sample| sample.tick);
        Some(whole)
    }
}

/// See the module's head.
#[derive(Debug)]
pub struct Live {
    sampler: Sampler,
    limit: usize,
    occupancy: u64,
    /// Insertions before the first decision point, and now.
    insertions: Option<(u64, u64)>,
}

impl Live {
    /// Keeps the latest `limit` rows.
    pub fn new(limit: usize, seed: u64) -> Self {
        let sampler = Sampler::new(1.0 / SPARSEST, limit, seed);
        Live { sampler, limit, occupancy: 0, insertions: None }
    }

    /// An object was asked for.
    #[inline]
    pub fn asked(&mut self, hash: u64, now: u64) {
        self.sampler.asked(hash, now);
    }

    /// A request is done in a cache that has begun to evict. Returns the sampler, which the policy
    /// shows its residents to.
    #[inline]
    pub fn decide<R: Copy + Default>(&mut self, slots: &Slots<R>, insertions: u64) -> &mut Sampler {
        self.occupancy += u64::from(slots.live());
        let (first, _) = *self.insertions.get_or_insert((insertions, insertions));
        self.insertions = Some((first, insertions));
        let residence = self.occupancy as f64 / (insertions - first).max(1) as f64;
        let rate = self.limit as f64 / (RESIDENCES * residence.max(1.0));
        self.sampler.set_rate(rate.min(1.0 / SPARSEST));
        &mut self.sampler
    }

    /// What is known at this tick.
    pub fn sampled(&self, now: u64) -> Sampled {
        let insertions = self.insertions.map_or(0, |(first, last)| last - first);
        let (samples, occupancy) = (self.sampler.samples(now), self.occupancy);
        Sampled { samples, requests: now, occupancy, insertions }
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.sampler.memory_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::features::WIDTH;

    fn sample(tick: u64, wait: u64, is_observed: bool) -> Sample {
        Sample { row: [0.0; WIDTH], hash: tick, tick, wait, is_observed }
    }

    #[test]
    fn shards_are_cut_to_the_time_that_all_have_seen() {
        let part = |samples, requests| Sampled { samples, requests, occupancy: 60, insertions: 3 };
        let long = part(vec![sample(5, 10, true), sample(8, 2, true), sample(15, 5, false)], 20);
        let short = part(vec![sample(6, 6, false)], 12);
        let found = Sampled::merged(vec![long, short]).unwrap();
        let expected = vec![sample(5, 7, false), sample(6, 6, false), sample(8, 2, true)];
        assert_eq!(
            (expected, 12, 20.0),
            (found.samples.clone(), found.requests, found.residence())
        );
    }
}
