//! Threads against one cache, and afterwards a checker over the history of every key:
//!
//! - no read of a value that was not written to that key, or not yet;
//! - no read of a value after a later write or removal of the key was acknowledged;
//! - no read by an operation that began at or after the value's deadline;
//! - every value that was handed in leaves once or is resident at the end.
//!
//! All keys share a few hashes, so pins, retries and collisions are the rule.

use augury_core::cache::{Cache, Gone, Newcomer, Outcome, Pure, When};
use augury_core::clock::{Clock, ManualClock, Millis};
use augury_core::policy::eviction::lru::Lru;
use augury_core::random::Random;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};

const THREADS: u64 = 4;
const OPERATIONS: u64 = 6_000;
const KEYS: u32 = 12;

#[derive(Debug, Clone, Copy, PartialEq)]
struct Value {
    id: u64,
    deadline: Option<Millis>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Write(Value),
    Read(Value, Millis),
    /// A removal, or a clearing of the whole cache.
    Remove,
}

#[derive(Debug, Clone, Copy)]
struct Event {
    key: u32,
    start: u64,
    end: u64,
    kind: Kind,
}

type Shared<'a> = Cache<u32, Value, Lru, &'a ManualClock>;

/// Order of events over all threads.
static TIME: AtomicU64 = AtomicU64::new(0);

fn time() -> u64 {
    TIME.fetch_add(1, Ordering::SeqCst)
}

fn hash(key: u32) -> u64 {
    u64::from(key % 3) << 62 | u64::from(key % 3) << 31
}

/// Runs an operation with one of the two kinds of probe.
macro_rules! probed {
    ($random:expr, $key:expr, |$probe:ident| $call:expr) => {{
        let key = $key;
        if $random.below(2) == 0 {
            let $probe = Pure(move |k: &u32| *k == key);
            $call.unwrap()
        } else {
            let $probe = move |k: &u32| -> Result<bool, Infallible> {
                std::thread::yield_now();
                Ok(*k == key)
            };
            $call.unwrap()
        }
    }};
}

/// One thread's events, and the ids of the values it saw leave.
fn work(cache: &Shared, thread: u64) -> (Vec<Event>, Vec<u64>) {
    let mut random = Random::new(thread);
    let (mut events, mut gone) = (Vec::new(), Gone::new());
    for operation in 0..OPERATIONS {
        let key = random.below(KEYS);
        let start = time();
        let mut record = |key, kind| events.push(Event { key, start, end: time(), kind });
        match random.below(100) {
            0 => cache.clock().advance_to(cache.clock().now() + 1),
            1 if operation % 7 == 0 => {
                cache.clear(&mut gone);
                (0..KEYS).for_each(|key| record(key, Kind::Remove));
            }
            2 => cache.resize(4 + u64::from(random.below(12)), &mut gone),
            3 => drop(cache.expire(3, &mut gone)),
            4..20 => {
                let removed = probed!(random, key, |p| cache.remove(hash(key), p, &mut gone));
                gone.extend(removed);
                record(key, Kind::Remove);
            }
            20..50 => {
                let now = cache.clock().now();
                let deadline = (random.below(2) == 0).then(|| now + u64::from(random.below(3)));
                let value = Value { id: thread * OPERATIONS + operation, deadline };
                let newcomer = Newcomer {
                    hash: hash(key),
                    key,
                    value,
                    size: 1,
                    deadline,
                    is_forced: false,
                    namespace: 0,
                    heard: 0,
                };
                let outcome = probed!(random, key, |p| {
                    cache.insert(newcomer, When::Always, p, &mut gone)
                });
                assert_ne!(Outcome::Declined, outcome);
                record(key, Kind::Write(value));
            }
            _ => {
                let now = cache.clock().now();
                let found = probed!(random, key, |p| cache.get(hash(key), p, &mut gone));
                if let Some(value) = found {
                    record(key, Kind::Read(value, now));
                }
            }
        }
    }
    (events, gone.into_iter().map(|removed| removed.value.id).collect())
}

fn check(events: &[Event]) {
    let mut writes = HashMap::new();
    let mut changes: HashMap<u32, Vec<&Event>> = HashMap::new();
    for event in events {
        match event.kind {
            Kind::Write(value) => {
                writes.insert(value.id, event);
                changes.entry(event.key).or_default().push(event);
            }
            Kind::Remove => changes.entry(event.key).or_default().push(event),
            Kind::Read(..) => {}
        }
    }
    for read in events {
        let Kind::Read(value, now) = read.kind else { continue };
        let write = writes[&value.id];
        assert_eq!((read.key, Kind::Write(value)), (write.key, write.kind), "{read:?}");
        assert!(write.start < read.end, "{read:?} before {write:?}");
        assert!(value.deadline.is_none_or(|at| at > now), "{read:?} past its deadline");
        for change in &changes[&read.key] {
            let between = write.end < change.start && change.end < read.start;
            assert!(!between, "{read:?} of {write:?} after {change:?}");
        }
    }
}

#[test]
fn histories_are_linear_per_key() {
    for shards in [1, 3] {
        let clock = ManualClock::default();
        let cache: Shared = Cache::new(9, shards, &clock, |_| Lru::default());
        let barrier = Barrier::new(THREADS as usize);
        let logs: Vec<_> = std::thread::scope(|scope| {
            let start = |thread| {
                let (cache, barrier) = (&cache, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    work(cache, thread)
                })
            };
            let threads: Vec<_> = (0..THREADS).map(start).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let (events, left): (Vec<_>, Vec<_>) = logs.into_iter().unzip();
        let events = events.concat();
        check(&events);

        let mut gone = Gone::new();
        cache.clear(&mut gone);
        let mut left = left.concat();
        left.extend(gone.into_iter().map(|removed| removed.value.id));
        left.sort_unstable();
        let mut written: Vec<_> = events
            .iter()
            .filter_map(|event| match event.kind {
                Kind::Write(value) => Some(value.id),
                _ => None,
            })
            .collect();
        written.sort_unstable();
        assert_eq!(written, left, "a value was lost, or left twice");

        let stats = cache.stats();
        assert_eq!(stats.insertions, stats.expired + stats.explicit + stats.evicted);
        let reads = events.iter().filter(|event| matches!(event.kind, Kind::Read(..)));
        assert_eq!(stats.hits, reads.count() as u64);
        assert_eq!((0, 0), (cache.len(), cache.rebuilt()));
    }
}

/// Threads that write the same key at once leave it resident once.
#[test]
fn a_key_is_resident_once() {
    let clock = ManualClock::default();
    let cache: Shared = Cache::new(100, 1, &clock, |_| Lru::default());
    let barrier = Barrier::new(THREADS as usize);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (cache, barrier) = (&cache, &barrier);
            scope.spawn(move || {
                for round in 0..300 {
                    barrier.wait();
                    let key = round % 30;
                    let value = Value { id: thread, deadline: None };
                    let newcomer = Newcomer {
                        hash: hash(key),
                        key,
                        value,
                        size: 1,
                        deadline: None,
                        is_forced: false,
                        namespace: 0,
                        heard: 0,
                    };
                    let probe = |k: &u32| -> Result<bool, Infallible> {
                        std::thread::yield_now();
                        Ok(*k == key)
                    };
                    cache.insert(newcomer, When::Always, probe, &mut Gone::new()).unwrap();
                }
            });
        }
    });
    let mut keys: Vec<_> = cache.entries().map(|(key, _)| key).collect();
    keys.sort_unstable();
    assert_eq!((0..30).collect::<Vec<_>>(), keys);
}
