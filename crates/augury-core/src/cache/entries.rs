//! Iteration that is safe under mutation: no lock is held between two entries.

use super::Cache;
use crate::clock::Clock;
use crate::policy::Policy;
use crate::slots::SlotId;

/// Slots looked at, and at most so many entries cloned, per locking.
const BATCH: SlotId = 64;

/// How far an iteration has come. The default is its beginning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cursor {
    shard: usize,
    next: SlotId,
}

impl<K: Clone, V: Clone, P: Policy, C: Clock> Cache<K, V, P, C> {
    /// Appends the next entries, if there are any, in reverse; whether the iteration goes on. For
    /// callers that cannot hold on to an [`Entries`].
    pub fn next_entries(&self, cursor: &mut Cursor, batch: &mut Vec<(K, V)>) -> bool {
        while cursor.shard < self.shards.count() {
            let now = self.clock.now();
            let shard = self.shards.lock(cursor.shard);
            let store = shard.store();
            let end = store.slots().bound().min(cursor.next.saturating_add(BATCH));
            let fresh = |id: &SlotId| store.deadline(*id).is_none_or(|at| at > now);
            let slots = (cursor.next..end).rev().filter(fresh);
            let before = batch.len();
            batch.extend(slots.filter_map(|id| store.entry(id)).cloned());
            cursor.next = end;
            if end == store.slots().bound() {
                (cursor.shard, cursor.next) = (cursor.shard + 1, 0);
            }
            if batch.len() > before {
                return true;
            }
        }
        false
    }
}

/// An entry, as whoever watches the cache sees it.
pub struct Noted<K> {
    /// Its key.
    pub key: K,
    /// Its size.
    pub size: u32,
    /// The share of the requests that it has had of late, where that is remembered.
    pub share: Option<f64>,
}

impl<K: Clone, V, P: Policy, C: Clock> Cache<K, V, P, C> {
    /// Appends the next entries, as [`Cache::next_entries`] does, as they are seen from outside;
    /// whether the iteration goes on.
    pub fn next_noted(&self, cursor: &mut Cursor, batch: &mut Vec<Noted<K>>) -> bool {
        if cursor.shard >= self.shards.count() {
            return false;
        }
        let now = self.clock.now();
        let shard = self.shards.lock(cursor.shard);
        let (store, latest) = (shard.store(), shard.tick().saturating_sub(1));
        let slots = store.slots();
        let end = slots.bound().min(cursor.next.saturating_add(BATCH));
        let fresh = |id: &SlotId| store.deadline(*id).is_none_or(|at| at > now);
        for id in (cursor.next..end).filter(fresh) {
            let Some((key, _)) = store.entry(id) else { continue };
            let share = shard.policy().share(slots, id, latest);
            batch.push(Noted { key: key.clone(), size: slots.size(id), share });
        }
        cursor.next = end;
        if end == slots.bound() {
            (cursor.shard, cursor.next) = (cursor.shard + 1, 0);
        }
        true
    }
}

/// Iterator over key and value handles; see [`Cache::entries`].
pub struct Entries<'a, K, V, P: Policy, C> {
    cache: &'a Cache<K, V, P, C>,
    cursor: Cursor,
    /// What is left of the last batch, in reverse.
    batch: Vec<(K, V)>,
}

impl<'a, K, V, P: Policy, C> Entries<'a, K, V, P, C> {
    pub(super) fn new(cache: &'a Cache<K, V, P, C>) -> Self {
        Entries { cache, cursor: Cursor::default(), batch: Vec::new() }
    }
}

impl<K: Clone, V: Clone, P: Policy, C: Clock> Iterator for Entries<'_, K, V, P, C> {
    type Item = (K, V);

    fn next(&mut self) -> Option<(K, V)> {
        if self.batch.is_empty() {
            self.cache.next_entries(&mut self.cursor, &mut self.batch);
        }
        self.batch.pop()
    }
}
