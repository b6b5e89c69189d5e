//! Why an object is, or is not, in the cache at a moment of a trace.
//!
//! `auto` is replayed up to that moment with its decisions written down; what it then knows of the
//! object, and what became of each request for it, is the answer.

use std::collections::VecDeque;
use std::sync::Arc;

use augury_core::guard::{Auto, Guard};
use augury_core::hash::mix;
use augury_core::model::predictor::Predictor;
use augury_core::policy::explanation::Explanation;

use crate::replay::{Capacity, Drive, ReplayError};
use crate::trace::{DecodedTrace, Footprint};

/// Decisions remembered by default.
pub const JOURNAL: usize = 4_096;
/// Latest requests for the object that are told one by one.
const TOLD: usize = 16;
/// Requests between two words about progress.
const STRIDE: usize = 1 << 16;

/// What to explain.
#[derive(Debug, Clone)]
pub struct ExplainSpec {
    /// Of the cache.
    pub capacity: Capacity,
    /// The object.
    pub key: u64,
    /// Requests replayed before the question; all where `None`.
    pub at: Option<u64>,
    /// Seed of the cache.
    pub seed: u64,
    /// A trained model among the experts.
    pub model: Option<Arc<Predictor>>,
    /// Decisions remembered.
    pub journal: usize,
}

/// What happened to one object.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    /// Requests replayed.
    pub replayed: u64,
    /// What the capacity came to.
    pub capacity: u64,
    /// Residents at the end.
    pub residents: u64,
    /// Requests for the object, and those of them that hit.
    pub requests: u64,
    /// See `requests`.
    pub hits: u64,
    /// The latest of them: number in the trace, and whether it hit.
    pub latest: Vec<(u64, bool)>,
    /// Whether it is resident.
    pub is_resident: bool,
    /// What the policy knows of it.
    pub explanation: Explanation,
}

/// Replays up to the question and answers it.
pub fn explain(
    trace: &DecodedTrace,
    footprint: Footprint,
    spec: &ExplainSpec,
    progress: &mut dyn FnMut(u64) -> bool,
) -> Result<Story, ReplayError> {
    let capacity = spec.capacity.resolve(footprint)?;
    let length = spec.at.unwrap_or(u64::MAX).min(trace.requests.len() as u64) as usize;
    let mut cache = Drive::new(capacity, Auto::with_chooser(spec.seed, Guard::default()));
    cache.set_predictor(spec.model.clone());
    cache.keep_journal(spec.journal);
    let (mut requests, mut hits, mut latest) = (0, 0, VecDeque::with_capacity(TOLD));
    for (at, chunk) in trace.requests[..length].chunks(STRIDE).enumerate() {
        for (now, request) in (at * STRIDE..).zip(chunk) {
            let before = cache.stats().hits;
            cache.request(request);
            if request.key == spec.key {
                let is_hit = cache.stats().hits > before;
                requests += 1;
                hits += u64::from(is_hit);
                if latest.len() == TOLD {
                    latest.pop_front();
                }
                latest.push_back((now as u64, is_hit));
            }
        }
        if !progress((at * STRIDE + chunk.len()) as u64) {
            return Err(ReplayError::Stopped);
        }
    }
    let hash = mix(spec.key);
    let id = cache.shard().store().candidates(hash).next();
    let explanation = cache.shard().explain(hash, id);
    Ok(Story {
        replayed: length as u64,
        capacity,
        residents: cache.len() as u64,
        requests,
        hits,
        latest: latest.into(),
        is_resident: id.is_some(),
        explanation: explanation.expect("auto explains itself"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use augury_core::policy::journal::Act;
    use augury_core::request::Op;

    use crate::trace::Request;

    fn trace() -> DecodedTrace {
        let request = |at: u64| Request {
            key: if at % 50 == 7 { 1_000_000 } else { at * at % 499 + at % 101 },
            next: None,
            time: at,
            size: 1,
            ttl: 0,
            op: Op::Get,
            namespace: 0,
            session: 0,
        };
        DecodedTrace::from_requests("test".to_owned(), (0..20_000).map(request).collect())
    }

    fn ask(key: u64, at: Option<u64>, journal: usize) -> Story {
        let trace = trace();
        let capacity = Capacity::Absolute(50);
        let spec = ExplainSpec { capacity, key, at, seed: 1, model: None, journal };
        explain(&trace, trace.objects(), &spec, &mut |_| true).unwrap()
    }

    #[test]
    fn every_recorded_eviction_is_explained_from_what_was_known() {
        let story = ask(1_000_000, None, usize::MAX);
        assert_eq!(
            (400, story.is_resident),
            (story.requests, story.explanation.standing.is_some())
        );
        // Each miss but the first follows a decision that put it out.
        let decisions = &story.explanation.decisions;
        let misses = story.requests - story.hits;
        assert_eq!(misses - u64::from(story.is_resident), decisions.len() as u64);
        for decision in decisions {
            assert!(decision.history.last as u64 <= decision.tick);
            assert!(decision.score.is_finite() && decision.looks > 0);
            if decision.act == Act::Rejected {
                assert_eq!(Some(decision.score), decision.newcomer);
            }
        }
        assert!(decisions.is_sorted_by(|a, b| a.tick > b.tick));
    }

    #[test]
    fn the_answer_is_that_of_the_moment() {
        let (early, late) = (ask(1_000_000, Some(10_000), 100), ask(1_000_000, None, 100));
        assert_eq!((10_000, 200), (early.replayed, early.requests));
        assert_eq!(TOLD, late.latest.len());
        assert!(early.explanation.decisions.iter().all(|decision| decision.tick < 10_000));
        assert!(late.explanation.recorded_since > early.explanation.recorded_since);
    }

    #[test]
    fn an_object_never_asked_for_has_no_story() {
        let story = ask(77_777, None, 100);
        assert_eq!((0, false), (story.requests, story.is_resident));
        assert!(story.explanation.standing.is_none() && story.explanation.decisions.is_empty());
    }
}
