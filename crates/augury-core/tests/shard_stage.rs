//! Laws of the stage: it takes room, the policy does not see it, and nothing is lost in it.

use augury_core::hash::mix;
use augury_core::metrics::RemovalCause;
use augury_core::policy::eviction::lru::Lru;
use augury_core::request::Access;
use augury_core::shard::{Inserted, Removed, Shard};

type Numbers = Shard<u64, u64, Lru>;

fn access(key: u64, size: u32) -> Access {
    Access::new(mix(key), key, size, 0)
}

fn filled(keys: u64) -> (Numbers, Vec<Removed<u64, u64>>) {
    let (mut shard, mut gone) = (Numbers::new(10, Lru::default()), Vec::new());
    for key in 0..keys {
        shard.insert(&access(key, 1), key, key, None, &mut gone);
    }
    (shard, gone)
}

#[test]
fn what_is_staged_takes_room_and_its_first_use_is_a_hit_and_an_insertion() {
    let (mut shard, mut gone) = filled(10);
    assert!(shard.stage(&access(100, 2), 100, 100, &mut gone));
    assert_eq!((10, 2), (shard.used(), shard.staged()));
    assert_eq!(vec![0, 1], gone.iter().map(|one| one.key).collect::<Vec<_>>());
    assert!(shard.store().candidates(mix(100)).next().is_none(), "it is not resident");
    let id = shard.staged_candidates(mix(100)).next().unwrap();
    let (hits, insertions) = (shard.stats().hits, shard.stats().insertions);
    let promoted = shard.promote(id, &access(100, 2), None, &mut gone);
    assert!(matches!(promoted, Some(Inserted::Stored(_))));
    assert_eq!((hits + 1, insertions + 1), (shard.stats().hits, shard.stats().insertions));
    assert_eq!((10, 0), (shard.used(), shard.staged()));
}

#[test]
fn what_is_not_used_leaves_once_and_no_one_counts_it() {
    let (mut shard, mut gone) = filled(5);
    let before = *shard.stats();
    shard.stage(&access(100, 2), 100, 7, &mut gone);
    let id = shard.staged_candidates(mix(100)).next().unwrap();
    shard.unstage(id, RemovalCause::Evicted, &mut gone);
    shard.unstage(id, RemovalCause::Evicted, &mut gone);
    assert_eq!(vec![(100, 7)], gone.iter().map(|one| (one.key, one.value)).collect::<Vec<_>>());
    assert_eq!((before, 0), (*shard.stats(), shard.staged()));
}

#[test]
fn a_newcomer_or_a_capacity_that_leaves_no_room_clears_the_stage() {
    let (mut shard, mut gone) = filled(2);
    shard.stage(&access(100, 3), 100, 100, &mut gone);
    shard.insert(&access(200, 9), 200, 200, None, &mut gone);
    assert_eq!((10, 0), (shard.used(), shard.staged()));
    assert!(!shard.stage(&access(300, 11), 300, 300, &mut gone), "larger than the cache");
    shard.resize(20, &mut gone);
    shard.stage(&access(100, 3), 100, 100, &mut gone);
    shard.resize(2, &mut gone);
    assert_eq!(0, shard.staged() + shard.used());
}
