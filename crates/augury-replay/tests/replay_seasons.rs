//! Seasons in whole replays: a daily rhythm is used, and where there is none nothing changes.

use augury_core::metrics::Stats;
use augury_replay::replay::{Capacity, CellSpec, PolicyName, run_cell};
use augury_replay::trace::{DecodedTrace, SourceOptions, TraceSource};

fn synthetic(workload: &str) -> DecodedTrace {
    let source = TraceSource::new(&format!("synthetic:{workload}"), SourceOptions::default());
    DecodedTrace::load(&source.unwrap()).unwrap()
}

fn replay(trace: &DecodedTrace, policy: PolicyName, capacity: f64) -> Stats {
    let spec = CellSpec::new(policy, Capacity::Fraction(capacity), 1);
    run_cell(trace, trace.objects(), &spec, &mut |_| true).unwrap().stats
}

#[test]
fn a_daily_rhythm_lowers_the_miss_ratio() {
    let trace = synthetic("daily?n=700000&objects=30000&rate=1.75");
    for (capacity, least) in [(0.01, 0.015), (0.1, 0.005)] {
        let misses = |policy| replay(&trace, policy, capacity).misses as f64;
        let with = misses(PolicyName::Auto);
        let gain = (misses(PolicyName::AutoUnseasonal) - with) / trace.requests.len() as f64;
        assert!(gain > least, "{gain:.4} at {capacity}");
    }
}

#[test]
fn without_a_rhythm_every_request_ends_as_before() {
    // Four days of each, so that a rhythm could be found.
    for workload in ["zipf?rate=0.6", "scan?rate=0.6", "web?rate=0.6"] {
        let trace = synthetic(&format!("{workload}&n=200000"));
        let of = |policy| replay(&trace, policy, 0.02);
        assert_eq!(of(PolicyName::AutoUnseasonal), of(PolicyName::Auto), "{workload}");
    }
}
