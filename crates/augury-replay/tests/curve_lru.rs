//! Law: at every capacity the curve has the misses that a replay of `lru` has.

mod shared;

use augury_core::request::Op;
use augury_replay::curve::{CurvePoint, LruCurve, lru_curve, lru_curve_of_stream};
use augury_replay::replay::{Capacity, CellSpec, PolicyName, run_cell};
use augury_replay::trace::{DecodedTrace, Request, SourceOptions, TraceSource};
use proptest::prelude::*;

fn curve(trace: &DecodedTrace, capacities: &[u64]) -> LruCurve {
    lru_curve(trace, capacities, &mut |_| true).unwrap()
}

fn replayed(trace: &DecodedTrace, capacity: u64) -> CurvePoint {
    let spec = CellSpec::new(PolicyName::Lru, Capacity::Absolute(capacity), 1);
    let found = run_cell(trace, trace.objects(), &spec, &mut |_| true).unwrap().stats;
    CurvePoint { capacity, misses: found.misses, missed_bytes: found.missed_bytes }
}

fn assert_equal_to_replays(trace: &DecodedTrace, capacities: &[u64]) {
    let found = curve(trace, capacities);
    assert!(found.is_exact, "{} has a curve", trace.name);
    for point in found.exact() {
        assert_eq!(replayed(trace, point.capacity), *point, "{}", trace.name);
    }
}

/// Shares of the footprint from 0.01% to all of it, and what lies beside.
fn sweep(footprint: u64) -> Vec<u64> {
    let shares = (0..=24).map(|step| 10_f64.powf(f64::from(step) / 6.0 - 4.0));
    let mut capacities: Vec<_> =
        shares.map(|share| ((footprint as f64 * share) as u64).max(1)).collect();
    capacities.extend([1, 2, 3, footprint.saturating_sub(1).max(1), footprint + 1]);
    capacities
}

fn load(source: &str) -> DecodedTrace {
    DecodedTrace::load(&TraceSource::new(source, SourceOptions::default()).unwrap()).unwrap()
}

#[test]
fn synthetic_workloads_with_and_without_sizes() {
    for name in ["loop?n=20000", "zipf-drift?n=50000", "scan?n=50000", "sizes?n=50000"] {
        let trace = load(&format!("synthetic:{name}"));
        assert_equal_to_replays(&trace, &sweep(trace.footprint()));
    }
}

#[test]
fn shared_traces() {
    let Some((folder, traces)) = shared::manifest() else { return };
    let mut sized = 0;
    for trace in traces.iter().filter(|trace| trace["requests"].as_u64() < Some(600_000)) {
        let path = folder.join(trace["file"].as_str().unwrap());
        let trace = load(path.to_str().unwrap());
        sized += u32::from(!trace.unit_sizes);
        let capacities: Vec<_> = sweep(trace.footprint()).into_iter().step_by(4).collect();
        assert_equal_to_replays(&trace, &capacities);
    }
    assert!(sized > 0, "a trace with sizes was among them");
}

#[test]
fn a_stream_and_memory_have_one_curve() {
    let source = TraceSource::new("synthetic:zipf-drift?n=30000", SourceOptions::default());
    let source = source.unwrap();
    let capacities = [10, 100, 1000];
    let streamed = lru_curve_of_stream(&source, &capacities, &mut |_| true).unwrap();
    assert_eq!(curve(&DecodedTrace::load(&source).unwrap(), &capacities), streamed);
}

#[test]
fn ttls_and_conditional_writes_have_no_one_stack() {
    for (op, ttl) in [(Op::Get, 5), (Op::Add, 0), (Op::Replace, 0), (Op::Append, 0)] {
        let request = Request { ttl, op, ..Request::read(1, 1) };
        let trace = DecodedTrace::from_requests("t".into(), vec![request]);
        assert!(!curve(&trace, &[1]).is_exact, "{op:?} {ttl}");
    }
}

#[test]
fn capacities_come_back_sorted_and_once() {
    let trace = load("synthetic:loop?n=1000");
    let capacities: Vec<_> =
        curve(&trace, &[9, 3, 9, 4]).points.iter().map(|point| point.capacity).collect();
    assert_eq!(vec![3, 4, 9], capacities);
}

proptest! {
    /// Deletions, writes and sizes that grow and shrink at any time.
    #[test]
    fn whatever_is_asked(
        requests in prop::collection::vec((0_u64..12, 1_u32..6, 0_u8..8), 1..400),
        unit in any::<bool>(),
    ) {
        let requests = requests.into_iter().map(|(key, size, op)| {
            let op = match op { 0 => Op::Delete, 1 => Op::Set, 2 => Op::Incr, _ => Op::Get };
            let size = if unit { 1 } else { size };
            Request { op, ..Request::read(key, size) }
        });
        let trace = DecodedTrace::from_requests("random".into(), requests.collect());
        assert_equal_to_replays(&trace, &(1..50).collect::<Vec<_>>());
    }
}
