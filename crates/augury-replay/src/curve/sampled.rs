//! Miss ratios of any policy from a sample of a trace: miniature simulation.
//!
//! Waldspurger, Saemundsson, Ahmad and Park, "Cache modeling and optimization using miniature
//! simulations", USENIX ATC 2017: objects are sampled by hash, and a cache of the capacity times the
//! sampling ratio replays their requests. A tenth of the objects takes about a tenth of the time.
//!
//! What errs in such samples is mostly whether a few popular objects are in them. They are hits in
//! every cache, so what is taken from the sample is only the *difference* to LRU, replayed beside it
//! in a cache of the same size; LRU's own miss ratio comes exactly from [`super::lru_curve`] (a
//! control variate). Where there is none (TTLs, conditional writes) the plain share is taken.
//!
//! The error is told with it: objects fall into [`GROUPS`] groups by hash, and how much the groups
//! differ says how much another sample would have (the random groups of survey sampling: Wolter,
//! "Introduction to variance estimation", 1985). It does not tell what a policy loses by being small:
//! learning goes by requests, of which a miniature cache sees fewer.

use augury_core::hash::{mix, reduce};
use augury_core::policy::Policy;
use augury_core::policy::eviction::lru::Lru;

use crate::replay::{Drive, PolicyName, ReplayError, WithPolicy};
use crate::trace::{CHUNK, DecodedTrace, Request, TraceSource};

/// Groups of objects that are compared for the error.
const GROUPS: usize = 32;
/// Requests between two words of progress.
const TOLD_EVERY: usize = 64 * CHUNK;
/// Other bits than those by which shadows sample inside a replay.
const SALT: u64 = 0x5EED_0F5A_3B1E_C0DE;

/// The requests for a share of a trace's objects.
#[derive(Debug, Clone)]
pub struct TraceSample {
    trace: DecodedTrace,
    ratio: f64,
    /// Reads of the whole trace.
    reads: u64,
}

/// What a sample says about one policy at one capacity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampledPoint {
    /// The object miss ratio that a replay of the whole trace would have.
    pub object_miss_ratio: f64,
    /// Its standard error, as far as it comes from sampling.
    pub standard_error: f64,
}

fn hash_of(key: u64) -> u64 {
    mix(mix(key) ^ SALT)
}

fn is_sampled(key: u64, ratio: f64) -> bool {
    f64::from((hash_of(key) >> 32) as u32) < ratio * (1_u64 << 32) as f64
}

impl TraceSample {
    /// A share (above 0, at most 1) of the objects of a trace in memory.
    pub fn of(trace: &DecodedTrace, ratio: f64) -> Self {
        let sampled = trace.requests.iter().filter(|request| is_sampled(request.key, ratio));
        let reads = trace.requests.iter().filter(|request| request.op.is_read()).count();
        Self::new(trace.name.clone(), sampled.copied().collect(), ratio, reads as u64)
    }

