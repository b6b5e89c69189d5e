//! One shard: a store and a policy under one capacity.
//!
//! The engine room. Every door (replay, Python, server) ends in these verbs, each a short
//! sequence of store and policy calls with bounded work. A shard compares no keys, runs no
//! foreign code and drops no value: entries that leave go to a [`Sink`], which the caller empties
//! after letting go of the lock.

use crate::clock::Millis;
use crate::metrics::{RemovalCause, Stats};
use crate::policy::{Policy, Verdict};
use crate::request::{Access, NEVER, Tick};
use crate::slots::SlotId;
use crate::store::Store;

/// Where removed entries go.
pub trait Sink<K, V> {
    /// Takes over an entry that has left.
    fn removed(&mut self, key: K, value: V, cause: RemovalCause);
}

/// Entries that have left, kept until the lock is released.
pub struct Removed<K, V> {
    /// The key.
    pub key: K,
    /// The value.
    pub value: V,
    /// Why it left.
    pub cause: RemovalCause,
}

impl<K, V> Sink<K, V> for Vec<Removed<K, V>> {
    fn removed(&mut self, key: K, value: V, cause: RemovalCause) {
        self.push(Removed { key, value, cause });
    }
}

/// Drops on the spot: for keys and values whose drop runs no foreign code (replay).
pub struct Drop;

impl<K, V> Sink<K, V> for Drop {
    #[inline]
    fn removed(&mut self, _key: K, _value: V, _cause: RemovalCause) {}
}

/// What became of an insertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// Resident in this slot.
    Stored(SlotId),
    /// The policy turned it away.
    Rejected,
    /// Larger than the whole cache.
    Oversized,
}

/// See the module's head.
pub struct Shard<K, V, P: Policy> {
    store: Store<K, V, P::Record>,
    policy: P,
    capacity: u64,
    stats: Stats,
    tick: Tick,
}

impl<K, V, P: Policy> Shard<K, V, P> {
    /// An empty shard. `capacity` is in the unit of the sizes that accesses carry.
    pub fn new(capacity: u64, mut policy: P) -> Self {
        policy.set_capacity(capacity);
        Shard { store: Store::default(), policy, capacity, stats: Stats::default(), tick: 0 }
    }

    /// The store, to look for candidates and read entries.
    #[inline]
    pub fn store(&self) -> &Store<K, V, P::Record> {
        &self.store
    }

    /// The policy.
    pub fn policy(&self) -> &P {
        &self.policy
    }

    /// Counters since the beginning.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Requests seen so far.
    pub fn tick(&self) -> Tick {
        self.tick
    }

    /// The capacity.
    pub fn capacity(&self) -> u64 {
        self.capacity
    }

    /// An access at the present tick; counts the request.
    #[inline]
    pub fn begin(&mut self, hash: u64, key: u64, size: u32) -> Access {
        let now = self.tick;
        self.tick += 1;
        Access { hash, key, size, now, next_access: NEVER }
    }

    /// The access found `id`: fresh, compared, resident. Counts a hit; a size that differs is
    /// taken over and room made for it.
    #[inline]
    pub fn hit(&mut self, id: SlotId, access: &Access, sink: &mut impl Sink<K, V>) {
        self.stats.hits += 1;
        self.stats.requested_bytes += access.size as u64;
        self.policy.on_hit(self.store.slots_mut(), id, access);
        if self.store.slots().size(id) != access.size {
            self.resize_entry(id, access.size, access.now, sink);
        }
    }

    /// The access found nothing. Counts a miss.
    #[inline]
    pub fn miss(&mut self, access: &Access) {
        self.stats.misses += 1;
        self.stats.requested_bytes += access.size as u64;
        self.stats.missed_bytes += access.size as u64;
        self.policy.on_miss(self.store.slots(), access);
    }

