//! Laws of the cache that one thread can check: time, capacity, statistics, iteration, replay.

use augury_core::cache::{Cache, Gone, Newcomer, Outcome, Pure, When};
use augury_core::clock::ManualClock;
use augury_core::hash::mix;
use augury_core::metrics::RemovalCause;
use augury_core::policy::eviction::lru::Lru;
use augury_core::random::Random;
use augury_core::shard::{Drop, Shard};

type Numbers<'a> = Cache<u64, u64, Lru, &'a ManualClock>;

fn cache(capacity: u64, shards: usize, clock: &ManualClock) -> Numbers<'_> {
    Cache::new(capacity, shards, clock, |_| Lru::default())
}

fn put(cache: &Numbers, key: u64, deadline: Option<u64>, gone: &mut Gone<u64, u64>) -> Outcome {
    let newcomer = Newcomer {
        hash: mix(key),
        key,
        value: key,
        size: 1,
        deadline,
        is_forced: false,
        namespace: 0,
        heard: 0,
    };
    cache.insert(newcomer, When::Always, Pure(|k: &u64| *k == key), gone).unwrap()
}

fn get(cache: &Numbers, key: u64, gone: &mut Gone<u64, u64>) -> Option<u64> {
    cache.get(mix(key), Pure(|k: &u64| *k == key), gone).unwrap()
}

/// An entry is there until the millisecond before its deadline and not from the deadline on.
#[test]
fn a_deadline_is_exclusive() {
    let clock = ManualClock::default();
    let cache = cache(4, 1, &clock);
    let gone = &mut Gone::new();
    put(&cache, 1, Some(100), gone);
    clock.advance_to(99);
    assert_eq!(Some(1), get(&cache, 1, gone));
    clock.advance_to(100);
    assert_eq!(None, get(&cache, 1, gone));
    assert_eq!(None, get(&cache, 1, gone));
    let stats = cache.stats();
    assert_eq!((1, 2, 1), (stats.hits, stats.misses, stats.expired));
    assert_eq!(vec![RemovalCause::Expired], gone.iter().map(|r| r.cause).collect::<Vec<_>>());
}

/// Where more is due than one operation removes in passing, the rest is not seen either.
#[test]
fn what_is_due_is_not_seen() {
    for key in 0..10 {
        let clock = ManualClock::default();
        let cache = cache(10, 1, &clock);
        let gone = &mut Gone::new();
        for key in 0..10 {
            put(&cache, key, Some(10), gone);
        }
        clock.advance_to(10);
        assert_eq!(0, cache.entries().count());
        assert_eq!(None, get(&cache, key, gone));
        assert!(gone.iter().any(|removed| removed.key == key));
    }
}

/// Writing anew takes the new deadline, or none; a deadline in the past removes.
#[test]
fn a_write_renews_the_deadline() {
    let clock = ManualClock::default();
    let cache = cache(4, 1, &clock);
    let gone = &mut Gone::new();
    put(&cache, 1, Some(10), gone);
    put(&cache, 1, Some(20), gone);
    put(&cache, 2, Some(10), gone);
    put(&cache, 2, None, gone);
    clock.advance_to(19);
    assert_eq!((Some(1), Some(2)), (get(&cache, 1, gone), get(&cache, 2, gone)));
    assert_eq!(Outcome::Expired, put(&cache, 1, Some(19), gone));
    assert_eq!(None, get(&cache, 1, gone));
    assert_eq!(1, cache.stats().expired);
}

/// Traffic removes what is due faster than it can add to it, a bounded number at a time.
#[test]
fn traffic_sweeps_what_is_due() {
    let clock = ManualClock::default();
    let cache = cache(1000, 1, &clock);
    let gone = &mut Gone::new();
    for key in 0..500 {
        put(&cache, key, Some(10), gone);
    }
    clock.advance_to(10);
    for request in 1..=250 {
        assert_eq!(None, get(&cache, 1_000_000 + request, gone));
        assert_eq!(500 - 2 * request as usize, cache.len());
    }
    assert_eq!(500, cache.stats().expired);
}

/// `expire` removes no more than it was told, whatever the number of shards, and all in the end.
#[test]
fn expire_keeps_to_its_limit() {
    let clock = ManualClock::default();
    let cache = cache(1000, 4, &clock);
    let gone = &mut Gone::new();
    for key in 0..700 {
        put(&cache, key, (key % 2 == 0).then_some(10), gone);
    }
    assert_eq!(0, cache.expire(usize::MAX, gone));
    clock.advance_to(10);
    assert_eq!(30, cache.expire(30, gone));
    assert_eq!(320, cache.expire(usize::MAX, gone));
    assert_eq!((350, 350), (cache.len(), gone.len()));
}

