//! GDSF (greedy dual, frequency, size): evict the lowest `L + uses * cost / size`.
//!
//! Cherkasova, "Improving WWW proxies performance with greedy-dual-size-frequency caching
//! policy", HP Labs 1998. `L` is the priority of the last victim: whoever is asked for again
//! starts from there, so old popularity fades as evictions go by. Cost is 1: a miss is a miss.
//! Ties go to the entry asked for the longest ago, as in libCacheSim, whose misses ours equal on
//! the size-1 traces. Departure: an entry whose size changes at a hit is ranked by its new size;
//! the peer keeps the size at insertion. A size changed without an access counts from the next
//! access on.
//!
//! Cost: a heap update per access, log4(entries) levels at most. Bytes per entry: 8 inline, 24
//! in the heap.

use super::heap::{Heap, Placed};
use crate::metrics::RemovalCause;
use crate::policy::{Policy, Verdict};
use crate::request::{Access, Tick};
use crate::slots::{SlotId, Slots};

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

/// Priority, then last access. Bits of a float at or above zero order like the float.
type Key = (u64, Tick);

/// See the module's head.
#[derive(Debug, Default)]
pub struct Gdsf {
    lowest: Heap<Key>,
    inflation: f64,
}

impl Gdsf {
    #[inline]
    fn key(&self, uses: u32, access: &Access) -> Key {
        let priority = self.inflation + uses as f64 / access.size.max(1) as f64;
        (priority.to_bits(), access.now)
    }
}

impl Policy for Gdsf {
    type Record = Record;

    fn set_capacity(&mut self, _capacity: u64) {}

    #[inline]
    fn on_hit(&mut self, slots: &mut Slots<Record>, id: SlotId, access: &Access) {
        let record = slots.record_mut(id);
        record.uses = record.uses.saturating_add(1);
        let key = self.key(record.uses, access);
        self.lowest.update(slots, id, key);
    }

    #[inline]
    fn victim(&mut self, _: &mut Slots<Record>, _: Option<&Access>, _: Tick) -> Verdict {
        Verdict::Evict(self.lowest.first().expect("victim() is called with a resident").1)
    }

    #[inline]
    fn on_insert(&mut self, slots: &mut Slots<Record>, id: SlotId, access: &Access) {
        slots.record_mut(id).uses = 1;
        let key = self.key(1, access);
        self.lowest.push(slots, id, key);
    }

    #[inline]
    fn on_remove(&mut self, slots: &mut Slots<Record>, id: SlotId, cause: RemovalCause, _: Tick) {
        let (priority, _) = self.lowest.remove(slots, id);
        if cause == RemovalCause::Evicted {
            self.inflation = f64::from_bits(priority);
        }
    }

    fn tracked(&self) -> Option<usize> {
        Some(self.lowest.len())
    }

    fn memory_bytes(&self) -> usize {
        self.lowest.memory_bytes()
    }
}
