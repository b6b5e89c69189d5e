//! Samples of a trace: a whole one is a replay, a part of it near one, with an error that is right.

use augury_replay::curve::{TraceSample, lru_curve};
use augury_replay::replay::{Capacity, CellSpec, PolicyName, run_cell};
use augury_replay::trace::{DecodedTrace, SourceOptions, TraceSource};

fn trace(name: &str) -> (TraceSource, DecodedTrace) {
    let source = TraceSource::new(name, SourceOptions::default()).expect("it is a workload");
    let trace = DecodedTrace::load(&source).expect("it is made");
    (source, trace)
}

fn replayed(trace: &DecodedTrace, policy: PolicyName, capacity: u64) -> f64 {
    let spec = CellSpec::new(policy, Capacity::Absolute(capacity), 1);
    let cell = run_cell(trace, trace.objects(), &spec, &mut |_| true).expect("it runs");
    cell.object_miss_ratio()
}

#[test]
fn a_sample_of_everything_is_a_replay() {
    let (_, trace) = trace("synthetic:web?n=20000");
    let whole = TraceSample::of(&trace, 1.0);
    assert_eq!(trace.requests.len(), whole.requests());
    let capacity = trace.footprint() / 20;
    for policy in [PolicyName::Auto, PolicyName::Lru, PolicyName::BeladySize] {
        let exact = replayed(&trace, policy, capacity);
        let lru = replayed(&trace, PolicyName::Lru, capacity);
        for known in [None, Some(lru)] {
            let point = whole.point(policy, capacity, 1, known, &mut |_| true).expect("it runs");
            assert!((exact - point.object_miss_ratio).abs() < 1e-12, "{policy}");
            assert_eq!(known.is_none(), point.standard_error > 0.0);
        }
    }
}

#[test]
fn streamed_and_decoded_samples_are_the_same() {
    let (source, trace) = trace("synthetic:zipf-drift?n=30000");
    let decoded = TraceSample::of(&trace, 0.25);
    let streamed = TraceSample::of_stream(&source, 0.25, &mut |_| true).expect("it is read");
    assert_eq!(decoded.requests(), streamed.requests());
    let point = |sample: &TraceSample| {
        sample.point(PolicyName::Belady, 500, 1, None, &mut |_| true).expect("it runs")
    };
    assert_eq!(point(&decoded), point(&streamed));
}

#[test]
fn beside_lru_a_sample_is_nearer_than_by_itself() {
    let (_, trace) = trace("synthetic:zipf-drift?n=300000&objects=60000");
    let capacity = 6_000;
    let curve = lru_curve(&trace, &[capacity], &mut |_| true).expect("it is made");
    let lru = curve.object_miss_ratio(&curve.points[0]);
    let sample = TraceSample::of(&trace, 0.25);
    for policy in [PolicyName::Sieve, PolicyName::S3Fifo] {
        let exact = replayed(&trace, policy, capacity);
        let [alone, beside] = [None, Some(lru)]
            .map(|lru| sample.point(policy, capacity, 1, lru, &mut |_| true).expect("it runs"));
        assert!(beside.standard_error < alone.standard_error / 2.0, "{beside:?}, {alone:?}");
        let error = (beside.object_miss_ratio - exact).abs();
        assert!(error < 4.0 * beside.standard_error, "{policy}: {error} of {beside:?}");
    }
}

#[test]
fn a_sample_stops_when_told_to() {
    let (_, trace) = trace("synthetic:loop?n=30000");
    let sample = TraceSample::of(&trace, 0.5);
    assert!(sample.point(PolicyName::Auto, 100, 1, None, &mut |_| false).is_err());
}
