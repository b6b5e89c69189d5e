//! From a hash to a slot without running the caller's equality under the lock.
//!
//! A look-up goes in rounds. Under the lock it walks the residents of the same hash; what cannot
//! be decided at once is *pinned* (slot, version, a clone of the key) and asked about after
//! unlocking. The next round walks again: an answer counts while generation, slot and version
//! are the same, since a slot's key cannot change without its version. (A version comes back
//! after 2^31 reuses of one slot during one comparison; that is accepted.)
//!
//! **No livelock.** Answers are kept, so a further round is needed only if an entry of this very
//! hash arrived during the last one: somebody else's operation was completed. After [`ROUNDS`]
//! the look-up stops asking and says [`Found::Undecided`], which every verb can serve, because a
//! cache may evict whatever it likes: a read is a miss (at the last walk but one the key was not
//! there, or it was and has left since), and a write first evicts all entries of that
//! hash and then needs no comparison. An operation therefore ends after at most `ROUNDS`
//! rounds, whatever its equality does, as long as the equality itself returns.

use super::Gone;
use super::probe::Probe;
use crate::clock::Millis;
use crate::metrics::RemovalCause;
use crate::policy::Policy;
use crate::shard::Shard;
use crate::slots::SlotId;

/// Rounds of one look-up. One is the rule, two where the key's entry was replaced meanwhile;
/// more takes an opponent who aims at the same 64-bit hash.
pub(super) const ROUNDS: usize = 8;

/// What a look-up came to.
#[derive(Clone, Copy)]
pub(super) enum Found {
    /// Fresh and equal.
    At(SlotId),
    /// No resident key is equal.
    Absent,
    /// The residents of this hash changed in every round.
    Undecided,
}

struct Pin<K> {
    /// Generation of the shard, slot, version of the slot.
    place: (u32, SlotId, u32),
    key: K,
    equal: bool,
}

/// Keys pinned by one look-up. Lives outside the lock, since dropping a key may run anything.
pub(super) struct Pins<K> {
    /// The first `judged` are answered and sorted by place; the rest wait to be asked about.
    pins: Vec<Pin<K>>,
    judged: usize,
}

impl<K: Clone> Pins<K> {
    pub(super) const fn new() -> Self {
        Pins { pins: Vec::new(), judged: 0 }
    }

    /// One walk, under the lock. `None`: there is something to ask first. Residents that are due
    /// leave as expired, whatever their key.
    #[inline]
    pub(super) fn walk<V, P: Policy, Q: Probe<K>>(
        &mut self,
        shard: &mut Shard<K, V, P>,
        hash: u64,
        now: Millis,
        probe: &Q,
        gone: &mut Gone<K, V>,
    ) -> Option<Found> {
        let mut found = Some(Found::Absent);
        let mut due = false;
        let store = shard.store();
        for id in store.candidates(hash) {
            if store.deadline(id).is_some_and(|at| at <= now) {
                due = true;
                continue;
            }
            let Some((key, _)) = store.entry(id) else { continue };
            let equal = probe.quick(key).or_else(|| {
                let place = (shard.generation(), id, store.slots().version(id));
                let answer = self.answer(place);
                if answer.is_none() {
                    self.pins.push(Pin { place, key: key.clone(), equal: false });
                }
                answer
            });
            match equal {
                Some(true) => {
                    found = Some(Found::At(id));
                    break;
                }
                Some(false) => {}
                None => found = None,
            }
        }
        if due {
            remove_due(shard, hash, now, gone);
        }
        found
    }

    fn answer(&self, place: (u32, SlotId, u32)) -> Option<bool> {
        let judged = &self.pins[..self.judged];
        judged.binary_search_by_key(&place, |pin| pin.place).ok().map(|at| judged[at].equal)
    }

    /// Asks about what the walk has pinned, up to the first equal key. Under no lock.
    pub(super) fn ask<Q: Probe<K>>(&mut self, probe: &mut Q) -> Result<(), Q::Error> {
        for pin in &mut self.pins[self.judged..] {
            pin.equal = probe.matches(&pin.key)?;
            if pin.equal {
                // The rest was resident beside it, so it holds other keys.
                break;
            }
        }
        self.pins.sort_unstable_by_key(|pin| pin.place);
        self.judged = self.pins.len();
        Ok(())
    }
}

#[cold]
fn remove_due<K, V, P: Policy>(
    shard: &mut Shard<K, V, P>,
    hash: u64,
    now: Millis,
    gone: &mut Gone<K, V>,
) {
    let next = |shard: &Shard<K, V, P>| {
        let store = shard.store();
        store.candidates(hash).find(|&id| store.deadline(id).is_some_and(|at| at <= now))
    };
    while let Some(id) = next(shard) {
        shard.remove(id, RemovalCause::Expired, gone);
    }
}

/// Evicts every entry of this hash: makes way for a write whose look-up was undecided.
#[cold]
pub(super) fn evict_hash<K, V, P: Policy>(
    shard: &mut Shard<K, V, P>,
    hash: u64,
    gone: &mut Gone<K, V>,
) {
    while let Some(id) = { shard.store().candidates(hash).next() } {
        shard.remove(id, RemovalCause::Evicted, gone);
    }
}
