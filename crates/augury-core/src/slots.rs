//! Slots: the numbered places of the residents, the ground that store and policies share.
//!
//! A slot holds what both need and nothing else: the key's hash, the size, a version and one
//! inline record whose meaning belongs to the policy. The store adds index, keys, values and
//! deadlines beside it; policies see slot numbers, sizes and their own records. A look-up and a
//! policy update therefore touch the same cache line.

/// Number of a slot. Stable while its entry is resident; used again afterwards.
pub type SlotId = u32;

/// No slot: the end of a list, an empty hand.
pub const NIL: SlotId = SlotId::MAX;

use crate::lines;

#[derive(Debug, Clone)]
struct Slot<R> {
    /// The key's hash; in a vacant slot the next vacant slot's number.
    hash: u64,
    size: u32,
    /// Odd while resident. Grows at every change of state, so a reader that let go of the lock
    /// can tell whether the slot still holds the entry it saw.
    version: u32,
    record: R,
}

/// All slots of one shard, resident and vacant.
#[derive(Debug, Clone)]
pub struct Slots<R> {
    slots: Vec<Slot<R>>,
    vacant: SlotId,
    live: u32,
}

impl<R: Copy + Default> Default for Slots<R> {
    fn default() -> Self {
        Slots { slots: Vec::new(), vacant: NIL, live: 0 }
    }
}

impl<R> Slots<R> {
    /// One more than the highest slot number ever used: sampling draws from `0..bound()`.
    #[inline]
    pub fn bound(&self) -> u32 {
        self.slots.len() as u32
    }

    /// Whether the slot holds an entry.
    #[inline]
    pub fn is_live(&self, id: SlotId) -> bool {
        self.slots.get(id as usize).is_some_and(|slot| slot.version & 1 == 1)
    }
}

impl<R: Copy + Default> Slots<R> {
    /// Number of residents.
    #[inline]
    pub fn live(&self) -> u32 {
        self.live
    }

    /// The resident key's hash.
    #[inline]
    pub fn hash(&self, id: SlotId) -> u64 {
        self.slots[id as usize].hash
    }

    /// The resident's size: bytes, or 1 where entries are counted.
    #[inline]
    pub fn size(&self, id: SlotId) -> u32 {
        self.slots[id as usize].size
    }

    /// The slot's version: odd while resident, changed by every insertion and removal.
    #[inline]
    pub fn version(&self, id: SlotId) -> u32 {
        self.slots[id as usize].version
    }

    /// The policy's record of this resident.
    #[inline]
    pub fn record(&self, id: SlotId) -> &R {
        &self.slots[id as usize].record
    }

    /// The policy's record of this resident, to change.
    #[inline]
    pub fn record_mut(&mut self, id: SlotId) -> &mut R {
        &mut self.slots[id as usize].record
    }

    /// Record, size and liveness in one look: what scoring a candidate needs.
    #[inline]
    pub fn candidate(&self, id: SlotId) -> Option<(&R, u32)> {
        let slot = &self.slots[id as usize];
        (slot.version & 1 == 1).then_some((&slot.record, slot.size))
    }

    /// Asks for the memory of a slot.
    #[inline]
    pub(crate) fn fetch(&self, id: SlotId) {
        if let Some(slot) = self.slots.get(id as usize) {
            lines::fetch(slot);
        }
    }

    /// Visits the residents among the slots `from..to`: a run of neighbours in memory.
    #[inline]
    pub fn each_live(&self, from: SlotId, to: SlotId, mut visit: impl FnMut(SlotId, &R, u32)) {
        let to = (to as usize).min(self.slots.len());
        let run = self.slots.get(from as usize..to).unwrap_or_default();
        for (id, slot) in (from..).zip(run) {
            if slot.version & 1 == 1 {
                visit(id, &slot.record, slot.size);
            }
        }
    }

    /// Slot numbers of all residents, in slot order.
    pub fn iter_live(&self) -> impl Iterator<Item = SlotId> + '_ {
        (0..self.bound()).filter(|&id| self.is_live(id))
    }

    /// Bytes held by the slots themselves.
    pub fn memory_bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot<R>>()
    }

    /// Takes a vacant slot (or adds one) for a new resident. For the store alone.
    #[inline]
    pub(crate) fn occupy(&mut self, hash: u64, size: u32) -> SlotId {
        self.live += 1;
        if self.vacant == NIL {
            let id = self.slots.len() as SlotId;
            assert!(id < NIL, "a shard holds at most {} entries", NIL - 1);
            self.slots.push(Slot { hash, size, version: 1, record: R::default() });
            return id;
        }
        let id = self.vacant;
        let slot = &mut self.slots[id as usize];
        self.vacant = slot.hash as SlotId;
        slot.hash = hash;
        slot.size = size;
        slot.version = slot.version.wrapping_add(1);
        slot.record = R::default();
        id
    }

    /// Gives a resident's slot back. For the store alone.
    #[inline]
    pub(crate) fn vacate(&mut self, id: SlotId) {
        let slot = &mut self.slots[id as usize];
        debug_assert!(slot.version & 1 == 1, "slot {id} is vacant already");
        slot.version = slot.version.wrapping_add(1);
        slot.hash = self.vacant as u64;
        self.vacant = id;
        self.live -= 1;
    }

    #[inline]
    pub(crate) fn set_size(&mut self, id: SlotId, size: u32) {
        self.slots[id as usize].size = size;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vacated_slot_is_used_again_under_a_new_version() {
        let mut slots = Slots::<u8>::default();
        let first = slots.occupy(11, 1);
        let version = slots.version(first);
        slots.vacate(first);
        assert!(!slots.is_live(first));
        assert_eq!(first, slots.occupy(22, 1));
        assert_ne!(version, slots.version(first));
        assert_eq!(1, slots.live());
    }
}
