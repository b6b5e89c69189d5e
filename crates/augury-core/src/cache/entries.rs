//! Iteration that is safe under mutation: no lock is held between two entries.

use super::Cache;
use crate::clock::Clock;
use crate::policy::Policy;
use crate::slots::SlotId;

/// Slots looked at, and at most so many entries cloned, per locking.
const BATCH: SlotId = 64;

/// Iterator over key and value handles; see [`Cache::entries`].
pub struct Entries<'a, K, V, P: Policy, C> {
    cache: &'a Cache<K, V, P, C>,
    shard: usize,
    next: SlotId,
    /// What is left of the last batch, in reverse.
    batch: Vec<(K, V)>,
}

impl<'a, K, V, P: Policy, C> Entries<'a, K, V, P, C> {
    pub(super) fn new(cache: &'a Cache<K, V, P, C>) -> Self {
        Entries { cache, shard: 0, next: 0, batch: Vec::new() }
    }
}

impl<K: Clone, V: Clone, P: Policy, C: Clock> Iterator for Entries<'_, K, V, P, C> {
    type Item = (K, V);

    fn next(&mut self) -> Option<(K, V)> {
        while self.batch.is_empty() && self.shard < self.cache.shards.count() {
            let now = self.cache.clock.now();
            let shard = self.cache.shards.lock(self.shard);
            let store = shard.store();
            let end = store.slots().bound().min(self.next.saturating_add(BATCH));
            let fresh = |id: &SlotId| store.deadline(*id).is_none_or(|at| at > now);
            let slots = (self.next..end).rev().filter(fresh);
            self.batch.extend(slots.filter_map(|id| store.entry(id)).cloned());
            self.next = end;
            if end == store.slots().bound() {
                (self.shard, self.next) = (self.shard + 1, 0);
            }
        }
        self.batch.pop()
    }
}
