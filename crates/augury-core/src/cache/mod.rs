//! The concurrent cache: shards under locks, and the caller's code outside them.
//!
//! What the Python package and the server use; replay drives a [`Shard`] directly. A key arrives
//! as a well-mixed 64-bit hash and a [`Probe`] that recognises it, so objects with an equality of
//! their own and plain bytes take the same way.
//!
//! **No caller code under a lock**: equality ([`Probe::matches`]), sizes, loaders,
//! listeners and the drop of keys and values all run unlocked and may call the cache. What
//! leaves is appended to the caller's [`Gone`] list, whose owner tells listeners and drops it.
//! Under a lock run only the policy, the clock, [`Probe::quick`], [`When::Matching`], and `Clone` of keys
//! and values, which must be cheap handles (an `Arc`, an integer, a counted reference).
//!
//! Each operation on one key is linearizable. Operations on the whole cache (`clear`, `resize`,
//! `stats`, iteration) take the shards one after the other.
//!
//! A shard is the unit of eviction: it has its share of the capacity, picks victims among its own
//! entries and refuses what is larger than its share. One shard evicts exactly as the policy
//! says; more shards let more threads work at once, and keep the difference small while a share
//! holds some hundreds of entries.

#![forbid(unsafe_code)]

mod curve;
mod entries;
mod entry;
mod keyed;
mod lookup;
mod permit;
mod probe;
mod saving;
#[cfg(test)]
mod schedules;
mod settings;
mod shards;
mod sync;

pub use entries::{Cursor, Entries, Noted};
pub use entry::{Newcomer, Outcome, Peeked, When};
pub use permit::Permit;
pub use probe::{Probe, Pure};
pub use saving::{Export, Kept, Memory};

use crate::clock::Clock;
use crate::hash::reduce;
use crate::metrics::{RemovalCause, Stats};
use crate::policy::Policy;
use crate::shard::{Left, Shard};
use shards::{Shards, share};
use sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Entries removed per locking by operations on the whole cache.
const BATCH: usize = 256;

/// Entries that have left, in the order of leaving: for listeners, then to be dropped. The list
/// belongs to the caller and is only ever appended to.
pub type Gone<K, V> = Left<K, V>;

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

    /// Whether there is an entry of this hash, due or not, whatever its key: for those who only
    /// know hashes. Not an access.
    pub fn holds(&self, hash: u64) -> bool {
        self.shards.lock(self.shard_of(hash)).store().candidates(hash).next().is_some()
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

    /// Leaves so much of the capacity to others, about evenly over the shards.
    pub fn reserve(&self, room: u64, gone: &mut Gone<K, V>) {
        for at in 0..self.shards.count() {
            self.shards.lock(at).reserve(share(room, self.shards.count(), at), gone);
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

    /// Iterates over keys and values. Every entry that is resident throughout is seen exactly
    /// once; one that comes, goes or comes back meanwhile may or may not be. Not an access.
    pub fn entries(&self) -> Entries<'_, K, V, P, C> {
        Entries::new(self)
    }

    /// Shows every resident key and value, one shard after the other. **Called under a shard's
    /// lock**: the contract of [`Probe::quick`]. For a garbage collector, which may clone nothing.
    pub fn visit(&self, mut show: impl FnMut(&K, &V)) {
        for at in 0..self.shards.count() {
            let shard = self.shards.lock(at);
            let store = shard.store();
            for (key, value) in store.slots().iter_live().filter_map(|id| store.entry(id)) {
                show(key, value);
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
