//! Operations on one key: each a look-up and, under the lock in which it succeeded, an act.

use super::entry::{Newcomer, Outcome, Peeked, When};
use super::lookup::{Found, Pins, ROUNDS, evict_hash};
use super::{Cache, Gone, Probe};
use crate::clock::{Clock, Millis};
use crate::metrics::RemovalCause;
use crate::policy::Policy;
use crate::request::Access;
use crate::shard::{Inserted, Removed, Shard};

/// Due entries that an operation removes in passing: more than it can add, so they never pile up
/// under traffic. [`Cache::expire`] removes them without traffic.
const EXPIRED_PER_OPERATION: usize = 2;
/// Entries moved nearer to their end by an operation at most.
const MOVED_PER_OPERATION: usize = 32;

/// What an operation needs besides the look-up.
#[derive(Clone, Copy)]
pub(super) struct Needs {
    /// The time, even where no entry has a deadline: reading a clock takes as long as the rest of
    /// a look-up.
    pub(super) time: bool,
    /// What the policy remembers of an object that is not resident.
    pub(super) memory: bool,
}

impl Needs {
    /// Nothing: what only looks.
    pub(super) const NOTHING: Needs = Needs { time: false, memory: false };
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
        self.settle(hash, &mut probe, gone, Needs::NOTHING, |shard, found, _, gone| {
            if let Found::At(id) = found
                && let Some(value) = shard.store().entry(id).map(|(_, value)| value.clone())
            {
                let size = shard.store().slots().size(id);
                let access = shard.begin(hash, number, size);
                shard.hit(id, &access, gone);
                return Some(value);
            }
            shard.begin(hash, number, 1);
            shard.miss_noted(hash);
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
        self.settle(hash, &mut probe, gone, Needs::NOTHING, |shard, found, _, _| {
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
        self.settle(hash, &mut probe, gone, Needs::NOTHING, |_, found, _, _| {
            matches!(found, Found::At(_))
        })
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
        self.settle(
            hash,
            &mut probe,
            gone,
            Needs { time: true, memory: false },
            |shard, found, now, gone| {
                let Found::At(id) = found else { return false };
                if deadline.is_some_and(|at| at <= now) {
                    shard.remove(id, RemovalCause::Expired, gone);
                } else {
                    shard.set_deadline(id, deadline);
                }
                true
            },
        )
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
        let Newcomer { hash, key, value, size, deadline, is_forced, namespace, heard } = newcomer;
        let needs = Needs { time: deadline.is_some(), memory: true };
        let number = probe.number().unwrap_or(hash);
        // Out here, not in the closure: what is not stored, or panics, is dropped unlocked.
        let mut held = Some((key, value));
        let outcome = self.settle(hash, &mut probe, gone, needs, |shard, found, now, gone| {
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
            let access = Access { namespace, heard, ..shard.write(hash, number, size) };
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
            if shard.take_noted(hash) {
                shard.announce(&access);
            }
            let room = if is_forced {
                shard.force_room(&access, gone)
            } else {
                shard.make_room(&access, gone)
            };
            match room {
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
        self.settle(hash, &mut probe, gone, Needs::NOTHING, |shard, found, _, gone| match found {
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

    /// Looks the key up and acts on what was found, under the lock in which it was found.
    #[inline]
    pub(super) fn settle<Q: Probe<K>, T>(
        &self,
        hash: u64,
        probe: &mut Q,
        gone: &mut Gone<K, V>,
        needs: Needs,
        act: impl FnOnce(&mut Shard<K, V, P>, Found, Millis, &mut Gone<K, V>) -> T,
    ) -> Result<T, Q::Error> {
        let at = self.shard_of(hash);
        let mut pins = Pins::new();
        for round in 0.. {
            {
                let mut shard = self.shards.lock(at);
                if needs.memory {
                    shard.approach(hash);
                }
                let is_timed = needs.time || shard.store().has_deadlines();
                let now = if is_timed { self.clock.now() } else { 0 };
                if is_timed {
                    shard.expire_within(now, EXPIRED_PER_OPERATION, MOVED_PER_OPERATION, gone);
                }
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
