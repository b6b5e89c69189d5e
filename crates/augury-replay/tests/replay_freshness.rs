//! Laws of refresh-ahead on traces whose objects expire.

use augury_core::request::Op;
use augury_replay::freshness::{Contender, Outcome, Timeline, ttl_by_rule};
use augury_replay::trace::{DecodedTrace, Request, SourceOptions, TraceSource};

const OTHERS: [(&str, f64); 4] =
    [("xfetch", 20.0), ("most-recent", 0.5), ("rates", 2.0), ("clairvoyant", 1.0)];

fn timeline(workload: &str) -> Timeline {
    let source = TraceSource::new(&format!("synthetic:{workload}"), SourceOptions::default());
    Timeline::new(&DecodedTrace::load(&source.unwrap()).unwrap())
}

fn run(timeline: &Timeline, name: &str, parameter: f64) -> Outcome {
    timeline.run(Contender::new(name, parameter).unwrap(), &mut |_| true).unwrap()
}

/// Requests for one object with a TTL of 10 seconds.
fn object(steps: &[(u64, Op)]) -> Timeline {
    let request = |&(time, op)| Request { time, op, ttl: 10, ..Request::read(7, 1) };
    Timeline::new(&DecodedTrace::from_requests(
        "by hand".into(),
        steps.iter().map(request).collect(),
    ))
}

fn reads(times: &[u64]) -> Timeline {
    object(&times.iter().map(|&time| (time, Op::Get)).collect::<Vec<_>>())
}

fn counts(outcome: Outcome) -> [u64; 4] {
    [outcome.reads, outcome.compulsory, outcome.expired, outcome.refreshes]
}

#[test]
fn an_entry_is_fresh_for_its_ttl_and_no_longer() {
    let found = run(&reads(&[0, 9, 10, 19, 45]), "nothing", 0.0);
    assert_eq!([5, 1, 2, 0], counts(found));
    assert_eq!(3, found.loads());
}

#[test]
fn writes_make_fresh_and_deletes_make_new() {
    let steps = [(0, Op::Set), (9, Op::Get), (9, Op::Delete), (9, Op::Get), (12, Op::Set)];
    let steps = [&steps[..], &[(20, Op::Get), (22, Op::Get)]].concat();
    for (name, parameter) in [("nothing", 0.0), ("planned", 0.0)] {
        assert_eq!([4, 1, 1, 0], counts(run(&object(&steps), name, parameter)), "{name}");
    }
}

#[test]
fn the_most_recent_are_reloaded_at_their_deadlines_until_they_are_not() {
    // Read at 8, reloaded at 10; at 20 the latest read is 12 seconds old.
    let timeline = reads(&[0, 8, 25]);
    assert_eq!([3, 1, 1, 1], counts(run(&timeline, "most-recent", 1.1)));
    assert_eq!([3, 1, 0, 2], counts(run(&timeline, "most-recent", 1.2)));
}

#[test]
fn the_clairvoyant_reloads_what_is_read_in_time_and_nothing_else() {
    let timeline = reads(&[0, 15, 50]);
    assert_eq!([3, 1, 1, 1], counts(run(&timeline, "clairvoyant", 1.0)));
    assert_eq!([3, 1, 2, 0], counts(run(&timeline, "clairvoyant", 0.4)));
}

#[test]
fn reloads_after_the_last_read_are_counted() {
    let mut requests: Vec<Request> =
        [0, 1].map(|time| Request { time, ttl: 10, ..Request::read(7, 1) }).into();
    requests.push(Request { time: 100, ttl: 10, ..Request::read(8, 1) });
    let timeline = Timeline::new(&DecodedTrace::from_requests("by hand".into(), requests));
    assert_eq!([3, 2, 0, 10], counts(run(&timeline, "most-recent", 1e9)));
}

#[test]
fn nobody_changes_what_is_asked_for_or_was_never_there() {
    for shape in ["ttl-periodic", "ttl-poisson", "ttl-bursts", "ttl"] {
        let timeline = timeline(&format!("{shape}?n=50000"));
        let nothing = run(&timeline, "nothing", 0.0);
        assert_eq!(nothing, run(&timeline, "planned", 0.0), "{shape}");
        for (name, parameter) in OTHERS.into_iter().chain([("planned", 0.3)]) {
            let found = run(&timeline, name, parameter);
            assert_eq!(nothing.reads, found.reads, "{shape}, {name}");
            assert_eq!(nothing.compulsory, found.compulsory, "{shape}, {name}");
            assert!(found.expired <= nothing.expired, "{shape}, {name}");
            assert!(found.loads() >= nothing.loads() * 95 / 100, "{shape}, {name}");
        }
    }
}

/// Removed expiry misses and extra loads.
fn against(nothing: Outcome, found: Outcome) -> (f64, f64) {
    (
        1.0 - found.expired as f64 / nothing.expired as f64,
        found.loads() as f64 / nothing.loads() as f64 - 1.0,
    )
}

#[test]
fn the_planner_keeps_its_budget_and_removes_more_than_what_programs_have() {
    let floors = [("ttl-periodic", 0.9), ("ttl-poisson", 0.6), ("ttl-bursts", 0.4)];
    for (shape, floor) in floors {
        let timeline = timeline(&format!("{shape}?n=400000&objects=800"));
        let nothing = run(&timeline, "nothing", 0.0);
        let (removed, extra) = against(nothing, run(&timeline, "planned", 0.1));
        assert!(extra < 0.105, "{shape}: {extra:.3} extra");
        assert!(removed > floor, "{shape}: {removed:.3} removed");
        for (name, parameters) in [
            ("xfetch", [2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 15.0]),
            ("most-recent", [0.05, 0.1, 0.15, 0.2, 0.22, 0.25, 0.3]),
        ] {
            for parameter in parameters {
                let found = against(nothing, run(&timeline, name, parameter));
                let is_below = found.1 > extra || found.0 < removed;
                assert!(is_below, "{shape}: {name} {parameter} {found:.3?} above {removed:.3}");
            }
        }
    }
}

#[test]
fn ttls_of_traces_without_any_follow_from_the_object() {
    let found: std::collections::BTreeSet<u32> = (0..100).map(ttl_by_rule).collect();
    assert_eq!([60, 300, 3_600], found.into_iter().collect::<Vec<_>>()[..]);
    assert_eq!(ttl_by_rule(42), ttl_by_rule(42));
}

#[test]
fn bad_contenders_are_named_with_the_way_out() {
    let message = |name, parameter| Contender::new(name, parameter).unwrap_err().to_string();
    assert!(message("lru", 1.0).contains("\"lru\"; there are nothing, planned, xfetch"));
    for parameter in [-1.0, f64::NAN, f64::INFINITY] {
        let found = message("planned", parameter);
        assert!(found.contains(&parameter.to_string()), "{found}");
        assert!(found.contains("from 0 to 1e9"), "{found}");
    }
}

#[test]
fn a_run_can_be_stopped() {
    let timeline = timeline("ttl-poisson?n=1000");
    for (name, parameter) in [("planned", 0.1), ("nothing", 0.0)] {
        let contender = Contender::new(name, parameter).unwrap();
        assert_eq!(
            "the replay was stopped",
            timeline.run(contender, &mut |_| false).unwrap_err().to_string()
        );
    }
}
