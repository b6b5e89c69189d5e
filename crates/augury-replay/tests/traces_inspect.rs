//! Laws of `inspect`: its numbers are the manifest's, and its verdict knows independent requests
//! from those with memory.

mod shared;

use augury_replay::inspect::{Inspection, Verdict, inspect};
use augury_replay::trace::{SourceOptions, TraceSource};

fn inspected(path: &str) -> Inspection {
    inspect(&TraceSource::new(path, SourceOptions::default()).unwrap()).unwrap()
}

#[track_caller]
fn assert_rounded(expected: &serde_json::Value, found: f64, digits: i32, what: &str) {
    let expected = expected.as_f64().unwrap();
    let unit = 10_f64.powi(-digits);
    assert!((expected - found).abs() <= 0.5001 * unit, "{what}: {found}, expected {expected}");
}

#[test]
fn every_number_of_the_manifest_is_reproduced() {
    let Some((folder, traces)) = shared::manifest() else { return };
    for trace in traces {
        let name = trace["name"].as_str().unwrap();
        let found = inspected(folder.join(trace["file"].as_str().unwrap()).to_str().unwrap());
        assert_eq!(trace["requests"], found.requests, "requests of {name}");
        assert_eq!(trace["unique_objects"], found.objects, "objects of {name}");
        assert_eq!(trace["footprint_bytes"], found.footprint_bytes, "footprint of {name}");
        for (field, value, digits) in [
            ("one_hit_wonder_ratio", found.one_hit_wonder_ratio, 4),
            ("compulsory_miss_ratio", found.compulsory_miss_ratio, 4),
            ("mean_object_size", found.mean_object_size, 1),
            ("mean_request_size", found.mean_request_size, 1),
        ] {
            assert_rounded(&trace[field], value, digits, &format!("{field} of {name}"));
        }
        let popularity = &found.popularity;
        for (field, value, digits) in [
            ("zipf_alpha_fit", popularity.zipf_alpha, 3),
            ("top_object_share", popularity.top_object_share, 4),
            ("top_1pct_share", popularity.top_1pct_share, 4),
            ("top_10pct_share", popularity.top_10pct_share, 4),
        ] {
            assert_rounded(&trace["skew"][field], value, digits, &format!("{field} of {name}"));
        }
        if trace["has_time"] == true {
            assert_eq!(trace["time_span_seconds"], found.time_span_seconds, "span of {name}");
        }
        let reused: u64 = found.reuse_times.iter().map(|octave| octave.count).sum();
        assert_eq!(found.requests - found.objects, reused, "reuse times of {name}");
    }
}

#[test]
fn independent_requests_have_nothing_to_learn_and_loops_and_sessions_much() {
    for (workload, expected) in [
        ("zipf?n=150000", Verdict::Nothing),
        ("zipf?n=150000&alpha=0&objects=20000", Verdict::Nothing),
        ("zipf?n=150000&alpha=1.2", Verdict::Nothing),
        ("one-hit?n=150000", Verdict::Nothing),
        ("loop?n=150000&objects=5000", Verdict::Much),
        ("sessions?n=300000", Verdict::Much),
    ] {
        let found = inspected(&format!("synthetic:{workload}")).predictability.unwrap();
        assert_eq!(expected, found.verdict, "{workload}: skill {}", found.skill);
    }
}

#[test]
fn a_trace_too_short_to_tell_has_no_verdict() {
    assert_eq!(None, inspected("synthetic:zipf?n=900").predictability);
}

#[test]
fn operations_ttls_and_sizes_are_counted() {
    let found = inspected("synthetic:ttl?n=20000");
    assert_eq!(20_000, found.reads + found.writes + found.deletes);
    assert_eq!(found.reads, found.operations["get"]);
    assert_eq!(found.requests - found.deletes, found.requests_with_ttl);
    assert!((0.08..0.12).contains(&(found.writes as f64 / 20_000.0)));
    assert_eq!(found.objects, found.object_sizes.iter().map(|octave| octave.count).sum::<u64>());
    let text = serde_json::to_value(&found).unwrap();
    assert_eq!("nothing to learn", text["predictability"]["verdict"]);
}
