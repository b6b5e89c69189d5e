//! The cache against a plain model: a list in order of use.

use augury_core::cache::{Cache, Gone, Newcomer, Outcome, Peeked, Pure, When};
use augury_core::clock::{ManualClock, Millis};
use augury_core::metrics::{RemovalCause, Stats};
use augury_core::policy::eviction::lru::Lru;
use proptest::prelude::*;
use std::convert::Infallible;

#[derive(Debug, Clone)]
enum Op {
    Get(u8),
    Peek(u8),
    Insert { key: u8, size: u32, ttl: Option<u64>, when: u8 },
    SetDeadline(u8, Option<u64>),
    Remove(u8),
    Advance(u64),
    Resize(u64),
    Clear,
}

fn op() -> impl Strategy<Value = Op> {
    let ttl = || prop::option::of(0u64..40);
    prop_oneof![
        6 => (0u8..12).prop_map(Op::Get),
        2 => (0u8..12).prop_map(Op::Peek),
        8 => (0u8..12, 0u32..6, ttl(), 0u8..6)
            .prop_map(|(key, size, ttl, when)| Op::Insert { key, size, ttl, when }),
        1 => (0u8..12, ttl()).prop_map(|(key, ttl)| Op::SetDeadline(key, ttl)),
        2 => (0u8..12).prop_map(Op::Remove),
        2 => (0u64..30).prop_map(Op::Advance),
        1 => (0u64..25).prop_map(Op::Resize),
        1 => Just(Op::Clear),
    ]
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    key: u8,
    value: u32,
    size: u32,
    deadline: Option<Millis>,
}

type Left = (u8, u32, RemovalCause);

#[derive(Default)]
struct Model {
    /// Most recently used first.
    entries: Vec<Entry>,
    capacity: u64,
    now: Millis,
    stats: Stats,
    left: Vec<Left>,
}

impl Model {
    fn at(&self, key: u8) -> Option<usize> {
        self.entries.iter().position(|entry| entry.key == key)
    }

    fn used(&self) -> u64 {
        self.entries.iter().map(|entry| entry.size as u64).sum()
    }

    fn take(&mut self, at: usize, cause: RemovalCause) {
        let entry = self.entries.remove(at);
        self.stats.removed(cause);
        self.left.push((entry.key, entry.value, cause));
    }

    fn expire(&mut self) {
        let now = self.now;
        let due = |entry: &Entry| entry.deadline.is_some_and(|deadline| deadline <= now);
        while let Some(at) = self.entries.iter().position(due) {
            self.take(at, RemovalCause::Expired);
        }
    }

    fn shrink(&mut self, room: u64) {
        while self.used() + room > self.capacity {
            self.take(self.entries.len() - 1, RemovalCause::Evicted);
        }
    }

    fn get(&mut self, key: u8) -> Option<u32> {
        let Some(at) = self.at(key) else {
            self.stats.misses += 1;
            return None;
        };
        let entry = self.entries.remove(at);
        self.entries.insert(0, entry);
        self.stats.hits += 1;
        self.stats.requested_bytes += entry.size as u64;
        Some(entry.value)
    }

    fn insert(&mut self, entry: Entry, when: u8) -> Outcome {
        let at = self.at(entry.key);
        let allowed = match when {
            0 => at.is_none(),
            1 => at.is_some(),
            2 => at.is_some_and(|at| self.entries[at].value.is_multiple_of(2)),
            _ => true,
        };
        if !allowed {
            return Outcome::Declined;
        }
        if entry.deadline.is_some_and(|deadline| deadline <= self.now) {
            at.into_iter().for_each(|at| self.take(at, RemovalCause::Expired));
            self.left.push((entry.key, entry.value, RemovalCause::Expired));
            return Outcome::Expired;
        }
        if entry.size as u64 > self.capacity {
            at.into_iter().for_each(|at| self.take(at, RemovalCause::Evicted));
            self.left.push((entry.key, entry.value, RemovalCause::Evicted));
            self.stats.oversized += 1;
            return Outcome::Oversized;
        }
        if let Some(at) = at {
            self.take(at, RemovalCause::Replaced);
            self.entries.insert(0, entry);
            self.shrink(0);
            return Outcome::Replaced;
        }
        self.shrink(entry.size as u64);
        self.entries.insert(0, entry);
        self.stats.insertions += 1;
        Outcome::Added
    }
}

/// Three keys share each hash.
fn hash(key: u8) -> u64 {
    u64::from(key % 4) << 60 | u64::from(key % 4) << 30
}

/// The two ways to an answer, which must not differ.
macro_rules! with_probe {
    ($quick:expr, $key:expr, |$probe:ident| $call:expr) => {{
        let key = $key;
        if $quick {
            let $probe = Pure(move |k: &u8| *k == key);
            $call.unwrap()
        } else {
            let $probe = move |k: &u8| Ok::<_, Infallible>(*k == key);
            $call.unwrap()
        }
    }};
}

