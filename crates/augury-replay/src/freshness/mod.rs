//! Freshness: what refresh-ahead saves on a trace whose objects expire, and what it costs.
//!
//! The cache has room for everything, so that a read misses where its object was never loaded
//! (compulsory) or has expired (an expiry miss), and for no other reason. A read that misses loads
//! its object for the object's TTL; a load answers at once, at the second in which it is asked
//! for. Writes make an object fresh without a load, deletes remove it. TTLs are the requests' own;
//! a request without one has that of [`ttl_by_rule`]. Each contender ([`Contender`]) says when to
//! reload; the planner of the engine is run on the same clock, once a second.
//!
//! Knows traces, the engine's planner and no policy.

mod contender;
mod planned;
mod unplanned;

use rustc_hash::FxHashMap;

use crate::replay::ReplayError;
use crate::trace::{DecodedTrace, Request};

pub use contender::Contender;

/// A load takes this part of the TTL, for what depends on it (XFetch's delta).
pub const LOAD_PART: u64 = 100;
/// Requests between two words about progress.
const STRIDE: usize = 1 << 16;

/// The TTL in seconds of an object whose requests carry none: 60, 300 or 3600, by its hash.
pub fn ttl_by_rule(key: u64) -> u32 {
    [60, 300, 3_600][(augury_core::hash::mix(key) >> 32) as usize % 3]
}

/// What came of one contender.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Reads.
    pub reads: u64,
    /// Reads of objects that had not been there before, or had been deleted.
    pub compulsory: u64,
    /// Reads of objects that had expired.
    pub expired: u64,
    /// Reloads ahead of a read.
    pub refreshes: u64,
}

impl Outcome {
    /// Loads of any kind.
    pub fn loads(&self) -> u64 {
        self.compulsory + self.expired + self.refreshes
    }
}

/// A request with its object's number, in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Step {
    object: u32,
    kind: Kind,
    now: u64,
    ttl: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Read,
    Write,
    Delete,
}

/// A trace made ready: objects numbered, TTLs given.
#[derive(Debug)]
pub struct Timeline {
    steps: Vec<Step>,
    /// Hash of each object, and its reads.
    hashes: Vec<u64>,
    reads: Vec<u64>,
}

impl Timeline {
    /// Numbers the objects of a trace.
    pub fn new(trace: &DecodedTrace) -> Self {
        let mut numbers: FxHashMap<u64, u32> = FxHashMap::default();
        let mut timeline = Timeline { steps: Vec::new(), hashes: Vec::new(), reads: Vec::new() };
        let mut now = 0;
        for request in &trace.requests {
            let object = *numbers.entry(request.key).or_insert_with(|| {
                timeline.hashes.push(augury_core::hash::mix(request.key));
                timeline.reads.push(0);
                (timeline.hashes.len() - 1) as u32
            });
            // A trace whose times go back is taken at the latest of them.
            now = now.max(request.time * 1_000);
            let kind = kind_of(request);
            timeline.reads[object as usize] += u64::from(kind == Kind::Read);
            let ttl = if request.ttl == 0 { ttl_by_rule(request.key) } else { request.ttl };
            timeline.steps.push(Step { object, kind, now, ttl: u64::from(ttl) * 1_000 });
        }
        timeline
    }

    /// Milliseconds from the first request to the last.
    fn span(&self) -> u64 {
        let ends = self.steps.first().zip(self.steps.last());
        ends.map_or(0, |(first, last)| last.now - first.now)
    }

    /// The end of the trace.
    fn end(&self) -> u64 {
        self.steps.last().map_or(0, |step| step.now)
    }

    /// Replays the trace under one contender.
    pub fn run(
        &self,
        contender: Contender,
        progress: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Outcome, ReplayError> {
        match contender {
            Contender::Planned { budget } => planned::run(self, budget, progress),
            other => unplanned::run(self, other, progress),
        }
    }
}

fn kind_of(request: &Request) -> Kind {
    match request.op {
        op if op.is_read() => Kind::Read,
        op if op.is_delete() => Kind::Delete,
        _ => Kind::Write,
    }
}
