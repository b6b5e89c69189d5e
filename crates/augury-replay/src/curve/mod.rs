//! Miss ratio curves: of any policy from a sample ([`sampled`]), and here LRU's, exactly, at any
//! number of capacities by one pass over a trace.
//!
//! Mattson, Gecsei, Slutz and Traiger, "Evaluation techniques for storage hierarchies", IBM
//! Systems Journal 1970: a cache under LRU holds what a larger one holds, so an access is a hit in
//! exactly those caches that reach down to the object in the one stack of all. Its depth comes
//! from a Fenwick tree over the accesses (Bennett and Kruskal, "LRU stack processing", IBM Journal
//! of Research and Development 1975) in time logarithmic in the number of objects.
//!
//! Depth is in bytes where sizes differ, and that is exact too: LRU evicts from the bottom until
//! the newcomer fits, so an object is resident as long as it and what was asked for since fit.
//! Deletions and sizes that shrink leave gaps (see `stack`). Exact means equal to a replay of
//! `lru` miss by miss, and holds
//! - at capacities from [`LruCurve::exact_from`] on: a smaller one lets the largest objects
//!   bypass, which the one stack cannot show;
//! - for reads, `set` and `delete` without TTLs. What `add`, `replace` and their like do, and when
//!   an entry expires, depends on what is resident, so there is no one stack. Then
//!   [`LruCurve::is_exact`] is false, and a replay per capacity is the way.
//!
//! Memory: about 80 bytes per object, whatever the length of the trace. It knows no caches.

mod fenwick;
mod sampled;
mod stack;

use augury_core::request::Op;

use crate::replay::ReplayError;
use crate::trace::{CHUNK, DecodedTrace, Request, TraceSource};
pub use sampled::{SampledPoint, TraceSample};
use stack::Stack;

/// Requests between two words of progress.
const TOLD_EVERY: usize = 64 * CHUNK;

/// LRU at one capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurvePoint {
    /// Bytes, or entries for size-1 traces.
    pub capacity: u64,
    /// Accesses that miss.
    pub misses: u64,
    /// Their bytes.
    pub missed_bytes: u64,
}

/// LRU at several capacities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LruCurve {
    /// The capacities asked for, each once, smallest first.
    pub points: Vec<CurvePoint>,
    /// All accesses.
    pub requests: u64,
    /// Their bytes.
    pub requested_bytes: u64,
    /// The size of the largest object: what was found at smaller capacities is too high.
    pub exact_from: u64,
    /// Whether the trace is one whose curve a stack can tell; if not, the points mean nothing.
    pub is_exact: bool,
}

impl LruCurve {
    /// The points that equal a replay.
    pub fn exact(&self) -> impl Iterator<Item = &CurvePoint> {
        self.points.iter().filter(|point| self.is_exact && point.capacity >= self.exact_from)
    }

    /// Misses per access at a point; 0 where nothing was read.
    pub fn object_miss_ratio(&self, point: &CurvePoint) -> f64 {
        if self.requests == 0 { 0.0 } else { point.misses as f64 / self.requests as f64 }
    }
}

/// The curve of a trace decoded in memory. `progress` is as in [`crate::replay::run_cell`].
pub fn lru_curve(
    trace: &DecodedTrace,
    capacities: &[u64],
    progress: &mut dyn FnMut(u64) -> bool,
) -> Result<LruCurve, ReplayError> {
    let mut pass = Pass::new(capacities);
    for chunk in trace.requests.chunks(TOLD_EVERY) {
        if !pass.feed(chunk) {
            break;
        }
        if !progress(pass.done) {
            return Err(ReplayError::Stopped);
        }
    }
    Ok(pass.finish())
}

/// The curve of a trace while it is read.
pub fn lru_curve_of_stream(
    source: &TraceSource,
    capacities: &[u64],
    progress: &mut dyn FnMut(u64) -> bool,
) -> Result<LruCurve, ReplayError> {
    let mut pass = Pass::new(capacities);
    let mut reader = source.open()?;
    let mut chunk = Vec::with_capacity(CHUNK);
    while reader.next_chunk(&mut chunk)? > 0 && pass.feed(&chunk) {
        if pass.done.is_multiple_of(TOLD_EVERY as u64) && !progress(pass.done) {
            return Err(ReplayError::Stopped);
        }
    }
    progress(pass.done);
    Ok(pass.finish())
}

/// One pass. Accesses are counted at the smallest capacity that hits them, and summed at the end.
struct Pass {
    stack: Stack,
    /// Capacity, and the accesses and bytes that are hits from it on.
    hits_from: Vec<(u64, u64, u64)>,
    requests: u64,
    requested_bytes: u64,
    largest: u32,
    is_exact: bool,
    done: u64,
}

impl Pass {
    fn new(capacities: &[u64]) -> Self {
        let mut hits_from: Vec<_> = capacities.iter().map(|&capacity| (capacity, 0, 0)).collect();
        hits_from.sort_unstable();
        hits_from.dedup();
        Pass {
            stack: Stack::default(),
            hits_from,
            requests: 0,
            requested_bytes: 0,
            largest: 0,
            is_exact: true,
            done: 0,
        }
    }

    /// Whether the trace is still one that a stack can tell about.
    fn feed(&mut self, requests: &[Request]) -> bool {
        for request in requests {
            self.is_exact &= request.ttl == 0;
            self.largest = self.largest.max(request.size);
            match request.op {
                Op::Delete => self.stack.remove(request.key),
                op if op.is_read() => self.read(request),
                Op::Set => self.stack.push(request.key, request.size),
                _ => self.is_exact = false,
            }
        }
        self.done += requests.len() as u64;
        self.is_exact
    }

    fn read(&mut self, request: &Request) {
        let bytes = u64::from(request.size);
        self.requests += 1;
        self.requested_bytes += bytes;
        if let Some(depth) = self.stack.depth(request.key) {
            let first = self.hits_from.partition_point(|&(capacity, ..)| capacity < depth);
            if let Some((_, count, sum)) = self.hits_from.get_mut(first) {
                *count += 1;
                *sum += bytes;
            }
        }
        self.stack.push(request.key, request.size);
    }

    fn finish(self) -> LruCurve {
        let (mut misses, mut missed_bytes) = (self.requests, self.requested_bytes);
        let points = self
            .hits_from
            .into_iter()
            .map(|(capacity, hits, hit_bytes)| {
                misses -= hits;
                missed_bytes -= hit_bytes;
                CurvePoint { capacity, misses, missed_bytes }
            })
            .collect();
        LruCurve {
            points,
            requests: self.requests,
            requested_bytes: self.requested_bytes,
            exact_from: u64::from(self.largest),
            is_exact: self.is_exact,
        }
    }
}
