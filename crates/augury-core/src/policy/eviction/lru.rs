//! LRU: evict the entry whose last access is the longest ago.
//!
//! The list of Mattson et al., "Evaluation techniques for storage hierarchies", IBM Systems
//! Journal 1970. No departures: misses equal libCacheSim's LRU on every size-1 trace.
//!
//! Cost: a hit relinks one slot (up to three neighbours touched), a victim is read off the back.
//! Bytes per entry: 8, inline.

use super::list::{Links, List};
use crate::metrics::RemovalCause;
use crate::policy::{Policy, Verdict};
use crate::request::{Access, Tick};
use crate::slots::{SlotId, Slots};

/// See the module's head.
#[derive(Debug, Default)]
pub struct Lru {
    list: List,
}

impl Policy for Lru {
    type Record = Links;

    fn set_capacity(&mut self, _capacity: u64) {}

    #[inline]
    fn on_hit(&mut self, slots: &mut Slots<Links>, id: SlotId, _access: &Access) {
        self.list.move_to_front(slots, id);
    }

    #[inline]
    fn victim(&mut self, _: &mut Slots<Links>, _: Option<&Access>, _: Tick) -> Verdict {
        Verdict::Evict(self.list.back().expect("victim() is called with a resident"))
    }

    #[inline]
    fn on_insert(&mut self, slots: &mut Slots<Links>, id: SlotId, _access: &Access) {
        self.list.push_front(slots, id);
    }

    #[inline]
    fn on_remove(&mut self, slots: &mut Slots<Links>, id: SlotId, _: RemovalCause, _: Tick) {
        self.list.remove(slots, id);
    }

    fn leaving_order(&self, slots: &Slots<Links>, _: Tick) -> Vec<SlotId> {
        let mut order = Vec::with_capacity(self.list.len());
        self.list.append_to(slots, &mut order);
        order
    }

    fn tracked(&self) -> Option<usize> {
        Some(self.list.len())
    }

    fn memory_bytes(&self) -> usize {
        0
    }
}
