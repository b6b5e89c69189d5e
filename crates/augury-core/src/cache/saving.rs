//! A cache's content and memory, to be kept in a file, and their way back into a fresh cache.
//!
//! Of one shard after the other, each as it is at one instant; keys and values are cloned handles.
//! What a file looks like is up to the caller.

use super::keyed::Needs;
use super::lookup::Found;
use super::{Cache, Gone, Probe};
use crate::clock::{Clock, Millis};
use crate::history::SavedHistory;
use crate::policy::Policy;
use crate::request::Tick;
use crate::saved::SavedError;
use crate::slots::SlotId;

/// A resident, with what is remembered of it.
#[derive(Debug, Clone)]
pub struct Kept<K, V> {
    /// The key.
    pub key: K,
    /// The value.
    pub value: V,
    /// In the unit of the capacity.
    pub size: u32,
    /// From this time on it is expired.
    pub deadline: Option<Millis>,
    /// Its history, where the policy keeps one.
    pub history: Option<SavedHistory>,
}

/// What a shard knows beside its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// Requests so far.
    pub tick: Tick,
    /// What its policy has learned, where it learns: see [`Policy::save`].
    pub learned: Option<Vec<u8>>,
}

/// A cache's content and memory.
#[derive(Debug, Clone)]
pub struct Export<K, V> {
    /// The fresh residents, about in the order in which they would leave.
    pub entries: Vec<Kept<K, V>>,
    /// Of each shard.
    pub memories: Vec<Memory>,
}

impl<K: Clone, V: Clone, P: Policy, C: Clock> Cache<K, V, P, C> {
    /// Everything that is to be kept. Not an access.
    pub fn export(&self) -> Export<K, V> {
        let (mut entries, mut memories) = (Vec::new(), Vec::new());
        for at in 0..self.shards.count() {
            let now = self.clock.now();
            let shard = self.shards.lock(at);
            let (store, policy) = (shard.store(), shard.policy());
            let tick = shard.tick();
            // Of the latest request: what is restored at once is as old as it was.
            let latest = tick.saturating_sub(1);
            let kept = |id: SlotId| {
                let deadline = store.deadline(id);
                let (key, value) =
                    store.entry(id).filter(|_| deadline.is_none_or(|at| at > now))?;
                Some(Kept {
                    key: key.clone(),
                    value: value.clone(),
                    size: store.slots().size(id),
                    deadline,
                    history: policy.save_record(store.slots(), id, latest),
                })
            };
            entries
                .extend(policy.leaving_order(store.slots(), latest).into_iter().filter_map(kept));
            memories.push(Memory { tick, learned: policy.save(tick) });
        }
        Export { entries, memories }
    }
}

impl<K, V, P: Policy, C: Clock> Cache<K, V, P, C> {
    /// The memories alone.
    pub fn memories(&self) -> Vec<Memory> {
        let memory = |at| {
            let shard = self.shards.lock(at);
            Memory { tick: shard.tick(), learned: shard.policy().save(shard.tick()) }
        };
        (0..self.shards.count()).map(memory).collect()
    }

    /// Takes over how hot objects are by what several caches have seen of them, by their hashes; others
    /// come in between. How many of them anything is remembered of here.
    pub fn hear(&self, heats: &[(u64, f32)]) -> usize {
        let is_known =
            |&&(hash, heat): &&(u64, f32)| self.shards.lock(self.shard_of(hash)).hear(hash, heat);
        heats.iter().filter(is_known).count()
    }
}

impl<K: Clone, V, P: Policy, C: Clock> Cache<K, V, P, C> {
    /// Goes on with what another cache has learned. For a cache that is empty still; where the
    /// numbers of shards differ, several go on with one memory.
    ///
    /// # Errors
    /// A memory is none that this policy wrote; the shards before it go on with theirs.
    pub fn restore_memory(&self, memories: &[Memory]) -> Result<(), SavedError> {
        for (at, memory) in (0..self.shards.count()).zip(memories.iter().cycle()) {
            self.shards.lock(at).restore_memory(memory.tick, memory.learned.as_deref())?;
        }
        Ok(())
    }

    /// Adds an entry that was resident elsewhere, as no request; whether it is resident now. It is
    /// not where the key is already, where there is no room left, or where its deadline has
    /// passed. An error of the probe is passed on.
    pub fn restore<Q: Probe<K>>(
        &self,
        hash: u64,
        kept: Kept<K, V>,
        mut probe: Q,
        gone: &mut Gone<K, V>,
    ) -> Result<bool, Q::Error> {
        let number = probe.number().unwrap_or(hash);
        // Out here, not in the closure: what is not stored is dropped unlocked.
        let mut held = Some(kept);
        let needs = Needs { time: true, memory: false };
        self.settle(hash, &mut probe, gone, needs, |shard, found, now, _| {
            let Found::Absent = found else { return false };
            let fits = |kept: &Kept<K, V>| {
                u64::from(kept.size) <= shard.capacity().saturating_sub(shard.used())
                    && kept.deadline.is_none_or(|at| at > now)
            };
            let Some(kept) = held.take_if(|kept| fits(kept)) else { return false };
            let access = shard.write(hash, number, kept.size);
            shard.place_restored(&access, kept.key, kept.value, kept.deadline, kept.history);
            true
        })
    }
}