    /// The same while a trace is read. `progress` is as in [`crate::replay::run_cell`].
    pub fn of_stream(
        source: &TraceSource,
        ratio: f64,
        progress: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Self, ReplayError> {
        let mut reader = source.open()?;
        let (mut chunk, mut sampled) = (Vec::with_capacity(CHUNK), Vec::new());
        let (mut reads, mut done) = (0, 0);
        while reader.next_chunk(&mut chunk)? > 0 {
            reads += chunk.iter().filter(|request| request.op.is_read()).count() as u64;
            sampled.extend(chunk.iter().filter(|request| is_sampled(request.key, ratio)));
            done += chunk.len() as u64;
            if !progress(done) {
                return Err(ReplayError::Stopped);
            }
        }
        Ok(Self::new(source.name(), sampled, ratio, reads))
    }

    fn new(name: String, mut sampled: Vec<Request>, ratio: f64, reads: u64) -> Self {
        // Places in the whole trace mean nothing in the sample.
        sampled.iter_mut().for_each(|request| request.next = None);
        TraceSample { trace: DecodedTrace::from_requests(name, sampled), ratio, reads }
    }

    /// The share of the objects that was asked for.
    pub fn ratio(&self) -> f64 {
        self.ratio
    }

    /// Requests in the sample.
    pub fn requests(&self) -> usize {
        self.trace.requests.len()
    }

    /// What a policy would miss at a capacity of the whole trace, given what LRU misses there, where
    /// that is known. `progress` is told of requests of the sample.
    pub fn point(
        &self,
        policy: PolicyName,
        capacity: u64,
        seed: u64,
        lru: Option<f64>,
        progress: &mut dyn FnMut(u64) -> bool,
    ) -> Result<SampledPoint, ReplayError> {
        let capacity = ((capacity as f64 * self.ratio).round() as u64).max(1);
        let miniature = Miniature { requests: &self.trace.requests, capacity, progress };
        let groups = policy.build(seed, miniature)?;
        Ok(match lru {
            Some(exact) => self.beside(&groups, exact),
            None => plain(&groups),
        })
    }

    /// LRU's miss ratio and the difference in the sample.
    fn beside(&self, groups: &[Group; GROUPS], exact: f64) -> SampledPoint {
        let expected = (self.reads as f64 * self.ratio).max(1.0);
        let differences = groups.map(|group| group.misses - group.lru_misses);
        let difference: f64 = differences.iter().sum();
        SampledPoint {
            object_miss_ratio: (exact + difference / expected).clamp(0.0, 1.0),
            standard_error: spread(&differences) * (1.0 - self.ratio).sqrt() / expected,
        }
    }
}

/// The share of the sampled reads that missed.
fn plain(groups: &[Group; GROUPS]) -> SampledPoint {
    let reads = groups.iter().map(|group| group.reads).sum::<f64>().max(1.0);
    let object_miss_ratio = groups.iter().map(|group| group.misses).sum::<f64>() / reads;
    let residuals = groups.map(|group| group.misses - object_miss_ratio * group.reads);
    SampledPoint { object_miss_ratio, standard_error: spread(&residuals) / reads }
}

/// Standard deviation of the sum of as many groups like these.
fn spread(sums: &[f64; GROUPS]) -> f64 {
    let mean = sums.iter().sum::<f64>() / GROUPS as f64;
    let squares: f64 = sums.iter().map(|sum| (sum - mean).powi(2)).sum();
    (squares * GROUPS as f64 / (GROUPS - 1) as f64).sqrt()
}

/// What a group of objects came to.
#[derive(Debug, Clone, Copy, Default)]
struct Group {
    reads: f64,
    misses: f64,
    lru_misses: f64,
}

/// A replay of the sample beside LRU's, waiting for the type of its policy.
struct Miniature<'a> {
    requests: &'a [Request],
    capacity: u64,
    progress: &'a mut dyn FnMut(u64) -> bool,
}

impl WithPolicy for Miniature<'_> {
    type Output = Result<[Group; GROUPS], ReplayError>;

    fn with<P: Policy>(self, policy: P) -> Self::Output {
        let mut cache = Drive::new(self.capacity, policy);
        let mut lru = Drive::new(self.capacity, Lru::default());
        let mut groups = [Group::default(); GROUPS];
        let mut done = 0;
        for chunk in self.requests.chunks(TOLD_EVERY) {
            for request in chunk {
                let before = (cache.stats().misses, lru.stats().misses);
                cache.request(request);
                lru.request(request);
                let at = reduce(hash_of(request.key) as u32, GROUPS as u32) as usize;
                groups[at].reads += f64::from(u8::from(request.op.is_read()));
                groups[at].misses += (cache.stats().misses - before.0) as f64;
                groups[at].lru_misses += (lru.stats().misses - before.1) as f64;
            }
            done += chunk.len() as u64;
            if !(self.progress)(done) {
                return Err(ReplayError::Stopped);
            }
        }
        Ok(groups)
    }
}
