//! Refresh-ahead: which loaded entries are loaded again before they are asked for and gone.
//!
//! The core's planner decides, within its budget of extra loads; here are the keys behind its numbers.
//! They are not the places of the databases: a key whose entry has expired or was evicted may be
//! loaded again just before it is awaited.

use std::sync::Arc;

use augury_core::clock::Millis;
use augury_core::refresh::{Due, Planner};
use augury_core::slots::SlotId;
use rustc_hash::FxHashMap;
use slab::Slab;

/// Milliseconds by which a load begins earlier than it takes: what is due is looked for at the beats of
/// a worker, and comes as late as the next but one.
const SLACK: Millis = 25;
/// Longest key that is planned for.
const KEY_MAX: usize = 512;
/// Bytes of `--memory` for each key that is planned for, at least.
const BYTES_PER_KEY: u64 = 4096;
/// Planned keys looked at to find one that can be given up.
const LOOKED_AT: usize = 32;

struct Planned {
    hash: u64,
    key: Arc<[u8]>,
    /// Until when the entry is worth a plan: its end, or that of the one that is awaited.
    until: Millis,
    /// Whether it ends before it is loaded again.
    is_held: bool,
}

/// A key that is to be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ahead {
    /// Its hash.
    pub hash: u64,
    /// The key.
    pub key: Arc<[u8]>,
    /// Whether its entry may have ended: it is awaited later.
    pub is_held: bool,
}

/// See the module's head.
pub struct Renewal {
    planner: Planner,
    planned: Slab<Planned>,
    by_hash: FxHashMap<u64, usize>,
    limit: usize,
    hand: usize,
    due: Vec<Due>,
}

impl Renewal {
    /// Plans within a share of extra loads, for a server with so many bytes.
    pub fn new(budget: f64, memory: u64) -> Renewal {
        let limit = (memory / BYTES_PER_KEY).clamp(1 << 10, 1 << 18) as usize;
        Renewal {
            planner: Planner::new(budget, limit as u32 * 2),
            planned: Slab::new(),
            by_hash: FxHashMap::default(),
            limit,
            hand: 0,
            due: Vec::new(),
        }
    }

    /// An entry was loaded because it was asked for, to live for `ttl`; the load took `took`.
    pub fn loaded(
        &mut self,
        hash: u64,
        key: &Arc<[u8]>,
        now: Millis,
        ttl: Option<Millis>,
        took: Millis,
    ) {
        let Some(ttl) = ttl.filter(|_| key.len() <= KEY_MAX) else { return self.gone(hash, now) };
        let id = match self.by_hash.get(&hash) {
            Some(&id) => id,
            None => {
                if self.planned.len() >= self.limit && !self.give_up_one(now) {
                    return;
                }
                let id = self.planned.insert(Planned {
                    hash,
                    key: key.clone(),
                    until: 0,
                    is_held: false,
                });
                self.by_hash.insert(hash, id);
                id
            }
        };
        let planned = &mut self.planned[id];
        (planned.until, planned.is_held) = (now.saturating_add(ttl), false);
        self.planner.loaded(id as SlotId, hash, now, ttl, took.saturating_add(SLACK));
    }

    /// An entry was served.
    #[inline]
    pub fn hit(&mut self, hash: u64, now: Millis) {
        if let Some(&id) = self.by_hash.get(&hash) {
            self.planner.hit(id as SlotId, now);
        }
    }

    /// A load that was asked for by [`Renewal::due`] has brought the entry anew.
    pub fn refreshed(&mut self, hash: u64, now: Millis, ttl: Option<Millis>) {
        let Some(ttl) = ttl else { return self.gone(hash, now) };
        let Some(&id) = self.by_hash.get(&hash) else { return };
        let planned = &mut self.planned[id];
        (planned.until, planned.is_held) = (now.saturating_add(ttl), false);
        self.planner.refreshed(id as SlotId, now, ttl);
    }

    /// The entry was written or removed, or cannot be loaded: no plan is made for it any more.
    pub fn gone(&mut self, hash: u64, now: Millis) {
        if let Some(id) = self.by_hash.remove(&hash) {
            self.planner.removed(id as SlotId, now);
            self.planned.remove(id);
        }
    }

    /// Nothing is planned any more.
    pub fn clear(&mut self, now: Millis) {
        let hashes: Vec<u64> = self.by_hash.keys().copied().collect();
        hashes.into_iter().for_each(|hash| self.gone(hash, now));
    }

    /// What is to be loaded now.
    pub fn due(&mut self, now: Millis) -> Vec<Ahead> {
        let mut due = std::mem::take(&mut self.due);
        self.planner.due(now, &mut due);
        let mut loads = Vec::new();
        for what in due.drain(..) {
            match what {
                Due::Reload(id) => {
                    if let Some(planned) = self.planned.get(id as usize) {
                        let Planned { hash, ref key, is_held, .. } = *planned;
                        loads.push(Ahead { hash, key: key.clone(), is_held });
                    }
                }
                Due::Hold(id, at) => {
                    if let Some(planned) = self.planned.get_mut(id as usize) {
                        (planned.until, planned.is_held) = (planned.until.max(at), true);
                    }
                }
            }
        }
        self.due = due;
        loads
    }

    /// Number of keys planned for.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.planned.len()
    }

    /// Forgets a key whose entry has ended, among some; whether there was one.
    fn give_up_one(&mut self, now: Millis) -> bool {
        let bound = self.planned.capacity().max(1);
        for _ in 0..LOOKED_AT {
            self.hand = (self.hand + 1) % bound;
            if let Some(planned) = self.planned.get(self.hand)
                && planned.until <= now
            {
                self.gone(planned.hash, now);
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> Arc<[u8]> {
        number.to_be_bytes().as_slice().into()
    }

    #[test]
    fn keys_asked_for_all_the_time_are_loaded_before_they_end() {
        let mut renewal = Renewal::new(0.1, 1 << 20);
        let (hash, ttl) = (0x9e37_79b9_7f4a_7c15, 1_000);
        renewal.loaded(hash, &key(1), 0, Some(ttl), 1);
        let mut deadline = ttl;
        let mut missed = 0;
        // Beats come every ten milliseconds, requests at any time between them.
        for now in 0..60_000 {
            let ahead = if now % 10 == 0 { renewal.due(now) } else { Vec::new() };
            for ahead in ahead {
                assert_eq!(Ahead { hash, key: key(1), is_held: false }, ahead);
                renewal.refreshed(hash, now, Some(ttl));
                deadline = now + ttl;
            }
            if now % 37 == 0 {
                if now >= deadline {
                    missed += 1;
                    renewal.loaded(hash, &key(1), now, Some(ttl), 1);
                    deadline = now + ttl;
                }
                renewal.hit(hash, now);
            }
        }
        assert!(missed < 10, "{missed}");
    }

    #[test]
    fn keys_are_bounded_and_those_that_have_ended_make_room() {
        let mut renewal = Renewal::new(0.1, 1 << 20);
        let now = 1_000;
        for number in 0..10_000u64 {
            let hash = augury_core::hash::mix(number);
            renewal.loaded(hash, &key(number), now, Some(500), 1);
            renewal.gone(hash.wrapping_add(1), now);
            assert!(renewal.len() <= 1 << 10);
        }
        assert_eq!(1 << 10, renewal.len());
        renewal.loaded(7, &key(7), 1_500, Some(500), 1);
        assert!(renewal.by_hash.contains_key(&7));
        renewal.clear(1_600);
        assert!(renewal.len() == 0 && renewal.due(10_000).is_empty());
    }
}
