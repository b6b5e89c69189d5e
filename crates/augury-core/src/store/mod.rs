//! The store: index, slots, keys, values and deadlines of one shard.
//!
//! Second stage of the data flow: it says what is resident and nothing about what should be. It
//! never compares keys: [`Store::candidates`] gives the slots whose 64-bit hash is equal and the
//! caller decides, outside any lock if comparing runs foreign code. It must not know policies; the
//! record inside a slot is theirs and passes through untouched.

mod payload;
pub(crate) mod wheel;

use crate::clock::Millis;
use crate::index::Index;
use crate::slots::{SlotId, Slots};
use payload::Payloads;
use wheel::Wheel;

/// Entries of one shard. `R` is the policy's inline record.
pub struct Store<K, V, R> {
    slots: Slots<R>,
    index: Index,
    payloads: Payloads<K, V>,
    wheel: Wheel,
    used: u64,
}

impl<K, V, R: Copy + Default> Default for Store<K, V, R> {
    fn default() -> Self {
        Store {
            slots: Slots::default(),
            index: Index::default(),
            payloads: Payloads::default(),
            wheel: Wheel::default(),
            used: 0,
        }
    }
}

impl<K, V, R: Copy + Default> Store<K, V, R> {
    /// Number of entries.
    pub fn len(&self) -> usize {
        self.slots.live() as usize
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.slots.live() == 0
    }

    /// Sum of the entries' sizes.
    #[inline]
    pub fn used(&self) -> u64 {
        self.used
    }

    /// The slots, for policies.
    #[inline]
    pub fn slots(&self) -> &Slots<R> {
        &self.slots
    }

    /// The slots, for policies to change their records.
    #[inline]
    pub fn slots_mut(&mut self) -> &mut Slots<R> {
        &mut self.slots
    }

