//! Feature rows taken from a cache at work: their waits are those of the traffic.

use augury_core::guard::{Auto, Guard};
use augury_core::hash::mix;
use augury_core::sampler::Sampler;
use augury_core::shard::{Drop, Shard};

#[test]
fn waits_are_those_of_the_traffic_and_the_rest_is_censored() {
    let keys: Vec<u64> = (0..6_000u64).map(|at| at * at % 97 + at % 13).collect();
    let mut shard: Shard<(), (), Auto> = Shard::new(40, Auto::with_chooser(1, Guard::default()));
    let mut sampler = Sampler::new(0.5, usize::MAX, 7);
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
    assert!((2_500..3_500).contains(&samples.len()), "{}", samples.len());
    for sample in samples {
        let after = &keys[sample.tick as usize + 1..];
        let next = after.iter().position(|&key| mix(key) == sample.hash).map(|at| at as u64 + 1);
        let expected = next.unwrap_or(keys.len() as u64 - sample.tick);
        assert_eq!((expected, next.is_some()), (sample.wait, sample.is_observed));
    }
}
