//! Feature rows taken from a cache at work: their waits are those of the traffic.

use std::collections::BTreeSet;

use augury_core::guard::{Auto, Guard};
use augury_core::hash::mix;
use augury_core::sampler::Sampler;
use augury_core::shard::{Drop, Shard};

/// Replays these keys in a small cache under the eyes of a sampler.
fn sampled(mut sampler: Sampler, keys: &[u64]) -> Sampler {
    let mut shard: Shard<(), (), Auto> = Shard::new(40, Auto::with_chooser(1, Guard::default()));
    for &key in keys {
        let access = shard.begin(mix(key), key, 1);
        sampler.asked(access.hash, access.now);
        let found = shard.store().candidates(access.hash).next();
        match found {
            Some(id) => shard.hit(id, &access, &mut Drop),
            None => {
                shard.miss(&access);
                shard.insert(&access, (), (), None, &mut Drop);
            }
        }
        let lens = shard.policy().learner().lens(access.now);
        sampler.sample(shard.store().slots(), &lens, access.now);
    }
    sampler
}

fn traffic() -> Vec<u64> {
    (0..6_000u64).map(|at| at * at % 97 + at % 13).collect()
}

#[test]
fn waits_are_those_of_the_traffic_and_the_rest_is_censored() {
    let keys = traffic();
    let sampler = sampled(Sampler::new(0.5, usize::MAX, 7), &keys);
    let samples = sampler.seen(keys.len() as u64);
    assert!((2_500..3_500).contains(&samples.len()), "{}", samples.len());
    for sample in samples {
        let after = &keys[sample.tick as usize + 1..];
        let next = after.iter().position(|&key| mix(key) == sample.hash).map(|at| at as u64 + 1);
        let expected = next.unwrap_or(keys.len() as u64 - sample.tick);
        assert_eq!((expected, next.is_some()), (sample.wait, sample.is_observed));
    }
}

#[test]
fn the_latest_rows_are_those_of_a_sampler_that_keeps_all() {
    let keys = traffic();
    let all = sampled(Sampler::new(0.5, usize::MAX, 7), &keys).seen(6_000);
    let latest = sampled(Sampler::latest(0.5, 200, 7), &keys);
    assert_eq!(all.len() as u64, latest.taken());
    assert_eq!(all[all.len() - 200..], latest.seen(6_000));
    assert_eq!(50, latest.since(all.len() as u64 - 50).count());
}

#[test]
fn what_is_waited_for_is_no_more_than_what_is_kept() {
    // Every object is asked for once, so that nothing is ever answered.
    let mut sampler = Sampler::latest(0.5, 64, 7);
    let mut sizes = BTreeSet::new();
    for round in 0..20u64 {
        let keys: Vec<u64> = (round * 1_000..(round + 1) * 1_000).collect();
        sampler = sampled(sampler, &keys);
        sizes.insert(sampler.memory_bytes());
    }
    assert!(sizes.last().is_some_and(|&bytes| bytes < 32 << 10), "{sizes:?}");
}
