//! SIEVE: a queue in insertion order and a hand that spares what was asked for since it last
//! came by.
//!
//! Zhang et al., "SIEVE is simpler than LRU: an efficient turn-key eviction algorithm for web
//! caches", NSDI 2024. The hand walks from the oldest entry to the newest, clears the marks it
//! meets and evicts the first unmarked entry; survivors keep their place, newcomers join at the
//! front, so the hand sifts new entries as quickly as old ones. No departures: misses equal
//! libCacheSim's Sieve on every size-1 trace.
//!
//! Cost: a hit sets one mark; a victim clears as many marks as hits have set since (amortised
//! constant). Bytes per entry: 12, inline.

use super::list::{Linked, Links, List};
use crate::history::SavedHistory;
use crate::metrics::RemovalCause;
use crate::policy::{Policy, Verdict};
use crate::request::{Access, Tick};
use crate::slots::{SlotId, Slots};

/// What SIEVE keeps in a slot.
#[derive(Debug, Clone, Copy, Default)]
pub struct Record {
    links: Links,
    /// Asked for since the hand last passed.
    visited: bool,
}

impl Linked for Record {
    #[inline]
    fn links(&self) -> &Links {
        &self.links
    }

    #[inline]
    fn links_mut(&mut self) -> &mut Links {
        &mut self.links
    }
}

/// See the module's head.
#[derive(Debug, Default)]
pub struct Sieve {
    list: List,
    /// Where the next walk starts; `None` means at the back.
    hand: Option<SlotId>,
}

impl Policy for Sieve {
    type Record = Record;

    fn set_capacity(&mut self, _capacity: u64) {}

    #[inline]
    fn on_hit(&mut self, slots: &mut Slots<Record>, id: SlotId, _access: &Access) {
        slots.record_mut(id).visited = true;
    }

    fn victim(&mut self, slots: &mut Slots<Record>, _: Option<&Access>, _: Tick) -> Verdict {
        let back = self.list.back().expect("victim() is called with a resident");
        let mut hand = self.hand.unwrap_or(back);
        while std::mem::take(&mut slots.record_mut(hand).visited) {
            hand = self.list.before(slots, hand).unwrap_or(back);
        }
        self.hand = Some(hand);
        Verdict::Evict(hand)
    }

    #[inline]
    fn on_insert(&mut self, slots: &mut Slots<Record>, id: SlotId, _access: &Access) {
        self.list.push_front(slots, id);
    }

    #[inline]
    fn on_remove(&mut self, slots: &mut Slots<Record>, id: SlotId, _: RemovalCause, _: Tick) {
        if self.hand == Some(id) {
            self.hand = self.list.before(slots, id);
        }
        self.list.remove(slots, id);
    }

    /// As the hand comes by.
    fn leaving_order(&self, slots: &Slots<Record>, _: Tick) -> Vec<SlotId> {
        let mut order = Vec::with_capacity(self.list.len());
        self.list.append_to(slots, &mut order);
        let hand = self.hand.and_then(|hand| order.iter().position(|&id| id == hand));
        order.rotate_left(hand.unwrap_or(0));
        order
    }

    /// An entry that will be spared counts as used twice.
    fn save_record(&self, slots: &Slots<Record>, id: SlotId, _: Tick) -> Option<SavedHistory> {
        Some(SavedHistory::counted(1 + u32::from(slots.record(id).visited)))
    }

    fn on_restore(
        &mut self,
        slots: &mut Slots<Record>,
        id: SlotId,
        access: &Access,
        saved: Option<SavedHistory>,
    ) {
        self.on_insert(slots, id, access);
        slots.record_mut(id).visited = saved.is_some_and(|saved| saved.uses() > 1);
    }

    fn tracked(&self) -> Option<usize> {
        Some(self.list.len())
    }

    fn memory_bytes(&self) -> usize {
        0
    }
}
