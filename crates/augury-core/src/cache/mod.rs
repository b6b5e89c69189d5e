//! The concurrent cache: shards under locks, and the caller's code outside them.
//!
//! What the Python package and the server use; replay drives a [`Shard`] directly. A key arrives
//! as a well-mixed 64-bit hash and a [`Probe`] that recognises it, so objects with an equality of
//! their own and plain bytes take the same way.
//!
//! **No caller code under a lock**: equality ([`Probe::matches`]), clocks, sizes, loaders,
//! listeners and the drop of keys and values all run unlocked and may call the cache. What
//! leaves is appended to the caller's [`Gone`] list, whose owner tells listeners and drops it.
//! Under a lock run only the policy, [`Probe::quick`], [`When::Matching`], and `Clone` of keys
//! and values, which must be cheap handles (an `Arc`, an integer, a counted reference).
//!
//! Each operation on one key is linearizable. Operations on the whole cache (`clear`, `resize`,
//! `stats`, iteration) take the shards one after the other.
//!
//! A shard is the unit of eviction: it has its share of the capacity, picks victims among its own
//! entries and refuses what is larger than its share. One shard evicts exactly as the policy
//! says; more shards let more threads work at once, and keep the difference small while a share
//! holds some hundreds of entries.

mod entries;
mod lookup;
mod probe;
mod shards;

pub use entries::Entries;
pub use probe::{Probe, Pure};

use crate::clock::{Clock, Millis};
use crate::hash::reduce;
use crate::metrics::{RemovalCause, Stats};
use crate::policy::Policy;
use crate::shard::{Inserted, Removed, Shard};
use lookup::{Found, Pins, ROUNDS, evict_hash};
use shards::{Shards, share};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Due entries that an operation removes in passing: more than it can add, so they never pile up
/// under traffic. [`Cache::expire`] removes them without traffic.
const EXPIRED_PER_OPERATION: usize = 2;

/// Entries removed per locking by operations on the whole cache.
const BATCH: usize = 256;

/// Entries that have left, in the order of leaving: for listeners, then to be dropped. The list
/// belongs to the caller and is only ever appended to.
pub type Gone<K, V> = Vec<Removed<K, V>>;

/// An entry on its way in.
#[derive(Debug, Clone)]
pub struct Newcomer<K, V> {
    /// Well-mixed 64-bit hash of the key.
    pub hash: u64,
    /// The key.
    pub key: K,
    /// The value.
    pub value: V,
    /// In the unit of the capacity: bytes, or 1 where entries are counted.
    pub size: u32,
    /// From this time on the entry is expired; `None` for never.
    pub deadline: Option<Millis>,
}

/// On what condition an insertion takes place.
#[derive(Clone, Copy)]
pub enum When<'a, V> {
    /// Always.
    Always,
    /// The key is not resident.
    Absent,
    /// The key is resident.
    Present,
    /// The key is resident and this is true of its value: compare and set. Called under the
    /// lock: the contract of [`Probe::quick`].
    Matching(&'a dyn Fn(&V) -> bool),
}

impl<V> When<'_, V> {
    fn allows(&self, resident: Option<&V>) -> bool {
        match self {
            When::Always => true,
            When::Absent => resident.is_none(),
            When::Present => resident.is_some(),
            When::Matching(test) => resident.is_some_and(test),
        }
    }
}

/// What became of an insertion. Where it is not stored, the key's earlier entry is gone too,
/// except for `Declined`: nobody reads a value that has been written over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Resident; the key was not.
    Added,
    /// Resident in place of an older value, which left as [`RemovalCause::Replaced`].
    Replaced,
    /// The condition did not hold; nothing has changed.
    Declined,
    /// The policy turned the newcomer away; it is in the list as evicted.
    Rejected,
    /// Larger than the shard; it is in the list as evicted.
    Oversized,
    /// Its deadline has passed already; it is in the list as expired.
    Expired,
}

impl Outcome {
    fn cause(self) -> Option<RemovalCause> {
        match self {
            Outcome::Added | Outcome::Replaced | Outcome::Declined => None,
            Outcome::Rejected | Outcome::Oversized => Some(RemovalCause::Evicted),
            Outcome::Expired => Some(RemovalCause::Expired),
        }
    }
}