/// `eager`: small, and what is due is removed at once, so that the model's order of eviction is
/// exact. Otherwise there is room for all and expiry is left to the operations.
fn run(ops: Vec<Op>, quick: bool, shards: usize, eager: bool) -> Result<(), TestCaseError> {
    let capacity = if eager { 16 } else { 1 << 20 };
    let clock = ManualClock::default();
    let cache = Cache::<u8, u32, Lru, _>::new(capacity, shards, &clock, |_| Lru::default());
    let mut model = Model { capacity, ..Model::default() };
    let mut gone = Gone::new();
    for (value, op) in (0u32..).zip(ops) {
        match op {
            Op::Get(key) => {
                let got = with_probe!(quick, key, |probe| cache.get(hash(key), probe, &mut gone));
                prop_assert_eq!(model.get(key), got);
            }
            Op::Peek(key) => {
                let expected = model.at(key).map(|at| {
                    let Entry { value, size, deadline, .. } = model.entries[at];
                    Peeked { value, size, deadline }
                });
                let there = expected.is_some();
                let found =
                    with_probe!(quick, key, |probe| cache.contains(hash(key), probe, &mut gone));
                prop_assert_eq!(there, found);
                let seen = with_probe!(quick, key, |probe| cache.peek(hash(key), probe, &mut gone));
                prop_assert_eq!(expected, seen);
            }
            Op::Insert { key, size, ttl, when } => {
                let deadline = ttl.map(|ttl| model.now + ttl);
                let condition = match when {
                    0 => When::Absent,
                    1 => When::Present,
                    2 => When::Matching(&|value: &u32| value.is_multiple_of(2)),
                    _ => When::Always,
                };
                let newcomer = Newcomer {
                    hash: hash(key),
                    key,
                    value,
                    size,
                    deadline,
                    is_forced: false,
                    namespace: 0,
                    heard: 0,
                };
                let outcome = with_probe!(quick, key, |probe| {
                    cache.insert(newcomer, condition, probe, &mut gone)
                });
                prop_assert_eq!(model.insert(Entry { key, value, size, deadline }, when), outcome);
            }
            Op::SetDeadline(key, ttl) => {
                let deadline = ttl.map(|ttl| model.now + ttl);
                let done = with_probe!(quick, key, |probe| {
                    cache.set_deadline(hash(key), deadline, probe, &mut gone)
                });
                prop_assert_eq!(model.at(key).is_some(), done);
                if let Some(at) = model.at(key) {
                    model.entries[at].deadline = deadline;
                    model.expire();
                }
            }
            Op::Remove(key) => {
                let removed =
                    with_probe!(quick, key, |probe| cache.remove(hash(key), probe, &mut gone));
                let at = model.at(key);
                at.into_iter().for_each(|at| model.take(at, RemovalCause::Explicit));
                prop_assert_eq!(at.is_some(), removed.is_some());
                gone.extend(removed);
            }
            Op::Advance(by) => {
                model.now += by;
                clock.advance_to(model.now);
                model.expire();
                if eager {
                    cache.expire(usize::MAX, &mut gone);
                }
            }
            Op::Resize(to) => {
                if eager {
                    cache.resize(to, &mut gone);
                    model.capacity = to;
                    model.shrink(0);
                }
            }
            Op::Clear => {
                // What is due leaves as expired in the model, so it must here.
                cache.expire(usize::MAX, &mut gone);
                cache.clear(&mut gone);
                while !model.entries.is_empty() {
                    model.take(0, RemovalCause::Explicit);
                }
            }
        }
        if eager {
            prop_assert_eq!(model.stats, cache.stats());
            prop_assert_eq!(model.used(), cache.used());
        }
        let mut fresh: Vec<_> = cache.entries().collect();
        let mut expected: Vec<_> = model.entries.iter().map(|e| (e.key, e.value)).collect();
        fresh.sort_unstable();
        expected.sort_unstable();
        prop_assert_eq!(expected, fresh);
    }
    cache.expire(usize::MAX, &mut gone);
    prop_assert_eq!(model.stats, cache.stats());
    prop_assert_eq!(model.entries.len(), cache.len());
    let mut left: Vec<_> = gone.into_iter().map(|r| (r.value, r.cause as u8)).collect();
    let mut expected: Vec<_> = model.left.iter().map(|&(_, v, cause)| (v, cause as u8)).collect();
    left.sort_unstable();
    expected.sort_unstable();
    prop_assert_eq!(expected, left);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// One shard is exact LRU under sizes, conditions, deadlines, resizing and equal hashes;
    /// statistics count everything once, and everything that left is handed back once.
    #[test]
    fn one_shard_is_lru(ops in prop::collection::vec(op(), 1..200), quick: bool) {
        run(ops, quick, 1, true)?;
    }

    /// With room for all and expiry left to the operations themselves, what is due is never
    /// seen, is counted as expired once, and every shard count gives the same answers.
    #[test]
    fn shards_and_lazy_expiry_cannot_be_told(
        ops in prop::collection::vec(op(), 1..200), quick: bool, shards in 1usize..5
    ) {
        run(ops, quick, shards, false)?;
    }
}
