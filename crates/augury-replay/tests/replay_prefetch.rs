//! Laws of prefetch in the replay: it wins where something follows something, is silent where
//! nothing does, keeps its budget, and never looks at what it could not know.

use std::collections::HashSet;

use augury_core::hash::mix;
use augury_core::prefetch::predictor::{Attention, Candidates, Predictor};
use augury_core::prefetch::successor::Successor;
use augury_core::prefetch::{Prefetcher, WINDOW};
use augury_core::request::{Access, Op};
use augury_replay::replay::{
    Capacity, CellResult, CellSpec, Drive, PolicyName, PredictorName, PrefetchSpec, run_cell,
};
use augury_replay::trace::{DecodedTrace, Request, SourceOptions, TraceSource};
use proptest::prelude::*;

fn synthetic(workload: &str) -> DecodedTrace {
    let source = TraceSource::new(&format!("synthetic:{workload}"), SourceOptions::default());
    DecodedTrace::load(&source.unwrap()).unwrap()
}

fn replay(trace: &DecodedTrace, policy: PolicyName, prefetch: Option<PrefetchSpec>) -> CellResult {
    let spec = CellSpec { prefetch, ..CellSpec::new(policy, Capacity::Fraction(0.05), 1) };
    run_cell(trace, trace.objects(), &spec, &mut |_| true).unwrap()
}

fn with(budget: f64, predictor: PredictorName) -> Option<PrefetchSpec> {
    Some(PrefetchSpec::new(budget, predictor).unwrap())
}

/// Chains of scrambled objects in a random order of chains: only history tells what follows.
fn chains() -> DecodedTrace {
    let mut random = augury_core::random::Random::new(3);
    let mut requests = Vec::new();
    for _ in 0..20_000 {
        let chain = u64::from(random.below(700));
        requests.extend((0..8).map(|step| Request::read(mix(chain * 8 + step), 1)));
    }
    DecodedTrace::from_requests("chains".into(), requests)
}

#[test]
fn loops_and_chains_are_foreseen_under_every_policy() {
    for trace in [synthetic("loop?n=200000"), chains()] {
        for policy in PolicyName::ALL {
            let plain = replay(&trace, policy, None);
            let ahead = replay(&trace, policy, with(0.1, PredictorName::Successor));
            let used = ahead.prefetch.unwrap().used;
            assert!(ahead.stats.misses * 10 < plain.stats.misses * 6, "{policy} on {}", trace.name);
            assert!(used > plain.stats.misses / 4, "{policy} on {}", trace.name);
            assert_eq!(plain.stats.requests(), ahead.stats.requests());
        }
    }
}

#[test]
fn blocks_never_seen_are_foreseen_by_their_run() {
    let trace = synthetic("scan?n=200000&share=1&length=5000&blocks=1000000000");
    let ahead = replay(&trace, PolicyName::Lru, with(0.1, PredictorName::Successor));
    assert!(ahead.object_miss_ratio() < 0.1, "{}", ahead.object_miss_ratio());
}

#[test]
fn where_nothing_follows_anything_it_is_silent() {
    for workload in ["zipf?n=300000", "one-hit?n=300000", "zipf-drift?n=300000"] {
        let trace = synthetic(workload);
        for predictor in PredictorName::ALL {
            let plain = replay(&trace, PolicyName::Auto, None);
            let ahead = replay(&trace, PolicyName::Auto, with(0.5, predictor));
            let issued = ahead.prefetch.unwrap().issued;
            assert!(issued < 300, "{predictor} issued {issued} on {workload}");
            let excess = ahead.object_miss_ratio() - plain.object_miss_ratio();
            assert!(excess < 0.002, "{predictor}, {excess} on {workload}");
        }
    }
}

#[test]
fn the_budget_holds_in_every_window() {
    // Half of the followers are random: much is predicted wrongly.
    let mut random = augury_core::random::Random::new(5);
    let mut requests: Vec<Request> = Vec::new();
    for _ in 0..60_000 {
        let first = u64::from(random.below(3_000));
        let second = 3_000 + first * 2 + u64::from(random.below(2));
        requests.extend([first, second].map(|key| Request::read(mix(key), 1)));
    }
    for (budget, predictor) in [(0.0, 0), (0.1, 0), (0.5, 0), (0.1, 1)] {
        let spec = with(budget, PredictorName::ALL[predictor]).unwrap();
        let policy = augury_core::policy::eviction::lru::Lru::default();
        let mut cache = Drive::new(400, policy);
        cache.prefetch_from_now(&spec);
        let (mut misses, mut issued, mut used) = (0, 0, 0);
        for window in requests.chunks(WINDOW as usize) {
            cache.feed(window);
            let now = *cache.prefetch_stats().unwrap();
            let demands = (cache.stats().misses - misses + now.used - used) as f64;
            let origin = (cache.stats().misses - misses + now.issued - issued) as f64;
            assert!(origin <= (1.0 + budget) * demands, "{origin} of {demands} at {budget}");
            (misses, issued, used) = (cache.stats().misses, now.issued, now.used);
        }
        assert_eq!(budget > 0.0, issued > 0, "budget {budget}");
    }
}

