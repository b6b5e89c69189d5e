//! A shard that goes on as another one: its memory, and its entries one by one.

use super::Shard;
use crate::clock::Millis;
use crate::history::SavedHistory;
use crate::policy::Policy;
use crate::request::{Access, Tick};
use crate::saved::SavedError;

/// Latest tick that is gone on from: far from where counting ends.
const TICK_MAX: Tick = 1 << 62;

impl<K, V, P: Policy> Shard<K, V, P> {
    /// Goes on at this tick with what another shard's policy has learned. The caller guarantees
    /// that nothing has been asked for yet.
    ///
    /// # Errors
    /// It is none that this policy wrote; the tick alone has changed.
    pub fn restore_memory(&mut self, tick: Tick, learned: Option<&[u8]>) -> Result<(), SavedError> {
        self.tick = tick.min(TICK_MAX);
        learned.map_or(Ok(()), |learned| self.policy.restore(learned, self.tick))
    }

    /// What several caches have seen of an object, taken over by the policy. Of several residents of
    /// one hash it is told of one. Whether anything is remembered of it here.
    pub fn hear(&mut self, hash: u64, heat: f32) -> bool {
        let id = self.store.candidates(hash).next();
        self.policy.hear(self.store.slots_mut(), hash, id, heat, self.tick.saturating_sub(1))
    }

    /// As [`Shard::place`] for an entry that was resident elsewhere: no request, and the policy
    /// goes by what was remembered of it there.
    pub fn place_restored(
        &mut self,
        access: &Access,
        key: K,
        value: V,
        deadline: Option<Millis>,
        history: Option<SavedHistory>,
    ) {
        let id = self.store.insert(access.hash, access.size, key, value);
        self.store.set_deadline(id, deadline);
        self.stats.insertions += 1;
        self.arrived(access);
        self.policy.on_restore(self.store.slots_mut(), id, access, history);
    }
}
