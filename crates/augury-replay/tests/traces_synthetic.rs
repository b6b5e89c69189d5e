//! Laws of the synthetic workloads: same seed, same requests; each has the shape it promises.

use std::collections::{BTreeSet, HashMap};

use augury_core::request::Op;
use augury_replay::synthetic;
use augury_replay::trace::{DecodedTrace, Request, SourceOptions, TraceError, TraceSource};

fn source(workload: &str) -> Result<TraceSource, TraceError> {
    TraceSource::new(&format!("synthetic:{workload}"), SourceOptions::default())
}

fn requests(workload: &str) -> Vec<Request> {
    source(workload).unwrap().open().unwrap().map(Result::unwrap).collect()
}

fn counts(requests: &[Request]) -> HashMap<u64, u64> {
    let mut counts = HashMap::new();
    requests.iter().for_each(|request| *counts.entry(request.key).or_insert(0) += 1);
    counts
}

/// A fingerprint of requests that any change of one of them changes.
fn fingerprint(requests: &[Request]) -> u64 {
    requests.iter().fold(0, |sum: u64, r| {
        let parts = [r.key, r.time, u64::from(r.size), u64::from(r.ttl), r.op as u64];
        parts
            .into_iter()
            .fold(sum, |sum, part| (sum.rotate_left(7) ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    })
}

#[test]
fn the_same_seed_gives_the_same_requests_and_another_seed_others() {
    for shape in synthetic::list() {
        let draw = |seed| fingerprint(&requests(&format!("{}?n=5000&seed={seed}", shape.name)));
        assert_eq!(draw(1), draw(1), "{}", shape.name);
        assert_ne!(draw(1), draw(2), "{}", shape.name);
    }
}

#[test]
fn every_workload_is_as_long_as_asked_with_times_in_order() {
    for shape in synthetic::list() {
        let requests = requests(&format!("{}?n=4999&rate=10", shape.name));
        assert_eq!(4999, requests.len(), "{}", shape.name);
        let last = requests[4998].time;
        if shape.name.starts_with("ttl-") {
            // Each object has its own times, so that the rate is a mean.
            assert!((400..600).contains(&last), "{}: {last}", shape.name);
        } else {
            assert_eq!(499, last, "{}", shape.name);
        }
        assert!(requests.is_sorted_by_key(|request| request.time), "{}", shape.name);
        assert!(requests.iter().all(|request| request.size >= 1), "{}", shape.name);
    }
}

#[test]
fn a_workload_opens_again_from_its_beginning() {
    let web = source("web?n=3000").unwrap();
    assert_eq!("synthetic:web?n=3000", web.name());
    assert!(web.is_repeatable());
    let first = DecodedTrace::load(&web).unwrap();
    assert_eq!(first.requests, DecodedTrace::load(&web).unwrap().requests);
}

#[test]
fn bad_names_and_parameters_are_answered_with_the_good_ones() {
    let message = |workload: &str| source(workload).err().unwrap().to_string();
    for shape in synthetic::list() {
        assert!(message("zip").contains(shape.name));
        assert!(!shape.description.is_empty() && shape.parameters().count() >= 4);
    }
    assert!(message("zipf?colour=red").contains("one of n, seed, rate, objects, alpha"));
    assert!(message("zipf?alpha=-1").contains("a number from 0 to 5"));
    assert!(message("zipf?n=1.5").contains("a whole number from 1"));
    assert!(message("zipf?n").contains("found \"\""));
    assert!(message("zipf?alpha=nan").contains("\"nan\""));
}

#[test]
fn zipf_gives_the_first_rank_its_share() {
    let requests = requests("zipf?n=100000&objects=1000&alpha=1");
    let top = *counts(&requests).values().max().unwrap() as f64 / 1e5;
    let harmonic: f64 = (1..=1000).map(|rank| 1.0 / f64::from(rank)).sum();
    assert!((top * harmonic - 1.0).abs() < 0.05, "share {top}");
}

#[test]
fn drift_brings_new_objects_at_its_rate() {
    let objects = |workload| counts(&requests(workload)).len();
    let (still, drifting) = (
        objects("zipf-drift?n=50000&objects=500&alpha=0.5&every=1000000000"),
        objects("zipf-drift?n=50000&objects=500&alpha=0.5&every=50"),
    );
    assert_eq!(500, still);
    assert!((1350..1500).contains(&drifting), "{drifting} objects, about 1000 of them new");
}

#[test]
fn scans_are_runs_of_neighbouring_blocks() {
    let requests = requests("scan?n=10000&share=0.5&objects=100&blocks=100000&length=1000");
    let mut scanned = counts(&requests).into_iter().filter(|(_, count)| *count == 1);
    let mut blocks: Vec<u64> = scanned.by_ref().map(|(key, _)| key).collect();
    blocks.sort_unstable();
    let neighbours = blocks.windows(2).filter(|pair| pair[1] == pair[0] + 1).count();
    assert!(neighbours > blocks.len() * 9 / 10, "{neighbours} of {}", blocks.len());
}

#[test]
fn a_loop_returns_after_exactly_its_length() {
    let requests = requests("loop?n=1000&objects=300");
    assert!((300..1000).all(|index| requests[index].key == requests[index - 300].key));
    assert_eq!(300, counts(&requests).len());
}

#[test]
fn one_hit_wonders_have_their_share() {
    let requests = requests("one-hit?n=40000&objects=100&alpha=0.5&share=0.25");
    let once = counts(&requests).values().filter(|count| **count == 1).count() as f64;
    assert!((once / 40_000.0 - 0.25).abs() < 0.01, "{once} once");
}

#[test]
fn the_favourites_of_an_hour_return_the_next_day() {
    let requests = requests("daily?n=49000&rate=0.27777777&objects=2400&share=1");
    let keys = |hour: u64| {
        let inside = requests.iter().filter(|request| request.time / 3600 == hour);
        inside.map(|request| request.key).collect::<std::collections::HashSet<_>>()
    };
    let common = |one, other| keys(one).intersection(&keys(other)).count();
    assert_eq!(0, common(3, 4));
    assert!(common(3, 27) > 80);
}

#[test]
fn sessions_return_to_their_own_objects_and_then_never() {
    let requests = requests("sessions?n=60000&users=20&length=40&own=0.7&objects=120&alpha=0.5");
    let mut span: HashMap<u64, (usize, usize, u64)> = HashMap::new();
    for (index, request) in requests.iter().enumerate() {
        let seen = span.entry(request.key).or_insert((index, index, 0));
        (seen.1, seen.2) = (index, seen.2 + 1);
    }
    let own: Vec<_> = span.values().filter(|(first, last, _)| last - first < 12_000).collect();
    let repeated = own.iter().filter(|(.., count)| *count > 1).count();
    assert!(own.len() > 3000 && repeated * 10 > own.len() * 6, "{repeated} of {}", own.len());
}

#[test]
fn shift_changes_its_nature_and_comes_back_to_it() {
    let requests = requests("shift?n=50000&every=10000&objects=4000&alpha=0.8");
    let phase = |number: usize| counts(&requests[number * 10_000..(number + 1) * 10_000]);
    let common = |one, other| {
        let (one, other) = (phase(one), phase(other));
        one.keys().filter(|key| other.contains_key(key)).count()
    };
    // A loop of 1,000 blocks, each ten times; then nothing of it.
    assert!(phase(1).len() == 1000 && phase(1).values().all(|&count| count == 10));
    assert_eq!((0, 0), (common(0, 1), common(1, 2)));
    assert!(common(0, 4) > 1000, "what was popular comes back");
    let scanned = phase(3).values().filter(|&&count| count == 1).count();
    assert!(scanned > 4000, "{scanned} objects of scans");
}

#[test]
fn an_object_keeps_its_size_and_ttl() {
    for workload in [
        "sizes?n=20000&objects=500",
        "ttl?n=20000&objects=500",
        "ttl-bursts?n=20000",
        "web?n=20000",
    ] {
        let mut sizes = HashMap::new();
        let mut ttls = HashMap::new();
        for request in requests(workload) {
            assert_eq!(request.size, *sizes.entry(request.key).or_insert(request.size));
            if request.op != Op::Delete {
                assert_eq!(request.ttl, *ttls.entry(request.key).or_insert(request.ttl));
            }
        }
    }
}

#[test]
fn sessions_are_numbered_and_hours_have_namespaces_of_their_own() {
    let sessions = requests("sessions?n=5000&users=5");
    assert!(sessions.iter().all(|request| request.session > 0 && request.namespace == 0));
    let mut namespaces = HashMap::new();
    for request in requests("daily?n=50000&objects=240&rate=0.5") {
        let namespace = *namespaces.entry(request.key).or_insert(request.namespace);
        assert_eq!(request.namespace, namespace, "an object stays in its namespace");
        let hour = request.time / 3600 % 24;
        assert!(namespace == 25 || u64::from(namespace) == hour + 1);
    }
    assert_eq!((1..=25).collect::<BTreeSet<u16>>(), namespaces.into_values().collect());
}

/// Gaps between an object's requests over their mean: standard deviation, and mean per TTL.
fn paces(workload: &str) -> Vec<(f64, f64)> {
    let mut times: HashMap<u64, (f64, Vec<f64>)> = HashMap::new();
    for request in requests(workload) {
        let of_object = times.entry(request.key).or_insert((f64::from(request.ttl), vec![]));
        of_object.1.push(request.time as f64);
    }
    let paced = times.into_values().filter(|(_, times)| times.len() > 30);
    paced
        .map(|(ttl, times)| {
            let gaps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
            let square = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>();
            ((square / gaps.len() as f64).sqrt() / mean, ttl / mean)
        })
        .collect()
}

#[test]
fn expiring_objects_have_the_paces_and_the_regularity_they_promise() {
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    for (shape, spread) in
        [("ttl-periodic", 0.0..0.1), ("ttl-poisson", 0.85..1.15), ("ttl-bursts", 1.5..9.0)]
    {
        let found = paces(&format!("{shape}?n=200000&objects=300&least=2&most=4&rate=1"));
        assert!(found.len() > 200, "{shape}: {}", found.len());
        let measured = median(found.iter().map(|(spread, _)| *spread).collect());
        assert!(spread.contains(&measured), "{shape}: {measured}");
        if shape != "ttl-bursts" {
            let inside = found.iter().filter(|(_, pace)| (1.7..4.6).contains(pace)).count();
            assert!(inside * 100 >= found.len() * 97, "{shape}: {inside} of {}", found.len());
        }
    }
}