#[test]
fn a_budget_or_predictor_that_cannot_be_is_named() {
    for budget in [-0.1, f64::NAN, f64::INFINITY, 11.0] {
        let error = PrefetchSpec::new(budget, PredictorName::Successor).unwrap_err();
        assert_eq!("budget", error.code());
        assert!(error.to_string().contains("from 0 to 10"), "{error}");
    }
    let error = "oracle".parse::<PredictorName>().unwrap_err();
    assert!(error.to_string().contains("\"oracle\"") && error.to_string().contains("mithril"));
    for predictor in PredictorName::ALL {
        assert_eq!(predictor, predictor.to_string().parse().unwrap());
    }
}

#[test]
fn a_namespace_in_which_prefetch_fails_is_silenced_alone() {
    let mut random = augury_core::random::Random::new(9);
    let mut prefetcher = Prefetcher::new(1_000, 0.5, Successor::default());
    let mut issued = [0_u64; 3];
    for now in 0..400_000_u64 {
        // Namespace 1 goes round its keys, namespace 2 draws from many keys at random; each is a
        // session of its own.
        let namespace = 1 + (now % 2) as u16;
        let key = match namespace {
            1 => mix(now / 2 % 5_000),
            _ => mix(1_000_000 + u64::from(random.below(20_000))),
        };
        let access = Access::new(mix(key), key, 1, now);
        let access = Access { namespace, session: namespace.into(), ..access };
        // Nothing is ever found staged where the namespace draws at random: all fails there.
        let was_staged = namespace == 1 && prefetcher.is_waiting(access.hash);
        prefetcher.demand(&access, was_staged, |_| false);
        if now > 100_000 {
            for candidate in prefetcher.to_issue() {
                issued[usize::from(candidate.namespace)] += 1;
            }
        }
    }
    assert!(issued[1] > 100_000, "{issued:?}");
    assert!(issued[2] < issued[1] / 20, "{issued:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_traffic_leaves_the_cache_within_its_capacity(
        records in proptest::collection::vec((0..60_u64, 1..40_u32, 0..11_usize, 0..3_u32), 1..3000),
        capacity in 1..400_u64,
        policy in 0..PolicyName::ALL.len(),
        runs in 1..9_u64,
    ) {
        struct Feed<'a>(&'a [Request], u64);
        impl augury_replay::replay::WithPolicy for Feed<'_> {
            type Output = ();
            fn with<P: augury_core::policy::Policy>(self, policy: P) {
                let spec = PrefetchSpec::new(10.0, PredictorName::Successor).unwrap();
                let mut cache = Drive::new(self.1, policy);
    cache.prefetch_from_now(&spec);
                for request in self.0 {
                    cache.feed(std::slice::from_ref(request));
                    assert!(cache.used() <= self.1, "{} of {}", cache.used(), self.1);
                }
                let ahead = *cache.prefetch_stats().unwrap();
                assert!(ahead.used <= ahead.issued);
            }
        }
        let mut requests = Vec::new();
        for (index, (key, size, op, ttl)) in records.into_iter().enumerate() {
            for step in 0..runs {
                let op = if op < 6 { Op::Get } else { Op::ALL[op] };
                let time = index as u64;
                requests.push(Request { op, ttl, time, ..Request::read(key * 10 + step, size) });
            }
        }
        augury_replay::trace::fill_next(&mut requests);
        PolicyName::ALL[policy].build(1, Feed(&requests, capacity));
    }

    #[test]
    fn predictors_hold_bounded_memory_whatever_comes(
        seed in any::<u64>(), spread in 1..64_u32, sessions in any::<bool>(),
    ) {
        for name in PredictorName::ALL {
            let mut predictor = name.build();
            let mut random = augury_core::random::Random::new(seed);
            let mut seen = HashSet::new();
            for now in 0..60_000 {
                let key = (u64::from(random.next_u32()) << 32 | u64::from(random.next_u32())) >> spread;
                let session = if sessions { random.next_u32() } else { 0 };
                let access = Access { session, ..Access::new(mix(key), key, 1, now) };
                let mut out = Candidates::default();
                predictor.observe(&access, Attention::Full, &mut out);
                seen.insert(key);
                prop_assert!(out.as_slice().len() <= augury_core::prefetch::predictor::MOST);
                for candidate in out.as_slice() {
                    prop_assert_eq!(candidate.hash, mix(candidate.key));
                }
            }
            prop_assert!(predictor.memory_bytes() <= 20 << 20, "{}", predictor.memory_bytes());
        }
    }
}
