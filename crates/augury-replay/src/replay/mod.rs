//! Replay: a trace, a policy and a capacity to a miss ratio.
//!
//! A cell is one trace at one capacity under one policy with one seed. [`run_cell`] replays a
//! trace decoded in memory; [`run_stream`] replays while reading, for traces larger than memory
//! and for timing from file to result.

mod capacity;
mod course;
mod drive;
mod error;
mod policy;
mod prefetch;

use std::sync::Arc;
use std::time::Instant;

use augury_core::metrics::Stats;
use augury_core::model::predictor::Predictor;
use augury_core::policy::Policy;
use augury_core::prefetch::PrefetchStats;

pub use capacity::Capacity;
use course::Course;
pub use course::Window;
pub use drive::Drive;
pub use error::ReplayError;
pub use policy::{PolicyName, WithMaker, WithPolicy};
pub use prefetch::{PredictorName, PredictorSpec, PrefetchSpec};

use crate::trace::{CHUNK, DecodedTrace, Footprint, Request, TraceReader, TraceSource, extent};

/// What to replay a trace under.
#[derive(Debug, Clone, PartialEq)]
pub struct CellSpec {
    /// The policy.
    pub policy: PolicyName,
    /// Its capacity.
    pub capacity: Capacity,
    /// Seed of everything random in it.
    pub seed: u64,
    /// A trained model for policies that can use one: `auto` takes it among its experts.
    pub model: Option<Arc<Predictor>>,
    /// Requests replayed before counting begins; the model comes in at their end.
    pub warmup: u64,
    /// Requests after which the replay ends, those of the warm-up included; all where `None`.
    pub until: Option<u64>,
    /// Whether and how it prefetches.
    pub prefetch: Option<PrefetchSpec>,
}

impl CellSpec {
    /// The whole trace, no warm-up, no trained model, no prefetching.
    pub fn new(policy: PolicyName, capacity: Capacity, seed: u64) -> Self {
        CellSpec { policy, capacity, seed, model: None, warmup: 0, until: None, prefetch: None }
    }
}

/// What a replay found.
#[derive(Debug, Clone, PartialEq)]
pub struct CellResult {
    /// The trace's name.
    pub trace: String,
    /// The policy.
    pub policy: PolicyName,
    /// The capacity as asked for.
    pub capacity: Capacity,
    /// The capacity in bytes; entries for size-1 traces.
    pub capacity_bytes: u64,
    /// The seed.
    pub seed: u64,
    /// The cache's counters.
    pub stats: Stats,
    /// What was prefetched while counting, where anything might have been.
    pub prefetch: Option<PrefetchStats>,
    /// The replay loop alone.
    pub seconds: f64,
    /// The engine's own memory at the end, without keys and values.
    pub memory_bytes: u64,
    /// Entries resident at the end.
    pub resident: u64,
    /// The replay in up to 200 equal stretches.
    pub windows: Vec<Window>,
}

impl CellResult {
    /// Misses per request; 0 where nothing was read.
    pub fn object_miss_ratio(&self) -> f64 {
        ratio(self.stats.misses, self.stats.requests())
    }

    /// Missed bytes per requested byte; 0 where nothing was read.
    pub fn byte_miss_ratio(&self) -> f64 {
        ratio(self.stats.missed_bytes, self.stats.requested_bytes)
    }

    /// Accesses per second of the replay loop.
    pub fn requests_per_second(&self) -> f64 {
        if self.seconds > 0.0 { self.stats.requests() as f64 / self.seconds } else { 0.0 }
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Replays a decoded trace. `progress` is told how many requests are done, now and then; where it
/// answers `false` the replay stops with [`ReplayError::Stopped`].
pub fn run_cell(
    trace: &DecodedTrace,
    footprint: Footprint,
    spec: &CellSpec,
    progress: &mut dyn FnMut(u64) -> bool,
) -> Result<CellResult, ReplayError> {
    let capacity_bytes = spec.capacity.resolve(footprint)?;
    let length = spec.until.unwrap_or(u64::MAX).min(trace.requests.len() as u64);
    let source = Memory { left: &trace.requests[..length as usize], total: length };
    let name = trace.name.clone();
    spec.policy.build(spec.seed, Replay { spec, capacity_bytes, name, source, progress })
}

/// Replays a trace while it is read, in bounded memory. A share of the footprint, or `total`
/// unknown, costs a first pass.
pub fn run_stream(
    source: &TraceSource,
    spec: &CellSpec,
    progress: &mut dyn FnMut(u64) -> bool,
) -> Result<CellResult, ReplayError> {
    let footprint = match spec.capacity {
        Capacity::Fraction(_) => extent(source)?.footprint,
        Capacity::Absolute(_) => Footprint::default(),
    };
    let capacity_bytes = spec.capacity.resolve(footprint)?;
    let reader = source.open()?;
    if spec.policy.is_oracle() && !reader.has_next() {
        let (policy, trace) = (spec.policy.name(), source.name());
        return Err(ReplayError::NoFuture { policy, trace });
    }
    let name = source.name();
    let source = Reading { reader, chunk: Vec::with_capacity(CHUNK) };
    spec.policy.build(spec.seed, Replay { spec, capacity_bytes, name, source, progress })
}

/// Where the requests of a replay come from.
trait Requests {
    /// Requests in all, as far as is known; only a hint.
    fn total(&self) -> Option<u64>;
    /// The next requests; none at the end.
    fn next_chunk(&mut self) -> Result<&[Request], ReplayError>;
}

struct Memory<'a> {
    left: &'a [Request],
    total: u64,
}

impl Requests for Memory<'_> {
    fn total(&self) -> Option<u64> {
        Some(self.total)
    }