    /// Adds an entry whose key is not resident, making room first. Where the entry is not
    /// stored, key and value go to the sink as evicted.
    #[inline]
    pub fn insert(
        &mut self,
        access: &Access,
        key: K,
        value: V,
        deadline: Option<Millis>,
        sink: &mut impl Sink<K, V>,
    ) -> Inserted {
        let size = access.size as u64;
        if size > self.capacity {
            self.stats.oversized += 1;
            sink.removed(key, value, RemovalCause::Evicted);
            return Inserted::Oversized;
        }
        while self.store.used() + size > self.capacity {
            match self.policy.victim(self.store.slots_mut(), Some(access), access.now) {
                Verdict::Evict(id) => self.remove_at(id, RemovalCause::Evicted, access.now, sink),
                Verdict::Reject => {
                    self.policy.on_reject(access);
                    self.stats.rejections += 1;
                    sink.removed(key, value, RemovalCause::Evicted);
                    return Inserted::Rejected;
                }
            }
        }
        let id = self.store.insert(access.hash, access.size, key, value);
        if deadline.is_some() {
            self.store.set_deadline(id, deadline);
        }
        self.policy.on_insert(self.store.slots_mut(), id, access);
        self.stats.insertions += 1;
        Inserted::Stored(id)
    }

    /// Sets or clears a resident's deadline.
    pub fn set_deadline(&mut self, id: SlotId, deadline: Option<Millis>) {
        self.store.set_deadline(id, deadline);
    }

    /// Replaces a resident's value, size and deadline; the old value is handed back.
    pub fn replace(
        &mut self,
        id: SlotId,
        value: V,
        size: u32,
        deadline: Option<Millis>,
        sink: &mut impl Sink<K, V>,
    ) -> Option<V> {
        let old = self.store.replace_value(id, value)?;
        self.stats.removed(RemovalCause::Replaced);
        self.store.set_deadline(id, deadline);
        self.resize_entry(id, size, self.tick, sink);
        Some(old)
    }

    /// Removes a resident.
    #[inline]
    pub fn remove(&mut self, id: SlotId, cause: RemovalCause, sink: &mut impl Sink<K, V>) {
        self.remove_at(id, cause, self.tick, sink);
    }

    /// Removes up to `limit` residents whose deadline is at or before `now`; returns how many.
    pub fn expire(&mut self, now: Millis, limit: usize, sink: &mut impl Sink<K, V>) -> usize {
        let mut count = 0;
        while count < limit {
            let Some(id) = self.store.next_expired(now) else { break };
            self.remove_at(id, RemovalCause::Expired, self.tick, sink);
            count += 1;
        }
        count
    }

    /// Changes the capacity, evicting what no longer fits.
    pub fn resize(&mut self, capacity: u64, sink: &mut impl Sink<K, V>) {
        self.capacity = capacity;
        self.policy.set_capacity(capacity);
        self.shrink(self.tick, sink);
    }

    /// Bytes of index, slots, deadlines and policy; not what keys and values own.
    pub fn memory_bytes(&self) -> usize {
        self.store.memory_bytes() + self.policy.memory_bytes()
    }

    fn resize_entry(&mut self, id: SlotId, size: u32, now: Tick, sink: &mut impl Sink<K, V>) {
        let old = self.store.slots().size(id);
        self.store.set_size(id, size);
        self.policy.on_resize(self.store.slots(), id, old);
        self.shrink(now, sink);
    }

    fn shrink(&mut self, now: Tick, sink: &mut impl Sink<K, V>) {
        while self.store.used() > self.capacity && !self.store.is_empty() {
            match self.policy.victim(self.store.slots_mut(), None, now) {
                Verdict::Evict(id) => self.remove_at(id, RemovalCause::Evicted, now, sink),
                Verdict::Reject => unreachable!("no newcomer to reject"),
            }
        }
    }

    #[inline]
    fn remove_at(
        &mut self,
        id: SlotId,
        cause: RemovalCause,
        now: Tick,
        sink: &mut impl Sink<K, V>,
    ) {
        if !self.store.slots().is_live(id) {
            debug_assert!(false, "slot {id} is not resident");
            return;
        }
        self.policy.on_remove(self.store.slots_mut(), id, cause, now);
        if let Some((key, value)) = self.store.remove(id) {
            self.stats.removed(cause);
            sink.removed(key, value, cause);
        }
    }
}
