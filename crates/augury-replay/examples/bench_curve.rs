//! The live curve beside replays: `bench_curve FILE CAPACITY [POLICY]`.
//!
//! Replays the trace at half, one, two and four times the capacity under the policy and under LRU, and
//! beside the one at the capacity itself runs the curve of the core. At twenty moments the curve is
//! compared with what the replays have missed, weighted over time as the curve weights. Prints one
//! JSON object: mean absolute errors of the policy's points and of LRU's, nanoseconds per observed
//! request, bytes.

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use augury_core::curve::{MissRatioCurve, SCALES};
use augury_core::hash::mix;
use augury_core::policy::Policy;
use augury_replay::replay::{Drive, PolicyName, WithPolicy};
use augury_replay::trace::{DecodedTrace, Request, SourceOptions, TraceSource};

/// Moments at which the curve is compared.
const MOMENTS: usize = 20;

/// Whether each read missed.
struct Outcomes<'a> {
    requests: &'a [Request],
    capacity: u64,
}

impl WithPolicy for Outcomes<'_> {
    type Output = Vec<bool>;

    fn with<P: Policy>(self, policy: P) -> Vec<bool> {
        let mut cache = Drive::new(self.capacity, policy);
        let outcome = |request: &Request| {
            let before = cache.stats().misses;
            cache.request(request);
            cache.stats().misses > before
        };
        self.requests.iter().map(outcome).collect()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (file, capacity, policy) = match arguments.as_slice() {
        [file, capacity] => (file, capacity, "auto"),
        [file, capacity, policy] => (file, capacity, policy.as_str()),
        _ => return Err("usage: bench_curve FILE CAPACITY [POLICY]".into()),
    };
    let trace = DecodedTrace::load(&TraceSource::new(file, SourceOptions::default())?)?;
    let capacity: u64 = capacity.parse()?;
    let policy: PolicyName = policy.parse()?;
    let run = |policy: PolicyName, scale: f64| {
        let capacity = ((capacity as f64 * scale) as u64).max(1);
        policy.build(1, Outcomes { requests: &trace.requests, capacity })
    };
    let own = SCALES.map(|scale| run(policy, scale));
    let lru = SCALES.map(|scale| run(PolicyName::Lru, scale));

    let mut curve = MissRatioCurve::new(capacity);
    let mut counted = Counted::default();
    let (mut errors, mut worst, mut moments) = ([[0.0; 4]; 2], [0.0_f64; 2], 0);
    let every = (trace.requests.len() / MOMENTS).max(1);
    for (at, request) in trace.requests.iter().enumerate() {
        let before = curve.requests();
        curve.observe(mix(request.key), request.size, !own[1][at]);
        counted.add(curve.requests() < before, |scale| (own[scale][at], lru[scale][at]));
        if (at + 1).is_multiple_of(every) {
            moments += 1;
            for (scale, point) in curve.points().into_iter().flatten().enumerate() {
                let (exact, exact_lru) = counted.ratios(scale);
                let found = [point.miss_ratio - exact, point.lru_miss_ratio - exact_lru];
                for (which, error) in found.into_iter().enumerate() {
                    errors[which][scale] += error.abs();
                    worst[which] = worst[which].max(error.abs());
                }
            }
        }
    }
    let mean = errors.map(|errors| errors.map(|error| error / f64::from(moments)));
    let points = curve.points().ok_or("nothing was read")?;
    let told = points.map(|point| point.miss_ratio);
    let exact: [f64; 4] = std::array::from_fn(|scale| counted.ratios(scale).0);
    let nanoseconds = timed(&trace.requests, &own[1], capacity);
    println!(
        r#"{{"policy": {:?}, "lru": {:?}, "worst": {worst:?}, "told": {told:?}, "exact": {exact:?}, "ratio": {}, "ns": {nanoseconds}, "bytes": {}}}"#,
        mean[0],
        mean[1],
        curve.sampling_ratio(),
        curve.memory_bytes(),
    );
    Ok(())
}

/// Misses of the replays, halved when the curve halves its counts.
#[derive(Default)]
struct Counted {
    requests: f64,
    misses: [(f64, f64); 4],
}

impl Counted {
    fn add(&mut self, is_halved: bool, missed: impl Fn(usize) -> (bool, bool)) {
        self.requests += 1.0;
        for (scale, misses) in self.misses.iter_mut().enumerate() {
            let (own, lru) = missed(scale);
            misses.0 += f64::from(own);
            misses.1 += f64::from(lru);
        }
        if is_halved {
            self.requests /= 2.0;
            self.misses.iter_mut().for_each(|misses| *misses = (misses.0 / 2.0, misses.1 / 2.0));
        }
    }

    fn ratios(&self, scale: usize) -> (f64, f64) {
        let (own, lru) = self.misses[scale];
        (own / self.requests, lru / self.requests)
    }
}

/// Nanoseconds per request of the curve alone, the best of five runs.
fn timed(requests: &[Request], missed: &[bool], capacity: u64) -> f64 {
    let run = || {
        let mut curve = MissRatioCurve::new(capacity);
        let started = Instant::now();
        for (request, &missed) in requests.iter().zip(missed) {
            curve.observe(mix(request.key), request.size, !missed);
        }
        black_box(&curve);
        started.elapsed().as_nanos() as f64 / requests.len() as f64
    };
    (0..5).map(|_| run()).fold(f64::INFINITY, f64::min)
}
