//! "No caller code under a lock", put to the test: equality that fails, re-enters, blocks and
//! panics. Code run under a lock would deadlock here, as a mutex is not re-entrant, or poison a
//! shard.

use augury_core::cache::{Cache, Gone, Newcomer, Outcome, Pure, When};
use augury_core::clock::ManualClock;
use augury_core::metrics::RemovalCause;
use augury_core::policy::eviction::lru::Lru;
use std::convert::Infallible;
use std::sync::mpsc::channel;
use std::time::Duration;

type Lrus = Cache<&'static str, u32, Lru, ManualClock>;

/// Every key has this hash.
const HASH: u64 = 0xDEAD_BEEF_0BAD_CAFE;
/// How long a thread may take to answer before the test calls it stuck.
const STUCK: Duration = Duration::from_secs(60);

fn cache(capacity: u64) -> Lrus {
    Cache::new(capacity, 1, ManualClock::default(), |_| Lru::default())
}

fn newcomer(key: &'static str, value: u32) -> Newcomer<&'static str, u32> {
    Newcomer {
        hash: HASH,
        key,
        value,
        size: 1,
        deadline: None,
        is_forced: false,
        namespace: 0,
        heard: 0,
    }
}

fn put(cache: &Lrus, key: &'static str, value: u32) -> Outcome {
    let probe = Pure(|k: &&'static str| *k == key);
    cache.insert(newcomer(key, value), When::Always, probe, &mut Gone::new()).unwrap()
}

fn get(cache: &Lrus, key: &str) -> Option<u32> {
    cache.get(HASH, Pure(|k: &&'static str| *k == key), &mut Gone::new()).unwrap()
}

fn delete(cache: &Lrus, key: &str) -> bool {
    let probe = Pure(|k: &&'static str| *k == key);
    cache.remove(HASH, probe, &mut Gone::new()).unwrap().is_some()
}

fn assert_consistent(cache: &Lrus) {
    let stats = cache.stats();
    let left = stats.expired + stats.explicit + stats.evicted;
    assert_eq!(stats.insertions - left, cache.len() as u64);
    let mut keys: Vec<_> = cache.entries().map(|(key, _)| key).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(cache.len(), keys.len(), "a key is resident twice");
    assert_eq!(0, cache.rebuilt());
}

/// An equality that fails ends the operation with its error and leaves everything as it was.
#[test]
fn failing_equality_changes_nothing() {
    let cache = cache(4);
    put(&cache, "a", 1);
    let before = (cache.stats(), cache.entries().collect::<Vec<_>>());
    let mut gone = Gone::new();
    let fail = |_: &&'static str| Err("no answer");
    assert_eq!(Err("no answer"), cache.get(HASH, fail, &mut gone));
    assert_eq!(Err("no answer"), cache.contains(HASH, fail, &mut gone));
    assert_eq!(Err("no answer"), cache.peek(HASH, fail, &mut gone));
    assert_eq!(Err("no answer"), cache.set_deadline(HASH, Some(0), fail, &mut gone));
    assert!(cache.remove(HASH, fail, &mut gone).is_err());
    assert!(cache.insert(newcomer("b", 2), When::Always, fail, &mut gone).is_err());
    assert!(gone.is_empty());
    assert_eq!(before, (cache.stats(), cache.entries().collect::<Vec<_>>()));
}

/// Whatever an equality does to the cache it is called from, the outer operation ends, takes
/// effect, and no key becomes resident twice.
#[test]
fn equality_may_call_the_cache() {
    type Act = fn(&Lrus);
    let acts: [Act; 11] = [
        |cache| assert!(get(cache, "a").is_none_or(|value| value > 0)),
        |cache| assert_ne!(Outcome::Declined, put(cache, "a", 10)),
        |cache| assert_ne!(Outcome::Declined, put(cache, "b", 20)),
        |cache| assert_ne!(Outcome::Declined, put(cache, "c", 30)),
        |cache| assert!(!delete(cache, "a") || get(cache, "a").is_none()),
        |cache| assert_eq!((true, Outcome::Added), (delete(cache, "b"), put(cache, "b", 21))),
        |cache| cache.clear(&mut Gone::new()),
        |cache| cache.resize(1, &mut Gone::new()),
        |cache| assert_eq!(0, cache.expire(9, &mut Gone::new())),
        |cache| assert_eq!(cache.len(), cache.entries().count()),
        |cache| assert!(cache.stats().insertions >= cache.used()),
    ];
    for act in acts {
        for key in ["a", "b", "new"] {
            for operation in 0..5 {
                let cache = cache(3);
                put(&cache, "a", 1);
                put(&cache, "b", 2);
                let probe = |k: &&'static str| -> Result<bool, Infallible> {
                    act(&cache);
                    Ok(*k == key)
                };
                let gone = &mut Gone::new();
                match operation {
                    0 => assert!(cache.get(HASH, probe, gone).is_ok()),
                    1 => {
                        let outcome = cache.insert(newcomer(key, 3), When::Always, probe, gone);
                        assert_ne!(Ok(Outcome::Declined), outcome);
                    }
                    2 => assert!(cache.remove(HASH, probe, gone).is_ok()),
                    3 => assert!(cache.peek(HASH, probe, gone).is_ok()),
                    _ => assert!(cache.contains(HASH, probe, gone).is_ok()),
                }
                assert_consistent(&cache);
                if operation == 1 {
                    assert_eq!(Some(3), get(&cache, key));
                } else if operation == 2 {
                    assert_eq!(None, get(&cache, key));
                }
            }
        }
    }
}

/// While one thread's equality blocks, another uses the same entry, and the whole shard.
#[test]
fn blocking_equality_blocks_nobody_else() {
    let cache = cache(4);
    put(&cache, "a", 1);
    let (asked, is_asked) = channel();
    let (answer, is_answered) = channel();
    std::thread::scope(|scope| {
        let cache = &cache;
        let reader = scope.spawn(move || {
            let probe = |k: &&'static str| {
                asked.send(()).unwrap();
                is_answered.recv_timeout(STUCK).map(|()| *k == "a")
            };
            cache.get(HASH, probe, &mut Gone::new())
        });
        is_asked.recv_timeout(STUCK).unwrap();
        assert_eq!(Some(1), get(cache, "a"));
        assert_eq!(Outcome::Replaced, put(cache, "a", 2));
        assert_eq!(Outcome::Added, put(cache, "b", 3));
        assert!(delete(cache, "b"));
        assert_eq!(1, cache.len());
        answer.send(()).unwrap();
        assert_eq!(Ok(Some(2)), reader.join().unwrap());
    });
    assert_consistent(&cache);
}

/// An answer about an entry that has left meanwhile is not applied to what took its slot.
#[test]
fn answers_do_not_outlive_their_entry() {
    let cache = cache(4);
    put(&cache, "a", 1);
    let probe = |k: &&'static str| -> Result<bool, Infallible> {
        if *k == "a" {
            delete(&cache, "a");
            put(&cache, "other", 9);
        }
        Ok(*k == "a")
    };
    assert_eq!(Ok(None), cache.get(HASH, probe, &mut Gone::new()));
    assert_eq!(Some(9), get(&cache, "other"));
}

/// Each resident key is asked about once, however many share the hash.
#[test]
fn a_key_is_asked_about_once() {
    let cache = cache(100);
    let mut names: Vec<&'static str> = (10..60).map(|n| &*format!("{n}").leak()).collect();
    for name in &names {
        put(&cache, name, 1);
    }
    let mut asked = Vec::new();
    let probe = |k: &&'static str| -> Result<bool, Infallible> {
        asked.push(*k);
        Ok(false)
    };
    assert_eq!(Ok(None), cache.get(HASH, probe, &mut Gone::new()));
    asked.sort_unstable();
    names.sort_unstable();
    assert_eq!(names, asked);
}

/// An equality that replaces the entry at every question cannot keep an operation going, and a
/// write is carried out all the same.
#[test]
fn no_livelock_under_a_hostile_equality() {
    for operation in 0..3 {
        let cache = cache(4);
        put(&cache, "a", 1);
        let mut asked = 0;
        let probe = |k: &&'static str| -> Result<bool, Infallible> {
            asked += 1;
            delete(&cache, "a");
            put(&cache, "a", 100 + asked);
            Ok(*k == "a")
        };
        let gone = &mut Gone::new();
        match operation {
            0 => assert_eq!(Ok(None), cache.get(HASH, probe, gone)),
            1 => {
                let outcome = cache.insert(newcomer("a", 7), When::Always, probe, gone);
                assert_eq!(Ok(Outcome::Added), outcome);
                assert_eq!(RemovalCause::Evicted, gone[0].cause);
                assert_eq!(Some(7), get(&cache, "a"));
            }
            _ => {
                assert!(cache.remove(HASH, probe, gone).unwrap().is_none());
                assert_eq!(None, get(&cache, "a"));
            }
        }
        assert!(asked <= 8, "asked {asked} times");
        assert_consistent(&cache);
    }
}

/// A panic in the caller's equality passes through and harms nothing: no lock is held.
#[test]
fn panicking_equality_poisons_nothing() {
    let cache = cache(4);
    put(&cache, "a", 1);
    let probe = |_: &&'static str| -> Result<bool, Infallible> { panic!("equality") };
    let attempt = std::panic::AssertUnwindSafe(|| cache.get(HASH, probe, &mut Gone::new()));
    assert!(std::panic::catch_unwind(attempt).is_err());
    assert_eq!(Some(1), get(&cache, "a"));
    assert_consistent(&cache);
}