/// A resident as [`Cache::peek`] sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peeked<V> {
    /// The value.
    pub value: V,
    /// Its size, in the unit of the capacity.
    pub size: u32,
    /// Its deadline, if it has one.
    pub deadline: Option<Millis>,
}

/// See the module's head.
pub struct Cache<K, V, P: Policy, C> {
    shards: Shards<K, V, P>,
    clock: C,
    capacity: AtomicU64,
    /// Where the next [`Cache::expire`] begins, so that no shard is always the last.
    sweep: AtomicUsize,
}

impl<K, V, P: Policy, C: Clock> Cache<K, V, P, C> {
    /// An empty cache of `capacity` in the unit of the sizes. `make_policy` is given the shard's
    /// number (to derive a seed from) and is called again if a policy panics. There is at least
    /// one shard, and no more than units of capacity,
    /// nor than 65,536.
    pub fn new(
        capacity: u64,
        shards: usize,
        clock: C,
        make_policy: impl Fn(usize) -> P + Send + Sync + 'static,
    ) -> Self {
        let count = shards.clamp(1, capacity.clamp(1, 1 << 16) as usize);
        Cache {
            shards: Shards::new(capacity, count, make_policy),
            clock,
            capacity: AtomicU64::new(capacity),
            sweep: AtomicUsize::new(0),
        }
    }

    /// The clock that deadlines are compared with.
    pub fn clock(&self) -> &C {
        &self.clock
    }

    /// The capacity, in the unit of the sizes.
    pub fn capacity(&self) -> u64 {
        self.capacity.load(Ordering::Relaxed)
    }

    /// Number of shards.
    pub fn shards(&self) -> usize {
        self.shards.count()
    }

    /// How often a shard was emptied and started anew because of a panic under its lock.
    pub fn rebuilt(&self) -> u64 {
        self.shards.rebuilt()
    }

    /// Number of entries, with those that are due but not yet removed.
    pub fn len(&self) -> usize {
        self.sum(|shard| shard.store().len() as u64) as usize
    }

    /// Whether [`Cache::len`] is 0.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sum of the entries' sizes.
    pub fn used(&self) -> u64 {
        self.sum(|shard| shard.store().used())
    }

    /// Counters since the beginning. Bytes are those of hits alone: a miss's size is unknown.
    pub fn stats(&self) -> Stats {
        let mut stats = Stats::default();
        for at in 0..self.shards.count() {
            stats.add(self.shards.lock(at).stats());
        }
        stats
    }

    /// Bytes held by the cache itself; not what keys and values own.
    pub fn memory_bytes(&self) -> usize {
        let inner = self.sum(|shard| shard.memory_bytes() as u64) as usize;
        size_of::<Self>() + inner + self.shards.count() * size_of::<Shard<K, V, P>>()
    }

    /// Removes up to `limit` entries whose deadline has passed; returns how many.
    pub fn expire(&self, limit: usize, gone: &mut Gone<K, V>) -> usize {
        let (mut count, start) = (0, self.sweep.fetch_add(1, Ordering::Relaxed));
        for at in 0..self.shards.count() {
            let at = start.wrapping_add(at) % self.shards.count();
            while count < limit {
                let now = self.clock.now();
                let batch = BATCH.min(limit - count);
                let expired = self.shards.lock(at).expire(now, batch, gone);
                count += expired;
                if expired < batch {
                    break;
                }
            }
        }
        count
    }

    /// Changes the capacity, evicting in steps what no longer fits. Of two calls at once the
    /// later one's capacity holds.
    pub fn resize(&self, capacity: u64, gone: &mut Gone<K, V>) {
        self.capacity.store(capacity, Ordering::SeqCst);
        let target = |at| share(self.capacity.load(Ordering::SeqCst), self.shards.count(), at);
        for at in 0..self.shards.count() {
            // Others may fill up what a step has freed: the number of steps is bounded.
            let steps = self.shards.lock(at).store().len() / BATCH;
            for _ in 0..steps {
                if self.shards.lock(at).evict_down(target(at), BATCH, gone) {
                    break;
                }
            }
            let mut shard = self.shards.lock(at);
            shard.resize(target(at), gone);
        }
    }