/// The shards' parts are the whole: nothing of the capacity is lost and nothing exceeds it.
#[test]
fn capacity_is_split_without_loss() {
    let clock = ManualClock::default();
    let cache = cache(103, 4, &clock);
    let gone = &mut Gone::new();
    for key in 0..10_000 {
        put(&cache, key, None, gone);
    }
    assert_eq!((103, 103), (cache.used(), cache.len()));
    for capacity in [7, 50, 0, 1001] {
        cache.resize(capacity, gone);
        for key in 0..20_000 {
            put(&cache, key, None, gone);
        }
        assert_eq!((capacity, capacity), (cache.used(), cache.capacity()));
    }
    assert_eq!(3, self::cache(3, 64, &clock).shards());
}

/// Shrinking evicts in the policy's order, however many steps it takes.
#[test]
fn resize_evicts_in_order() {
    let clock = ManualClock::default();
    let cache = cache(3000, 1, &clock);
    let gone = &mut Gone::new();
    for key in 0..3000 {
        put(&cache, key, None, gone);
    }
    cache.resize(1000, gone);
    assert_eq!((0..2000).collect::<Vec<_>>(), gone.iter().map(|r| r.key).collect::<Vec<_>>());
}

/// Clearing removes everything, in however many steps, and keeps the counters.
#[test]
fn clear_leaves_nothing() {
    let clock = ManualClock::default();
    let cache = cache(3000, 2, &clock);
    let gone = &mut Gone::new();
    for key in 0..3000 {
        put(&cache, key, None, gone);
    }
    let before = cache.len() + gone.len();
    cache.clear(gone);
    assert_eq!((0, 0, 3000), (cache.len(), cache.used(), cache.stats().insertions));
    assert_eq!((3000, 3000), (before, gone.len()));
}

/// What is resident throughout an iteration is seen once, although others come and go; reading
/// so is no access.
#[test]
fn iteration_survives_mutation() {
    let clock = ManualClock::default();
    let cache = cache(10_000, 3, &clock);
    let gone = &mut Gone::new();
    for key in 0..1000 {
        put(&cache, key, None, gone);
    }
    let mut seen = Vec::new();
    for (at, (key, _)) in cache.entries().enumerate() {
        if key < 500 {
            seen.push(key);
        }
        let victim = 500 + at as u64 % 500;
        cache.remove(mix(victim), Pure(|k: &u64| *k == victim), gone).unwrap();
        put(&cache, 2000 + at as u64, None, gone);
        if at > 5000 {
            break;
        }
    }
    seen.sort_unstable();
    assert_eq!((0..500).collect::<Vec<_>>(), seen);
    assert_eq!(0, cache.stats().requests());
}

/// A cache of one shard that is read through decides as a replayed shard does, tick by tick.
#[test]
fn reading_through_is_replaying() {
    let clock = ManualClock::default();
    let cache = cache(50, 1, &clock);
    let mut shard = Shard::<u64, u64, Lru>::new(50, Lru::default());
    let gone = &mut Gone::new();
    let mut random = Random::new(3);
    for _ in 0..20_000 {
        let key = u64::from(random.below(30) * random.below(10));
        let hit = get(&cache, key, gone).is_some();
        if !hit {
            put(&cache, key, None, gone);
        }
        let access = shard.begin(mix(key), key, 1);
        let id = shard.store().candidates(access.hash).next();
        assert_eq!(hit, id.is_some());
        match id {
            Some(id) => shard.hit(id, &access, &mut Drop),
            None => {
                shard.miss(&access);
                shard.insert(&access, key, key, None, &mut Drop);
            }
        }
    }
    assert_eq!(shard.stats().hits, cache.stats().hits);
    assert_eq!(shard.stats().evicted, cache.stats().evicted);
    assert_eq!(20_000, cache.stats().requests());
}

/// Policies see one tick per request: a write has none of its own.
#[test]
fn a_miss_and_its_insertion_share_a_tick() {
    let mut shard = Shard::<(), (), Lru>::new(5, Lru::default());
    assert_eq!(0, shard.write(1, 1, 1).now);
    let read = shard.begin(1, 1, 1);
    assert_eq!(read.now, shard.write(1, 1, 1).now);
    assert_eq!(read.now + 1, shard.begin(1, 1, 1).now);
}
