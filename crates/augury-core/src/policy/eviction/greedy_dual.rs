//! Greedy dual: what LFU and GDSF share. Evict the lowest price `L + worth(uses, size)`.
//!
//! Young, "On-line file caching", SODA 1998, in the form of Cherkasova, "Improving WWW proxies
//! performance with greedy-dual-size-frequency caching policy", HP Labs 1998. `L`, the price of
//! the last victim, is what a newcomer and every access start from, so old popularity fades as
//! evictions go by and no counter is ever aged. Ties go to the entry asked for the longest ago.
//!
//! As in libCacheSim a newcomer stands in line with the residents: it is priced before anyone
//! leaves for it, and turned away where its own price is the lowest; that then is the new `L`.
//! An entry is priced by the size that its access carries.
//!
//! Cost: a heap update per access, log4(entries) levels at most. Bytes per entry: 8 inline, 24
//! in the heap.

use std::marker::PhantomData;

use super::heap::{Heap, Placed};
use crate::history::SavedHistory;
use crate::metrics::RemovalCause;
use crate::policy::{Policy, Verdict};
use crate::request::{Access, Tick};
use crate::slots::{SlotId, Slots};

/// What an entry is worth keeping for.
pub trait Worth {
    /// Worth of an entry of this size that was asked for `uses` times; positive.
    fn worth(uses: u32, size: u32) -> f64;
}

/// Place in the heap, and the use count since insertion.
#[derive(Debug, Clone, Copy, Default)]
pub struct Record {
    place: u32,
    uses: u32,
}

impl Placed for Record {
    #[inline]
    fn place(&self) -> u32 {
        self.place
    }

    #[inline]
    fn set_place(&mut self, place: u32) {
        self.place = place;
    }
}

/// Price, then last access. The bits of floats at or above zero order like the floats.
type Key = (u64, Tick);

/// See the module's head.
#[derive(Debug)]
pub struct GreedyDual<W> {
    lowest: Heap<Key>,
    /// `L`: the price of the last victim.
    floor: f64,
    /// Hash and key of the newcomer that room is being made for.
    newcomer: Option<(u64, Key)>,
    worth: PhantomData<W>,
}

impl<W> Default for GreedyDual<W> {
    fn default() -> Self {
        GreedyDual { lowest: Heap::default(), floor: 0.0, newcomer: None, worth: PhantomData }
    }
}

impl<W: Worth> GreedyDual<W> {
    #[inline]
    fn key(&self, uses: u32, access: &Access) -> Key {
        ((self.floor + W::worth(uses, access.size)).to_bits(), access.now)
    }

    /// The newcomer's key as it was when room for it was first asked for.
    #[inline]
    fn newcomer_key(&self, access: &Access) -> Key {
        match self.newcomer {
            Some((hash, key)) if hash == access.hash && key.1 == access.now => key,
            _ => self.key(1, access),
        }
    }
}

impl<W: Worth> Policy for GreedyDual<W> {
    type Record = Record;

    fn set_capacity(&mut self, _capacity: u64) {}

    #[inline]
    fn on_hit(&mut self, slots: &mut Slots<Record>, id: SlotId, access: &Access) {
        let record = slots.record_mut(id);
        record.uses = record.uses.saturating_add(1);
        let key = self.key(record.uses, access);
        self.lowest.update(slots, id, key);
    }

    fn victim(&mut self, _: &mut Slots<Record>, incoming: Option<&Access>, _: Tick) -> Verdict {
        let (lowest, id) = self.lowest.first().expect("victim() is called with a resident");
        let Some(newcomer) = incoming else { return Verdict::Evict(id) };
        let key = self.newcomer_key(newcomer);
        if key < lowest {
            self.newcomer = None;
            self.floor = f64::from_bits(key.0);
            return Verdict::Reject;
        }
        self.newcomer = Some((newcomer.hash, key));
        Verdict::Evict(id)
    }

    #[inline]
    fn on_insert(&mut self, slots: &mut Slots<Record>, id: SlotId, access: &Access) {
        slots.record_mut(id).uses = 1;
        let key = self.newcomer_key(access);
        self.newcomer = None;
        self.lowest.push(slots, id, key);
    }

    #[inline]
    fn on_remove(&mut self, slots: &mut Slots<Record>, id: SlotId, cause: RemovalCause, _: Tick) {
        let (price, _) = self.lowest.remove(slots, id);
        if cause == RemovalCause::Evicted {
            self.floor = f64::from_bits(price);
        }
    }

    fn leaving_order(&self, _: &Slots<Record>, _: Tick) -> Vec<SlotId> {
        self.lowest.sorted()
    }

    fn save_record(&self, slots: &Slots<Record>, id: SlotId, _: Tick) -> Option<SavedHistory> {
        Some(SavedHistory::counted(slots.record(id).uses))
    }

    fn on_restore(
        &mut self,
        slots: &mut Slots<Record>,
        id: SlotId,
        access: &Access,
        saved: Option<SavedHistory>,
    ) {
        let uses = saved.map_or(1, |saved| u32::from(saved.uses()));
        slots.record_mut(id).uses = uses;
        let key = self.key(uses, access);
        self.lowest.push(slots, id, key);
    }

    fn tracked(&self) -> Option<usize> {
        Some(self.lowest.len())
    }

    fn memory_bytes(&self) -> usize {
        self.lowest.memory_bytes()
    }
}
