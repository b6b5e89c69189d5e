//! Laws of the learned policies as a whole: the guard follows the better expert, what comes in is
//! judged by its own history, and work and memory stay bounded.

use augury_core::guard::{Auto, Guard};
use augury_core::hash::mix;
use augury_core::policy::Policy;
use augury_core::policy::ranking::RankingId;
use augury_core::policy::sampled::{Chooser, Expert, Fixed, Sampled};
use augury_core::random::Random;
use augury_core::shard::{Drop, Shard};

type Keys = Vec<(u64, u32)>;

/// Hits of a policy over these requests of (key, size).
fn hits<P: Policy>(policy: P, capacity: u64, keys: &Keys) -> (u64, Shard<(), (), P>) {
    let mut shard = Shard::<(), (), _>::new(capacity, policy);
    for &(key, size) in keys {
        let access = shard.begin(mix(key), key, size);
        let found = shard.store().candidates(access.hash).next();
        match found {
            Some(id) => shard.hit(id, &access, &mut Drop),
            None => {
                shard.miss(&access);
                shard.insert(&access, (), (), None, &mut Drop);
            }
        }
    }
    (shard.stats().hits, shard)
}

fn auto() -> Auto {
    Auto::with_chooser(7, Guard::default())
}

fn fixed(ranking: RankingId, admission: bool) -> Sampled<Fixed> {
    Sampled::with_chooser(7, Fixed(Expert { ranking, admission }))
}

fn looping(requests: u64, objects: u64) -> Keys {
    (0..requests).map(|at| (at % objects, 1)).collect()
}

/// The working set moves on: what was asked for lately is asked for again, then never.
fn recency(requests: u64) -> Keys {
    let mut random = Random::new(5);
    (0..requests)
        .map(|at| (at / 4 + u64::from(random.below(200).min(random.below(200))), 1))
        .collect()
}

/// Popularity falls with rank, about as 1/rank.
fn zipf(requests: u64) -> Keys {
    let mut random = Random::new(3);
    let rank = |random: &mut Random| (f64::from(random.next_u32()) / 2f64.powi(32) * 10.0).exp();
    (0..requests).map(|_| (rank(&mut random) as u64, 1)).collect()
}

/// As above, with a scan of objects never seen again after every ten thousand requests.
fn zipf_and_scans(requests: u64) -> Keys {
    let mut keys = zipf(requests);
    for (at, key) in keys.iter_mut().enumerate() {
        if at % 10_000 >= 7_000 {
            *key = (1_000_000 + at as u64, 1);
        }
    }
    keys
}

#[test]
fn auto_is_close_to_the_best_fixed_expert() {
    for (name, capacity, keys) in [
        ("loop", 300, looping(60_000, 400)),
        ("recency", 300, recency(60_000)),
        ("zipf", 300, zipf(60_000)),
        ("zipf and scans", 300, zipf_and_scans(60_000)),
        ("zipf, sampled", 1_500, zipf(60_000)),
    ] {
        let all = RankingId::ALL.iter().flat_map(|&ranking| [(ranking, false), (ranking, true)]);
        let best = all.map(|(ranking, by)| hits(fixed(ranking, by), capacity, &keys).0).max();
        let (auto, _) = hits(auto(), capacity, &keys);
        let regret = (best.unwrap_or(0) as f64 - auto as f64) / keys.len() as f64;
        assert!(regret < 0.02, "{name}: {auto} hits, {regret:.4} of the requests fewer than best");
    }
}

#[test]
fn the_ruler_follows_the_workload() {
    // A loop, in which recency never hits, then a moving working set, in which counts never do.
    let mut keys = looping(40_000, 400);
    let (in_loop, _) = hits(auto(), 300, &keys);
    assert!(in_loop > 20_000, "{in_loop} hits in a loop of which three quarters fit");
    keys.extend(recency(60_000).into_iter().map(|(key, size)| (key + 10_000, size)));
    let (all, _) = hits(auto(), 300, &keys);
    let (lru, _) = hits(fixed(RankingId::Recency, false), 300, &recency(60_000));
    let after = all - in_loop;
    assert!(after as f64 > 0.95 * lru as f64, "{after} hits after the loop, by recency {lru}");
}

#[test]
fn a_newcomer_has_its_own_history() {
    // Writes without a read before, and reads whose insertions come in another order.
    let mut shard = Shard::<(), (), _>::new(100, fixed(RankingId::Heat, false));
    let record = |shard: &Shard<(), (), Sampled<Fixed>>, key| {
        let id = shard.store().candidates(mix(key)).next().expect("resident");
        *shard.store().slots().record(id)
    };
    let written = shard.write(mix(1), 1, 40);
    shard.insert(&written, (), (), None, &mut Drop);
    assert_eq!((1, written.now as u32), (record(&shard, 1).count, record(&shard, 1).last));
    let reads: Vec<_> = [2, 3, 2, 4].iter().map(|&key| shard.begin(mix(key), key, 10)).collect();
    reads.iter().for_each(|read| shard.miss(read));
    for key in [2, 3, 4] {
        let write = shard.write(mix(key), key, 10);
        shard.insert(&write, (), (), None, &mut Drop);
    }
    assert!(record(&shard, 2).count >= 2, "{:?}", record(&shard, 2));
    assert!(record(&shard, 2).count > record(&shard, 4).count);
    assert!(record(&shard, 3).count >= 1 && record(&shard, 4).count >= 1);
}

#[test]
fn the_size_that_a_write_brings_is_learned() {
    let read_size = |known: bool| {
        let mut shard = Shard::<(), (), _>::new(100_000, fixed(RankingId::Heat, false));
        let read = shard.begin(mix(1), 1, if known { 5_000 } else { 1 });
        shard.miss(&read);
        let write = shard.write(mix(1), 1, 5_000);
        shard.insert(&write, (), (), None, &mut Drop);
        let id = shard.store().candidates(mix(1)).next().expect("resident");
        shard.store().slots().record(id).size()
    };
    assert_eq!(read_size(true), read_size(false));
}

#[test]
fn shadows_hear_of_a_miss_when_its_size_is_known() {
    // As the cache does it: a shadow that took every object for one byte would keep all of them.
    let mut shard = Shard::<(), (), _>::new(1_000_000, auto());
    for key in 0..30_000u64 {
        shard.begin(mix(key), key, 1);
        shard.miss_noted(mix(key));
        let write = shard.write(mix(key), key, 50_000);
        if shard.take_noted(mix(key)) {
            shard.announce(&write);
        }
        shard.insert(&write, (), (), None, &mut Drop);
    }
    // Twenty objects fit.
    let bytes = shard.policy().chooser().memory_bytes();
    assert!(bytes < 32 << 10, "{bytes} bytes of shadows");
}
