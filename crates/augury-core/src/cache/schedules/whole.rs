//! The cache as a whole: what enters leaves once, destructors run unlocked, capacities and settings
//! are those of the last word, and a broken shard is replaced once.

use super::*;
use crate::metrics::RemovalCause;
use crate::policy::{Policy, Verdict};
use crate::request::{Access, Tick};
use crate::slots::{SlotId, Slots};
use shuttle::thread;
use std::panic::resume_unwind;
use std::sync::Weak;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering as Plain};

/// A hash in each of two shards.
fn spread(key: u32) -> u64 {
    u64::from(key) << 62 | u64::from(key % 2) << 31
}

fn put<V>(
    cache: &Tested<V>,
    key: u32,
    value: V,
    deadline: Option<Millis>,
    gone: &mut Gone<u32, V>,
) {
    let entry = Newcomer { hash: spread(key), ..newcomer(key, value, deadline) };
    let Ok(_) = cache.insert(entry, When::Always, foreign(key), gone);
}

#[test]
fn every_value_leaves_once_or_is_resident() {
    explore(|| {
        let cache = cache::<u32>(3, 2);
        let start = |thread: u32| {
            let cache = cache.clone();
            thread::spawn(move || {
                let mut gone = Gone::new();
                put(&cache, thread, thread * 3, None, &mut gone);
                put(&cache, 2, thread * 3 + 1, Some(1), &mut gone);
                match thread {
                    0 => cache.resize(2, &mut gone),
                    1 => cache.clear(&mut gone),
                    _ => {
                        cache.reserve(1, &mut gone);
                        cache.clock().0.store(1, Ordering::Relaxed);
                        cache.expire(8, &mut gone);
                    }
                }
                put(&cache, 3, thread * 3 + 2, None, &mut gone);
                gone
            })
        };
        let threads: Vec<_> = (0..3).map(start).collect();
        let left: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        let mut values: Vec<_> = left.iter().map(|removed| removed.value).collect();
        assert!(cache.used() <= cache.capacity());
        let mut gone = Gone::new();
        cache.clear(&mut gone);
        values.extend(gone.iter().map(|removed| removed.value));
        values.sort_unstable();
        assert_eq!((0..9).collect::<Vec<_>>(), values);
        let stats = cache.stats();
        assert_eq!(stats.insertions, stats.expired + stats.explicit + stats.evicted);
        assert_eq!(0, cache.used());
    });
}

