//! Feature rows taken from a cache at work: their waits are those of the traffic.

use augury_core::guard::{Auto, Guard};
use augury_core::hash::mix;
use augury_core::sampler::{Sample, Sampler};
use augury_core::shard::{Drop, Shard};

/// The samples of some traffic, checked against it.
fn samples(limit: usize) -> Vec<Sample> {
    let keys: Vec<u64> = (0..6_000u64).map(|at| at * at % 97 + at % 13).collect();
    let mut shard: Shard<(), (), Auto> = Shard::new(40, Auto::with_chooser(1, Guard::default()));
    let mut sampler = Sampler::new(0.5, limit, 7);
    for &key in &keys {
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
    let samples = sampler.samples(keys.len() as u64);
    for sample in &samples {
        let after = &keys[sample.tick as usize + 1..];
        let next = after.iter().position(|&key| mix(key) == sample.hash).map(|at| at as u64 + 1);
        let expected = next.unwrap_or(keys.len() as u64 - sample.tick);
        assert_eq!((expected, next.is_some()), (sample.wait, sample.is_observed));
    }
    samples
}

#[test]
fn waits_are_those_of_the_traffic_and_the_rest_is_censored() {
    let samples = samples(usize::MAX);
    assert!((2_500..3_500).contains(&samples.len()), "{}", samples.len());
}

#[test]
fn the_latest_are_kept_with_their_waits_where_there_is_a_limit() {
    let all = samples(usize::MAX);
    for limit in [0, 1, 2, 37, 1_000] {
        assert_eq!(all[all.len() - limit..], samples(limit));
    }
}
