//! From a trace to what a cache had to fetch: the stream that predictors of prefetch observe.
//!
//! The cache is the one that will prefetch: `auto` at a capacity, without prefetch. What it misses
//! is what it would miss or find staged with prefetch, so a model trained on this stream is trained
//! on what it will be asked about.

use std::collections::VecDeque;

use augury_core::guard::{Auto, Guard};

use crate::replay::{Capacity, Drive, ReplayError};
use crate::trace::{DecodedTrace, Footprint, Request};

/// Requests between two words about progress.
const STRIDE: usize = 1 << 16;

/// What to take from a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct DemandsSpec {
    /// Of the cache that is replayed.
    pub capacity: Capacity,
    /// Requests from the beginning of the trace that are replayed; all where `None`.
    pub until: Option<u64>,
    /// Misses to keep at most, the latest.
    pub latest: usize,
    /// Seed of the cache.
    pub seed: u64,
}

/// The latest requests that missed, in their order, and the number of requests replayed.
pub fn demands(
    trace: &DecodedTrace,
    footprint: Footprint,
    spec: &DemandsSpec,
    progress: &mut dyn FnMut(u64) -> bool,
) -> Result<(Vec<Request>, u64), ReplayError> {
    let capacity = spec.capacity.resolve(footprint)?;
    let length = spec.until.unwrap_or(u64::MAX).min(trace.requests.len() as u64) as usize;
    let mut cache = Drive::new(capacity, Auto::with_chooser(spec.seed, Guard::default()));
    let mut missed = VecDeque::new();
    for (at, chunk) in trace.requests[..length].chunks(STRIDE).enumerate() {
        for request in chunk {
            let before = cache.stats().misses;
            cache.request(request);
            if cache.stats().misses > before {
                missed.push_back(*request);
                if missed.len() > spec.latest {
                    missed.pop_front();
                }
            }
        }
        if !progress((at * STRIDE + chunk.len()) as u64) {
            return Err(ReplayError::Stopped);
        }
    }
    Ok((missed.into(), length as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missed(until: Option<u64>, latest: usize) -> (Vec<u64>, u64) {
        // Every object twice in a row, then never again: the first access misses.
        let requests = (0..1_000).map(|at| Request::read(at / 2, 1)).collect();
        let trace = DecodedTrace::from_requests("test".to_owned(), requests);
        let spec = DemandsSpec { capacity: Capacity::Absolute(50), until, latest, seed: 1 };
        let (found, seen) = demands(&trace, trace.objects(), &spec, &mut |_| true).unwrap();
        (found.iter().map(|request| request.key).collect(), seen)
    }

    #[test]
    fn misses_are_kept_in_order_the_latest_of_them_and_none_from_later() {
        assert_eq!(((0..500).collect(), 1_000), missed(None, 10_000));
        assert_eq!(((0..100).collect(), 200), missed(Some(200), 10_000));
        assert_eq!(((490..500).collect(), 1_000), missed(None, 10));
    }
}