    /// Removes every entry that was resident when the call began; one that comes while it runs
    /// may stay. Statistics and what the policy has learned are kept.
    pub fn clear(&self, gone: &mut Gone<K, V>) {
        for at in 0..self.shards.count() {
            let bound = self.shards.lock(at).store().slots().bound();
            for from in (0..bound).step_by(BATCH) {
                let mut shard = self.shards.lock(at);
                let end = shard.store().slots().bound().min(from.saturating_add(BATCH as u32));
                for id in from..end {
                    if shard.store().slots().is_live(id) {
                        shard.remove(id, RemovalCause::Explicit, gone);
                    }
                }
            }
        }
    }

    fn sum(&self, count: impl Fn(&Shard<K, V, P>) -> u64) -> u64 {
        (0..self.shards.count()).map(|at| count(&self.shards.lock(at))).sum()
    }

    /// The low half of the hash picks the shard; the index in the shard uses the high half.
    #[inline]
    fn shard_of(&self, hash: u64) -> usize {
        reduce(hash as u32, self.shards.count() as u32) as usize
    }
}

impl<K: Clone, V, P: Policy, C: Clock> Cache<K, V, P, C> {
    /// The value, if the key is resident and fresh: a hit, else a miss. An error of the probe
    /// is passed on; the request is then neither.
    #[inline]
    pub fn get<Q: Probe<K>>(
        &self,
        hash: u64,
        mut probe: Q,
        gone: &mut Gone<K, V>,
    ) -> Result<Option<V>, Q::Error>
    where
        V: Clone,
    {
        let number = probe.number().unwrap_or(hash);
        self.settle(hash, &mut probe, gone, |shard, found, _, gone| {
            if let Found::At(id) = found
                && let Some(value) = shard.store().entry(id).map(|(_, value)| value.clone())
            {
                let size = shard.store().slots().size(id);
                let access = shard.begin(hash, number, size);
                shard.hit(id, &access, gone);
                return Some(value);
            }
            let access = shard.begin(hash, number, 1);
            shard.miss_unsized(&access);
            None
        })
    }

    /// What is resident under the key, without recording an access.
    pub fn peek<Q: Probe<K>>(
        &self,
        hash: u64,
        mut probe: Q,
        gone: &mut Gone<K, V>,
    ) -> Result<Option<Peeked<V>>, Q::Error>
    where
        V: Clone,
    {
        self.settle(hash, &mut probe, gone, |shard, found, _, _| {
            let Found::At(id) = found else { return None };
            let store = shard.store();
            let value = store.entry(id)?.1.clone();
            Some(Peeked { value, size: store.slots().size(id), deadline: store.deadline(id) })
        })
    }

    /// Whether the key is resident and fresh, without recording an access.
    pub fn contains<Q: Probe<K>>(
        &self,
        hash: u64,
        mut probe: Q,
        gone: &mut Gone<K, V>,
    ) -> Result<bool, Q::Error> {
        self.settle(hash, &mut probe, gone, |_, found, _, _| matches!(found, Found::At(_)))
    }

    /// Gives a resident a new deadline, or none; whether the key is resident. Not an access.
    /// A deadline that has passed removes the entry.
    pub fn set_deadline<Q: Probe<K>>(
        &self,
        hash: u64,
        deadline: Option<Millis>,
        mut probe: Q,
        gone: &mut Gone<K, V>,
    ) -> Result<bool, Q::Error> {
        self.settle(hash, &mut probe, gone, |shard, found, now, gone| {
            let Found::At(id) = found else { return false };
            if deadline.is_some_and(|at| at <= now) {
                shard.remove(id, RemovalCause::Expired, gone);
            } else {
                shard.set_deadline(id, deadline);
            }
            true
        })
    }