    fn next_chunk(&mut self) -> Result<&[Request], ReplayError> {
        let (chunk, left) = self.left.split_at(self.left.len().min(CHUNK));
        self.left = left;
        Ok(chunk)
    }
}

struct Reading {
    reader: TraceReader,
    chunk: Vec<Request>,
}

impl Requests for Reading {
    fn total(&self) -> Option<u64> {
        self.reader.length_hint()
    }

    fn next_chunk(&mut self) -> Result<&[Request], ReplayError> {
        self.reader.next_chunk(&mut self.chunk)?;
        Ok(&self.chunk)
    }
}

/// One replay, waiting for the type of its policy.
struct Replay<'a, S> {
    spec: &'a CellSpec,
    capacity_bytes: u64,
    name: String,
    source: S,
    progress: &'a mut dyn FnMut(u64) -> bool,
}

impl<S: Requests> WithPolicy for Replay<'_, S> {
    type Output = Result<CellResult, ReplayError>;

    fn with<P: Policy>(mut self, policy: P) -> Self::Output {
        let started = Instant::now();
        let mut cache = Drive::new(self.capacity_bytes, policy);
        let prefetch = self.spec.prefetch.as_ref();
        let (at_once, later) = match prefetch.map(|prefetch| &prefetch.predictor) {
            Some(PredictorSpec::Trained(_)) => (None, prefetch),
            _ => (prefetch, None),
        };
        if let Some(prefetch) = at_once {
            cache.prefetch_from_now(prefetch);
        }
        let mut course = Course::new(self.source.total());
        let mut done = 0;
        let mut before = Stats::default();
        let mut prefetched = PrefetchStats::default();
        let mut is_warm = false;
        loop {
            let chunk = self.source.next_chunk()?;
            let left = self.spec.until.unwrap_or(u64::MAX) - done;
            let chunk = &chunk[..chunk.len().min(usize::try_from(left).unwrap_or(usize::MAX))];
            if chunk.is_empty() {
                break;
            }
            let cold = (self.spec.warmup - done.min(self.spec.warmup)).min(chunk.len() as u64);
            let (cold, warm) = chunk.split_at(cold as usize);
            cache.feed(cold);
            if !warm.is_empty() && !is_warm {
                is_warm = true;
                before = *cache.stats();
                course.begin(&before);
                cache.set_predictor(self.spec.model.clone());
                prefetched = cache.prefetch_stats().copied().unwrap_or_default();
                if let Some(prefetch) = later {
                    cache.prefetch_from_now(prefetch);
                }
            }
            cache.feed(warm);
            done += chunk.len() as u64;
            if course.is_due(done) {
                if is_warm {
                    course.note(cache.stats(), cache.policy().ruling());
                }
                if !(self.progress)(done) {
                    return Err(ReplayError::Stopped);
                }
            }
        }
        if !is_warm {
            // The trace ended within the warm-up: nothing was counted.
            before = *cache.stats();
            prefetched = cache.prefetch_stats().copied().unwrap_or_default();
            course.begin(&before);
        }
        course.note(cache.stats(), cache.policy().ruling());
        let seconds = started.elapsed().as_secs_f64();
        (self.progress)(done);
        Ok(CellResult {
            trace: self.name,
            policy: self.spec.policy,
            capacity: self.spec.capacity,
            capacity_bytes: self.capacity_bytes,
            seed: self.spec.seed,
            stats: cache.stats().since(&before),
            prefetch: prefetch
                .map(|_| cache.prefetch_stats().copied().unwrap_or_default().since(&prefetched)),
            seconds,
            memory_bytes: cache.memory_bytes() as u64,
            resident: cache.len() as u64,
            windows: course.windows,
        })
    }
}
