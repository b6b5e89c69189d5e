//! What a trace is like: counts, popularity, reuse, sizes, TTLs, and whether it can be learned.
//!
//! One streaming pass ([`inspect`]): requests go through the `census` of distinct objects, into
//! octave histograms and past the `predictability` sampler, and come out as one serializable
//! [`Inspection`]. Counting objects exactly takes about 60 bytes for each; the sampler's window
//! and queues are bounded. Nothing here may know caches: a verdict is about the traffic.

mod census;
mod experts;
mod octaves;
mod popularity;
mod predictability;
mod verdict;

use std::collections::BTreeMap;

use augury_core::request::Op;
use serde::Serialize;

use crate::trace::{Request, Skipped, TraceError, TraceSource};
use census::Census;
use octaves::Octaves;
use predictability::Sampler;

pub use octaves::Octave;
pub use popularity::Popularity;
pub use predictability::HorizonSkill;
pub use verdict::{Predictability, Verdict};

/// Everything that `augury inspect` tells about a trace.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// The trace's name.
    pub trace: String,
    /// All requests.
    pub requests: u64,
    /// Requests that read.
    pub reads: u64,
    /// Requests that store.
    pub writes: u64,
    /// Requests that remove.
    pub deletes: u64,
    /// Requests by operation.
    pub operations: BTreeMap<&'static str, u64>,
    /// Distinct objects.
    pub objects: u64,
    /// Sum over the objects of the last size seen.
    pub footprint_bytes: u64,
    /// Mean of the last sizes, over objects.
    pub mean_object_size: f64,
    /// Mean size over requests.
    pub mean_request_size: f64,
    /// Whether every size is 1: the trace has no sizes, capacities count entries.
    pub unit_sizes: bool,
    /// Share of the objects requested once.
    pub one_hit_wonder_ratio: f64,
    /// Objects over requests: the lowest miss ratio without prefetching.
    pub compulsory_miss_ratio: f64,
    /// How unequally requests fall on objects.
    pub popularity: Popularity,
    /// Requests between two requests for the same object.
    pub reuse_times: Vec<Octave>,
    /// Last sizes of the objects in bytes.
    pub object_sizes: Vec<Octave>,
    /// Requests that carry a TTL.
    pub requests_with_ttl: u64,
    /// Those TTLs in seconds.
    pub ttls: Vec<Octave>,
    /// Time of the first request in seconds.
    pub first_time: u64,
    /// Seconds from the first request to the last.
    pub time_span_seconds: u64,
    /// Whether there is anything to learn; `None` where the trace is too short to tell.
    pub predictability: Option<Predictability>,
    /// Bad records left out, by kind.
    pub skipped: BTreeMap<&'static str, u64>,
}

/// Reads a trace once and tells what it is like.
pub fn inspect(source: &TraceSource) -> Result<Inspection, TraceError> {
    let mut pass = Pass::new();
    let mut reader = source.open()?;
    reader.for_each_chunk(|chunk| chunk.iter().for_each(|request| pass.take(request)))?;
    Ok(pass.finish(source.name(), &reader.skipped()))
}

/// The pass over the requests.
struct Pass {
    requests: u64,
    operations: [u64; Op::ALL.len()],
    bytes: u64,
    unit_sizes: bool,
    census: Census,
    reuse_times: Octaves,
    ttls: Octaves,
    requests_with_ttl: u64,
    times: Option<(u64, u64)>,
    sampler: Sampler,
}

impl Pass {
    fn new() -> Self {
        Pass {
            requests: 0,
            operations: [0; Op::ALL.len()],
            bytes: 0,
            unit_sizes: true,
            census: Census::default(),
            reuse_times: Octaves::new(),
            ttls: Octaves::new(),
            requests_with_ttl: 0,
            times: None,
            sampler: Sampler::new(),
        }
    }

    fn take(&mut self, request: &Request) {
        self.operations[request.op as usize] += 1;
        self.bytes += u64::from(request.size);
        self.unit_sizes &= request.size == 1;
        let (object, reuse_time) = self.census.count(request.key, request.size, self.requests);
        if let Some(reuse_time) = reuse_time {
            self.reuse_times.add(reuse_time);
        }
        self.sampler.observe(self.requests, object, &self.census);
        if request.ttl > 0 {
            self.requests_with_ttl += 1;
            self.ttls.add(u64::from(request.ttl));
        }
        let first = self.times.map_or(request.time, |(first, _)| first);
        self.times = Some((first, request.time));
        self.requests += 1;
    }

    fn operations(&self, counted: impl Fn(Op) -> bool) -> u64 {
        let counts = Op::ALL.into_iter().zip(self.operations);
        counts.filter(|(op, _)| counted(*op)).map(|(_, count)| count).sum()
    }

    fn finish(self, trace: String, skipped: &Skipped) -> Inspection {
        let seen = self.census.objects();
        let objects = seen.len() as u64;
        let share = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
        let footprint_bytes = seen.iter().map(|object| u64::from(object.size)).sum();
        let once = seen.iter().filter(|object| object.count == 1).count() as u64;
        let mut object_sizes = Octaves::new();
        seen.iter().for_each(|object| object_sizes.add(u64::from(object.size)));
        let (first_time, last_time) = self.times.unwrap_or_default();
        let named = Op::ALL.into_iter().zip(self.operations).filter(|(_, count)| *count > 0);
        Inspection {
            trace,
            requests: self.requests,
            reads: self.operations(Op::is_read),
            writes: self.operations(|op| !op.is_read() && !op.is_delete()),
            deletes: self.operations(Op::is_delete),
            operations: named.map(|(op, count)| (op.name(), count)).collect(),
            objects,
            footprint_bytes,
            mean_object_size: share(footprint_bytes, objects),
            mean_request_size: share(self.bytes, self.requests),
            unit_sizes: self.unit_sizes,
            one_hit_wonder_ratio: share(once, objects),
            compulsory_miss_ratio: share(objects, self.requests),
            popularity: Popularity::of_counts(seen.iter().map(|object| object.count).collect()),
            reuse_times: self.reuse_times.listed(),
            object_sizes: object_sizes.listed(),
            requests_with_ttl: self.requests_with_ttl,
            ttls: self.ttls.listed(),
            first_time,
            time_span_seconds: last_time - first_time,
            predictability: Predictability::of(self.sampler.results(self.requests)),
            skipped: skipped.iter().collect(),
        }
    }
}