    /// Stores an entry, in place of the key's earlier one, if `when` allows.
    ///
    /// Writing over a resident counts as use for the policy and as no request in the statistics.
    /// An error of the probe is passed on, with nothing changed.
    pub fn insert<Q: Probe<K>>(
        &self,
        newcomer: Newcomer<K, V>,
        when: When<'_, V>,
        mut probe: Q,
        gone: &mut Gone<K, V>,
    ) -> Result<Outcome, Q::Error> {
        let Newcomer { hash, key, value, size, deadline } = newcomer;
        let number = probe.number().unwrap_or(hash);
        // Out here, not in the closure: what is not stored, or panics, is dropped unlocked.
        let mut held = Some((key, value));
        let outcome = self.settle(hash, &mut probe, gone, |shard, found, now, gone| {
            let resident = match found {
                Found::At(id) => Some(id),
                Found::Absent => None,
                Found::Undecided => {
                    evict_hash(shard, hash, gone);
                    None
                }
            };
            let entry = resident.and_then(|id| shard.store().entry(id));
            if !when.allows(entry.map(|(_, value)| value)) {
                return Outcome::Declined;
            }
            let access = shard.write(hash, number, size);
            let dead = deadline.is_some_and(|at| at <= now);
            match resident {
                Some(id) if dead => shard.remove(id, RemovalCause::Expired, gone),
                Some(id) if size as u64 > shard.capacity() => {
                    shard.remove(id, RemovalCause::Evicted, gone);
                }
                Some(id) => {
                    let Some((key, value)) = held.take() else { return Outcome::Declined };
                    let version = shard.store().slots().version(id);
                    shard.replace(id, &access, key, value, deadline, gone);
                    // Grown, it may have been the victim that made room for itself.
                    let stays = shard.store().slots().version(id) == version;
                    return if stays { Outcome::Replaced } else { Outcome::Rejected };
                }
                None => {}
            }
            if dead {
                return Outcome::Expired;
            }
            match shard.make_room(&access, gone) {
                Err(Inserted::Oversized) => return Outcome::Oversized,
                Err(_) => return Outcome::Rejected,
                Ok(()) => {}
            }
            if let Some((key, value)) = held.take() {
                shard.place(&access, key, value, deadline);
            }
            Outcome::Added
        })?;
        if let (Some((key, value)), Some(cause)) = (held, outcome.cause()) {
            gone.push(Removed { key, value, cause });
        }
        Ok(outcome)
    }

    /// Removes the key's entry and hands it back (it alone is not in the list).
    pub fn remove<Q: Probe<K>>(
        &self,
        hash: u64,
        mut probe: Q,
        gone: &mut Gone<K, V>,
    ) -> Result<Option<Removed<K, V>>, Q::Error> {
        self.settle(hash, &mut probe, gone, |shard, found, _, gone| match found {
            Found::At(id) => {
                shard.remove(id, RemovalCause::Explicit, gone);
                gone.pop()
            }
            Found::Absent => None,
            Found::Undecided => {
                evict_hash(shard, hash, gone);
                None
            }
        })
    }

    /// Iterates over keys and values. Every entry that is resident throughout is seen exactly
    /// once; one that comes, goes or comes back meanwhile may or may not be. Not an access.
    pub fn entries(&self) -> Entries<'_, K, V, P, C> {
        Entries::new(self)
    }

    /// Looks the key up and acts on what was found, under the lock in which it was found.
    #[inline]
    fn settle<Q: Probe<K>, T>(
        &self,
        hash: u64,
        probe: &mut Q,
        gone: &mut Gone<K, V>,
        act: impl FnOnce(&mut Shard<K, V, P>, Found, Millis, &mut Gone<K, V>) -> T,
    ) -> Result<T, Q::Error> {
        let at = self.shard_of(hash);
        let mut pins = Pins::new();
        for round in 0.. {
            let now = self.clock.now();
            {
                let mut shard = self.shards.lock(at);
                shard.expire(now, EXPIRED_PER_OPERATION, gone);
                let found = pins.walk(&mut shard, hash, now, probe, gone);
                if let Some(found) = found.or((round == ROUNDS).then_some(Found::Undecided)) {
                    return Ok(act(&mut shard, found, now, gone));
                }
            }
            pins.ask(probe)?;
        }
        unreachable!("round {ROUNDS} returns")
    }
}
