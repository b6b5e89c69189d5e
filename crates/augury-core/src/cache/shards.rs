//! The shards of a cache, each behind its lock; and what happens after a panic under one.
//!
//! A panic under a shard's lock (a policy's bug, or a `Clone` or quick equality that broke its
//! contract) may leave the policy at odds with the store: a broken list, a victim that is not
//! resident. Going on with it could evict wrongly or loop; refusing would wedge the cache. So the
//! panic reaches the caller whose operation it was, and whoever locks next finds the mutex
//! poisoned and puts an empty shard with a newly made policy in its place. The entries are lost,
//! as a cache may lose entries, counted as evicted and dropped outside the lock; the policy
//! learns anew; the other shards notice nothing. Model, journal and samples are switched on again
//! from [`Settings`]. Their lock is taken alone or under a shard's, never the other way round.

use super::settings::Settings;
use super::sync::atomic::{AtomicU64, Ordering};
use super::sync::{Mutex, MutexGuard};
use crate::policy::Policy;
use crate::shard::Shard;
use std::sync::PoisonError;

/// One shard alone on its cache lines: neighbours' locks would otherwise slow each other down.
#[repr(align(128))]
struct Line<K, V, P: Policy>(Mutex<Shard<K, V, P>>);

/// See the module's head.
pub(super) struct Shards<K, V, P: Policy> {
    lines: Box<[Line<K, V, P>]>,
    make_policy: Box<dyn Fn(usize) -> P + Send + Sync>,
    rebuilt: AtomicU64,
    settings: Mutex<Settings>,
}

impl<K, V, P: Policy> Shards<K, V, P> {
    pub(super) fn new(
        capacity: u64,
        count: usize,
        make_policy: impl Fn(usize) -> P + Send + Sync + 'static,
    ) -> Self {
        let line = |at| Line(Mutex::new(Shard::new(share(capacity, count, at), make_policy(at))));
        Shards {
            lines: (0..count).map(line).collect(),
            make_policy: Box::new(make_policy),
            rebuilt: AtomicU64::new(0),
            settings: Mutex::new(Settings::default()),
        }
    }

    /// The settings, to be read or changed.
    pub(super) fn settings(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    pub(super) fn count(&self) -> usize {
        self.lines.len()
    }

    /// How many times a shard was started anew after a panic.
    pub(super) fn rebuilt(&self) -> u64 {
        self.rebuilt.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn lock(&self, at: usize) -> MutexGuard<'_, Shard<K, V, P>> {
        match self.lines[at].0.lock() {
            Ok(shard) => shard,
            Err(poisoned) => {
                drop(poisoned);
                self.rebuild(at)
            }
        }
    }

    #[cold]
    fn rebuild(&self, at: usize) -> MutexGuard<'_, Shard<K, V, P>> {
        let policy = (self.make_policy)(at);
        let mutex = &self.lines[at].0;
        let mut shard = match mutex.lock() {
            Ok(shard) => return shard,
            Err(poisoned) => poisoned.into_inner(),
        };
        let mut fresh = shard.successor(policy);
        self.settings().apply(&mut fresh, at, self.count());
        let broken = std::mem::replace(&mut *shard, fresh);
        mutex.clear_poison();
        self.rebuilt.fetch_add(1, Ordering::Relaxed);
        drop(shard);
        drop(broken);
        self.lock(at)
    }
}

/// The shard's part of a capacity: equal parts, the remainder one each to the first shards.
pub(super) fn share(capacity: u64, count: usize, at: usize) -> u64 {
    let count = count as u64;
    capacity / count + u64::from((at as u64) < capacity % count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_sum_to_the_capacity() {
        for (capacity, count) in [(0, 1), (7, 3), (2, 5), (u64::MAX, 6)] {
            let shares = (0..count).map(|at| share(capacity, count, at));
            assert_eq!(capacity, shares.sum::<u64>());
        }
    }
}
