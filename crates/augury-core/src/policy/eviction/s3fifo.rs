//! S3-FIFO: a small queue for newcomers, a main queue for what proved itself, ghosts for what
//! left the small queue too early.
//!
//! Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023. A newcomer joins
//! the small queue (a tenth of the room), or the main queue where it is a ghost. At the end of the
//! small queue an entry asked for twice moves to the main queue, any other leaves and becomes a
//! ghost. At the end of the main queue an entry asked for is put back at the price of one use
//! (counts stop at three), any other leaves.
//!
//! Departures from the paper and libCacheSim's variant of December 2024:
//! - until the first eviction, what no longer fits the small queue joins the main queue (as the
//!   peer does, not in the paper);
//! - ghosts are counted, not weighed, one per resident (the peer: the main queue's weight), and a
//!   ghost that comes back does not lengthen the stay of the others: one number per cell in place
//!   of a queue;
//! - an object larger than the small queue is admitted; the peer turns it away, which is worth
//!   0.01 where a few objects are that large (adaptsize_cdn at 1%).
//!
//! Over the open traces the differences to the peer cancel on average (less than 0.0001 misses
//! per request); they lie between 0.010 fewer and, where sizes vary, 0.012 more.
//!
//! Cost: a hit changes one record; a victim moves as many entries as hits have marked (amortised
//! constant) and writes a ghost, one cache line. Bytes per entry: 12 inline, about 10 to 19 for
//! ghosts.

use super::ghosts::Ghosts;
use super::list::{Linked, Links, List};
use crate::history::SavedHistory;
use crate::metrics::RemovalCause;
use crate::policy::{Policy, Verdict};
use crate::request::{Access, Tick};
use crate::slots::{SlotId, Slots};

/// Share of the capacity for newcomers: one in this many.
const SMALL_SHARE: u64 = 10;
/// Uses in the small queue that earn a place in the main queue.
const PROMOTION: u8 = 2;
/// Highest use count.
const MAX_USES: u8 = 3;

/// What S3-FIFO keeps in a slot.
#[derive(Debug, Clone, Copy, Default)]
pub struct Record {
    links: Links,
    uses: u8,
    in_main: bool,
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

#[derive(Debug, Default)]
struct Queue {
    list: List,
    used: u64,
}

/// See the module's head.
#[derive(Debug, Default)]
pub struct S3Fifo {
    small: Queue,
    main: Queue,
    ghosts: Ghosts,
    small_capacity: u64,
    main_capacity: u64,
    has_evicted: bool,
}

impl S3Fifo {
    fn queue(&mut self, in_main: bool) -> &mut Queue {
        if in_main { &mut self.main } else { &mut self.small }
    }

    fn enter(&mut self, slots: &mut Slots<Record>, id: SlotId, in_main: bool) {
        let record = slots.record_mut(id);
        record.uses = 0;
        record.in_main = in_main;
        let size = slots.size(id) as u64;
        let queue = self.queue(in_main);
        queue.used += size;
        queue.list.push_front(slots, id);
    }

    fn leave(&mut self, slots: &mut Slots<Record>, id: SlotId) {
        let size = slots.size(id) as u64;
        let queue = self.queue(slots.record(id).in_main);
        queue.used -= size;
        queue.list.remove(slots, id);
    }

    /// The next to leave the small queue, promoting those before it; `None` if all were promoted.
    fn small_victim(&mut self, slots: &mut Slots<Record>) -> Option<SlotId> {
        while let Some(id) = self.small.list.back() {
            if slots.record(id).uses < PROMOTION {
                return Some(id);
            }
            self.leave(slots, id);
            self.enter(slots, id, true);
        }
        None
    }

    /// The next to leave the main queue, putting back those before it.
    fn main_victim(&mut self, slots: &mut Slots<Record>) -> Option<SlotId> {
        while let Some(id) = self.main.list.back() {
            let record = slots.record_mut(id);
            if record.uses == 0 {
                return Some(id);
            }
            record.uses -= 1;
            self.main.list.move_to_front(slots, id);
        }
        None
    }
}

impl Policy for S3Fifo {
    type Record = Record;

    fn set_capacity(&mut self, capacity: u64) {
        self.small_capacity = capacity / SMALL_SHARE;
        self.main_capacity = capacity - self.small_capacity;
    }

    #[inline]
    fn on_hit(&mut self, slots: &mut Slots<Record>, id: SlotId, _access: &Access) {
        let record = slots.record_mut(id);
        record.uses = (record.uses + 1).min(MAX_USES);
    }

    fn victim(&mut self, slots: &mut Slots<Record>, _: Option<&Access>, _: Tick) -> Verdict {
        self.has_evicted = true;
        let from_small =
            if self.main.used > self.main_capacity { None } else { self.small_victim(slots) };
        let victim = from_small.or_else(|| self.main_victim(slots));
        Verdict::Evict(
            victim
                .or_else(|| self.small_victim(slots))
                .expect("victim() is called with a resident"),
        )
    }

    fn on_insert(&mut self, slots: &mut Slots<Record>, id: SlotId, access: &Access) {
        let filling = !self.has_evicted && self.small.used >= self.small_capacity;
        let in_main = self.ghosts.take(access.hash) || filling;
        self.enter(slots, id, in_main);
    }

    fn on_remove(&mut self, slots: &mut Slots<Record>, id: SlotId, cause: RemovalCause, _: Tick) {
        self.leave(slots, id);
        if cause == RemovalCause::Evicted && !slots.record(id).in_main {
            self.ghosts.keep(slots.live() as usize);
            self.ghosts.add(slots.hash(id));
        }
    }

    fn on_resize(&mut self, slots: &Slots<Record>, id: SlotId, old: u32) {
        let queue = self.queue(slots.record(id).in_main);
        queue.used = queue.used - old as u64 + slots.size(id) as u64;
    }

    /// The small queue before the main one: inserted in this order, most of the main queue is
    /// there again, since what no longer fits the small queue while the cache fills joins it.
    fn leaving_order(&self, slots: &Slots<Record>, _: Tick) -> Vec<SlotId> {
        let mut order = Vec::with_capacity(self.small.list.len() + self.main.list.len());
        self.small.list.append_to(slots, &mut order);
        self.main.list.append_to(slots, &mut order);
        order
    }

    fn save_record(&self, slots: &Slots<Record>, id: SlotId, _: Tick) -> Option<SavedHistory> {
        Some(SavedHistory::counted(1 + u32::from(slots.record(id).uses)))
    }

    fn on_restore(
        &mut self,
        slots: &mut Slots<Record>,
        id: SlotId,
        access: &Access,
        saved: Option<SavedHistory>,
    ) {
        self.on_insert(slots, id, access);
        let uses = saved.map_or(0, |saved| saved.uses() - 1);
        slots.record_mut(id).uses = uses.min(u16::from(MAX_USES)) as u8;
    }

    fn tracked(&self) -> Option<usize> {
        Some(self.small.list.len() + self.main.list.len())
    }

    fn memory_bytes(&self) -> usize {
        self.ghosts.memory_bytes()
    }
}
