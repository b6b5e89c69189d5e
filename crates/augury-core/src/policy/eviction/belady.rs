//! Belady: evict the entry whose next access is the farthest away. The clairvoyant bound.
//!
//! Belady, "A study of replacement algorithms for a virtual-storage computer", IBM Systems
//! Journal 1966. It reads [`Access::next_access`], so it runs on recorded traffic only, and it is
//! optimal where every object has size 1. As in libCacheSim every object is admitted; misses are
//! equal on every size-1 trace (which of several entries that never return leaves first cannot
//! matter). [`Belady::bypassing`] turns a newcomer away whose next access is no nearer than the
//! farthest resident's, which is the optimum of a cache that may say no. With varying sizes it
//! decides one victim at a time: a newcomer may be rejected after a first victim has left.
//!
//! Cost: a heap update per access. A hit's old key is the present tick, the nearest of all, so it
//! sits at the bottom and rises a step or two; a victim sinks one item through
//! log4(entries) levels. Bytes per entry: 4 inline, 16 in the heap.

use std::cmp::Reverse;

use super::heap::{Heap, Placed};
use crate::metrics::RemovalCause;
use crate::policy::{Policy, Verdict};
use crate::request::{Access, Tick};
use crate::slots::{SlotId, Slots};

/// Place in the heap.
#[derive(Debug, Clone, Copy, Default)]
pub struct Record {
    place: u32,
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

/// See the module's head.
#[derive(Debug, Default)]
pub struct Belady {
    farthest: Heap<Reverse<Tick>>,
    bypass: bool,
}

impl Belady {
    /// The form that may turn a newcomer away.
    pub fn bypassing() -> Self {
        Belady { bypass: true, ..Belady::default() }
    }
}

impl Policy for Belady {
    type Record = Record;

    fn set_capacity(&mut self, _capacity: u64) {}

    #[inline]
    fn on_hit(&mut self, slots: &mut Slots<Record>, id: SlotId, access: &Access) {
        self.farthest.update(slots, id, Reverse(access.next_access));
    }

    #[inline]
    fn victim(&mut self, _: &mut Slots<Record>, incoming: Option<&Access>, _: Tick) -> Verdict {
        let (Reverse(next), id) =
            self.farthest.first().expect("victim() is called with a resident");
        match incoming {
            Some(newcomer) if self.bypass && newcomer.next_access >= next => Verdict::Reject,
            _ => Verdict::Evict(id),
        }
    }

    #[inline]
    fn on_insert(&mut self, slots: &mut Slots<Record>, id: SlotId, access: &Access) {
        self.farthest.push(slots, id, Reverse(access.next_access));
    }

    #[inline]
    fn on_remove(&mut self, slots: &mut Slots<Record>, id: SlotId, _: RemovalCause, _: Tick) {
        self.farthest.remove(slots, id);
    }

    fn tracked(&self) -> Option<usize> {
        Some(self.farthest.len())
    }

    fn memory_bytes(&self) -> usize {
        self.farthest.memory_bytes()
    }
}