/// Calls the cache when it is dropped: under a lock that would never end.
#[derive(Clone)]
struct Loud(#[allow(dead_code)] Arc<Calls>);

struct Calls(Weak<Tested<Loud>>);

impl Drop for Calls {
    fn drop(&mut self) {
        if let Some(cache) = self.0.upgrade() {
            get(&cache, 0);
            cache.expire(1, &mut Gone::new());
        }
    }
}

fn loud(cache: &Arc<Tested<Loud>>) -> Loud {
    Loud(Arc::new(Calls(Arc::downgrade(cache))))
}

#[test]
fn destructors_and_equalities_call_the_cache() {
    explore(|| {
        let cache = cache::<Loud>(1, 1);
        let start = |key: u32| {
            let cache = cache.clone();
            thread::spawn(move || {
                set(&cache, key, loud(&cache), When::Always);
                let asking = |other: &u32| -> Result<bool, Infallible> {
                    get(&cache, 1 - key);
                    Ok(*other == key)
                };
                let entry = newcomer(key, loud(&cache), Some(1));
                let Ok(_) = cache.insert(entry, When::Always, asking, &mut Gone::new());
                cache.clock().0.store(1, Ordering::Relaxed);
                drop(take(&cache, key));
            })
        };
        let threads = [0, 1].map(start);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        cache.clear(&mut Gone::new());
        assert_eq!(0, cache.len());
    });
}

/// A value that is dropped under the lock, by a test that is the caller's code, is seen.
#[test]
fn a_call_under_the_lock_is_found_out() {
    assert!(finds(|| {
        let cache = cache::<u32>(1, 1);
        set(&cache, 0, 0, When::Always);
        let calls = |_: &u32| get(&cache, 0).is_some();
        set(&cache, 0, 1, When::Matching(&calls));
    }));
}

#[test]
fn the_last_word_on_capacity_and_curve_holds_for_all_shards() {
    explore(|| {
        let cache = cache::<u32>(8, 2);
        let start = |thread: u64| {
            let cache = cache.clone();
            thread::spawn(move || {
                cache.resize(4 + thread, &mut Gone::new());
                cache.keep_curve(thread == 0);
            })
        };
        let threads = [0, 1].map(start);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let of_shards: u64 = (0..2).map(|at| cache.shards.lock(at).capacity()).sum();
        assert_eq!(cache.capacity(), of_shards);
        let is_kept = cache.shards.settings().curve;
        let kept = [0, 1].map(|at| cache.shards.lock(at).curve().is_some());
        assert_eq!([is_kept; 2], kept);
    });
}

/// Setting one shard after the other by what was asked, not by what holds, leaves shards at odds.
#[test]
fn shards_at_odds_are_found_out() {
    assert!(finds(|| {
        let cache = cache::<u32>(8, 2);
        let start = |is_kept: bool| {
            let cache = cache.clone();
            thread::spawn(move || (0..2).for_each(|at| cache.shards.lock(at).keep_curve(is_kept)))
        };
        let threads = [false, true].map(start);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let kept = [0, 1].map(|at| cache.shards.lock(at).curve().is_some());
        assert_eq!(kept[0], kept[1]);
    }));
}

#[test]
fn an_iteration_sees_what_stays_once() {
    explore(|| {
        let cache = cache::<u32>(100, 2);
        let gone = &mut Gone::new();
        (0..6).for_each(|key| put(&cache, key, key, None, gone));
        let other = cache.clone();
        let changer = thread::spawn(move || {
            let gone = &mut Gone::new();
            put(&other, 7, 7, None, gone);
            for key in [0, 1] {
                let Ok(_) = other.remove(spread(key), foreign(key), gone);
            }
            put(&other, 8, 8, None, gone);
        });
        let mut keys: Vec<_> = cache.entries().map(|(key, _)| key).collect();
        keys.retain(|key| (2..6).contains(key));
        keys.sort_unstable();
        assert_eq!([2, 3, 4, 5], keys[..]);
        changer.join().unwrap();
    });
}

/// LRU that panics at its first hit after it was armed.
struct Faulty {
    lru: Lru,
    is_armed: Arc<AtomicBool>,
}

impl Policy for Faulty {
    type Record = <Lru as Policy>::Record;

    fn set_capacity(&mut self, capacity: u64) {
        self.lru.set_capacity(capacity);
    }

    fn on_hit(&mut self, slots: &mut Slots<Self::Record>, id: SlotId, access: &Access) {
        if self.is_armed.swap(false, Plain::SeqCst) {
            // Without the hook, which would print thousands of traces.
            resume_unwind(Box::new("a faulty policy"));
        }
        self.lru.on_hit(slots, id, access);
    }

    fn victim(
        &mut self,
        slots: &mut Slots<Self::Record>,
        incoming: Option<&Access>,
        now: Tick,
    ) -> Verdict {
        self.lru.victim(slots, incoming, now)
    }

    fn on_insert(&mut self, slots: &mut Slots<Self::Record>, id: SlotId, access: &Access) {
        self.lru.on_insert(slots, id, access);
    }

    fn on_remove(
        &mut self,
        slots: &mut Slots<Self::Record>,
        id: SlotId,
        cause: RemovalCause,
        now: Tick,
    ) {
        self.lru.on_remove(slots, id, cause, now);
    }

    fn memory_bytes(&self) -> usize {
        0
    }
}

#[test]
fn a_broken_shard_is_replaced_once() {
    explore(|| {
        let is_armed = Arc::new(AtomicBool::new(false));
        let arming = is_armed.clone();
        let make = move |_| Faulty { lru: Lru::default(), is_armed: arming.clone() };
        let cache = Arc::new(Cache::new(8, 1, Time::default(), make));
        cache.keep_curve(true);
        let insert = |cache: &Cache<u32, u32, Faulty, Time>, key: u32| {
            let (entry, gone) = (newcomer(key, key, None), &mut Gone::new());
            let Ok(outcome) = cache.insert(entry, When::Always, foreign(key), gone);
            outcome
        };
        insert(&cache, 0);
        is_armed.store(true, Plain::SeqCst);
        let panics = Arc::new(AtomicUsize::new(0));
        let start = |key: u32| {
            let (cache, panics) = (cache.clone(), panics.clone());
            thread::spawn(move || {
                let look = || cache.get(HASH, foreign(0), &mut Gone::new());
                match catch_unwind(AssertUnwindSafe(look)) {
                    Ok(Ok(found)) => assert!(matches!(found, None | Some(0))),
                    Err(_) => drop(panics.fetch_add(1, Plain::SeqCst)),
                }
                insert(&cache, key);
            })
        };
        let threads = [1, 2, 3].map(start);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!((1, 1), (cache.rebuilt(), panics.load(Plain::SeqCst)));
        assert!(cache.shards.lock(0).curve().is_some());
        let stats = cache.stats();
        assert_eq!(stats.insertions, cache.len() as u64 + stats.evicted);
    });
}