    /// Residents whose key has this very hash: usually none or one, more where hashes collide.
    #[inline]
    pub fn candidates(&self, hash: u64) -> impl Iterator<Item = SlotId> + '_ {
        self.index.candidates(hash).filter(move |&id| {
            // As a rule it is the one: its payload is on its way while its slot is waited for.
            self.payloads.fetch(id);
            self.slots.hash(id) == hash
        })
    }

    /// Asks for the memory that a look-up of this hash begins with. First of two steps for several
    /// look-ups at once: all of them take this one before any takes the next.
    #[inline]
    pub fn fetch_index(&self, hash: u64) {
        self.index.fetch(hash);
    }

    /// Second step: asks for slot and payload of what is likely the resident of this hash, and says
    /// which it is.
    #[inline]
    pub fn fetch_slot(&self, hash: u64) -> Option<SlotId> {
        let id = self.index.candidates(hash).next()?;
        self.slots.fetch(id);
        self.payloads.fetch(id);
        Some(id)
    }

    /// Asks for the memory that the removal of a resident waits for.
    #[inline]
    pub(crate) fn fetch_leaving(&self, id: SlotId) {
        self.index.fetch(self.slots.hash(id));
        self.payloads.fetch(id);
    }

    /// Key and value of a resident, or `None` for a vacant slot.
    #[inline]
    pub fn entry(&self, id: SlotId) -> Option<&(K, V)> {
        // SAFETY: a live slot's payload is initialised: `insert` puts it, `remove` takes it and
        // makes the slot vacant in one step.
        self.slots.is_live(id).then(|| unsafe { self.payloads.get(id) })
    }

    /// Key and value of a resident, to change, or `None` for a vacant slot. The caller keeps the
    /// key equal to what it was.
    #[inline]
    pub fn entry_mut(&mut self, id: SlotId) -> Option<&mut (K, V)> {
        // SAFETY: a live slot's payload is initialised.
        self.slots.is_live(id).then(|| unsafe { self.payloads.get_mut(id) })
    }

    /// Replaces the value of a resident and hands the old one back. `None` if vacant.
    pub fn replace_value(&mut self, id: SlotId, value: V) -> Option<V> {
        if !self.slots.is_live(id) {
            return None;
        }
        // SAFETY: the slot is live, so its payload is initialised.
        let entry = unsafe { self.payloads.get_mut(id) };
        Some(std::mem::replace(&mut entry.1, value))
    }

    /// Adds an entry. The caller guarantees that its key is not resident.
    #[inline]
    pub fn insert(&mut self, hash: u64, size: u32, key: K, value: V) -> SlotId {
        let id = self.slots.occupy(hash, size);
        self.payloads.put(id, key, value);
        let slots = &self.slots;
        self.index.insert(hash, id, |id| slots.hash(id));
        self.used += size as u64;
        id
    }

    /// Removes a resident and hands key and value back, to be dropped outside any lock.
    /// `None` if the slot is vacant.
    #[inline]
    pub fn remove(&mut self, id: SlotId) -> Option<(K, V)> {
        if !self.slots.is_live(id) {
            return None;
        }
        self.index.remove(self.slots.hash(id), id);
        self.wheel.clear(id);
        self.used -= self.slots.size(id) as u64;
        self.slots.vacate(id);
        // SAFETY: the slot was live, so its payload is initialised; it is vacant from here on.
        Some(unsafe { self.payloads.take(id) })
    }

    /// Sets a resident's size.
    #[inline]
    pub fn set_size(&mut self, id: SlotId, size: u32) {
        self.used = self.used - self.slots.size(id) as u64 + size as u64;
        self.slots.set_size(id, size);
    }

    /// Whether any resident has a deadline.
    #[inline]
    pub fn has_deadlines(&self) -> bool {
        self.wheel.is_set()
    }

    /// Deadline of a resident, if it has one.
    #[inline]
    pub fn deadline(&self, id: SlotId) -> Option<Millis> {
        self.wheel.deadline(id)
    }

    /// Sets or clears a resident's deadline.
    #[inline]
    pub fn set_deadline(&mut self, id: SlotId, deadline: Option<Millis>) {
        match deadline {
            Some(at) => self.wheel.set(id, at),
            None => self.wheel.clear(id),
        }
    }

    /// A resident whose deadline is at or before `now`, or `None`. Its deadline is gone
    /// afterwards: the caller removes it.
    #[inline]
    pub fn next_expired(&mut self, now: Millis) -> Option<SlotId> {
        self.wheel.expire_one(now)
    }

    /// The same with a bound of the entries that are moved for it, which are taken off `moves`; `None`
    /// also where they are used up.
    #[inline]
    pub fn next_expired_within(&mut self, now: Millis, moves: &mut usize) -> Option<SlotId> {
        self.wheel.expire_within(now, moves)
    }

    /// Whether a resident's deadline may be at or before `now`.
    #[inline]
    pub fn is_due(&self, now: Millis) -> bool {
        self.wheel.is_due(now)
    }

    /// Does up to `limit` steps of what coming deadlines will need; how many.
    pub fn prepare_deadlines(&mut self, now: Millis, limit: usize) -> usize {
        self.wheel.prepare(now, limit)
    }

    /// Bytes held by index, slots, deadlines and payload array; not what keys and values own.
    pub fn memory_bytes(&self) -> usize {
        self.slots.memory_bytes()
            + self.index.memory_bytes()
            + self.payloads.memory_bytes()
            + self.wheel.memory_bytes()
    }
}

impl<K, V, R> Drop for Store<K, V, R> {
    fn drop(&mut self) {
        if std::mem::needs_drop::<(K, V)>() {
            for id in 0..self.slots.bound() {
                if self.slots.is_live(id) {
                    // SAFETY: a live slot's payload is initialised, and nothing looks again.
                    drop(unsafe { self.payloads.take(id) });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    #[test]
    fn every_value_is_dropped_once() {
        let value = Rc::new(());
        let mut store = Store::<u8, Rc<()>, ()>::default();
        let ids: Vec<_> = (0..10).map(|k| store.insert(k, 1, k as u8, value.clone())).collect();
        assert_eq!(11, Rc::strong_count(&value));
        drop(store.remove(ids[3]));
        assert!(store.remove(ids[3]).is_none());
        store.replace_value(ids[4], value.clone());
        assert_eq!(10, Rc::strong_count(&value));
        drop(store);
        assert_eq!(1, Rc::strong_count(&value));
    }

    #[test]
    fn equal_hashes_stay_apart() {
        let mut store = Store::<&str, u8, ()>::default();
        let a = store.insert(9, 1, "a", 1);
        let b = store.insert(9, 1, "b", 2);
        assert_eq!(vec![a, b], store.candidates(9).collect::<Vec<_>>());
        store.remove(a);
        assert_eq!(vec![b], store.candidates(9).collect::<Vec<_>>());
        assert_eq!(Some(&("b", 2)), store.entry(b));
    }
}
