//! Belady by size: evict the entry with the largest product of wait until its next access and
//! size.
//!
//! The usual clairvoyant yardstick where sizes vary (libCacheSim's BeladySize): room is a product
//! of bytes and time, and the entry that would hold the most of it goes first; one that never
//! returns goes before all others. Not a bound: the optimum with sizes is NP-hard. Departures from
//! the peer, which draws 128 residents at random: ours is deterministic and nearly exact. Entries
//! are kept in classes of nearly equal size (within an eighth), each a heap by next access; the
//! farthest of every class compete by their exact products. With one size it is Belady.
//!
//! Cost: a heap update per access, a look at the head of every occupied class per victim (about
//! 30 to 100). A hit that brings a new size changes heaps and may allocate. Bytes per entry: 8
//! inline, 16 in the heaps.

use std::cmp::Reverse;

use super::heap::{Heap, Placed};
use crate::metrics::RemovalCause;
use crate::policy::{Policy, Verdict};
use crate::request::{Access, NEVER, Tick};
use crate::slots::{SlotId, Slots};

/// Classes per doubling of size, as a power of two.
const STEP_BITS: u32 = 3;
const CLASSES: usize = ((32 - STEP_BITS + 1) << STEP_BITS) as usize;

/// Place in the heap of a size class.
#[derive(Debug, Clone, Copy, Default)]
pub struct Record {
    place: u32,
    class: u8,
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
#[derive(Debug)]
pub struct BeladySize {
    classes: Box<[Heap<Reverse<Tick>>]>,
    len: usize,
    bypass: bool,
}

impl Default for BeladySize {
    fn default() -> Self {
        BeladySize { classes: vec![Heap::default(); CLASSES].into(), len: 0, bypass: false }
    }
}

impl BeladySize {
    /// The form that may turn a newcomer away.
    pub fn bypassing() -> Self {
        BeladySize { bypass: true, ..BeladySize::default() }
    }

    fn heap(&mut self, class: u8) -> &mut Heap<Reverse<Tick>> {
        &mut self.classes[class as usize]
    }
}

/// Number of the class of sizes that `size` belongs to.
#[inline]
fn class(size: u32) -> u8 {
    let octave = size.max(1).ilog2().saturating_sub(STEP_BITS);
    ((octave << STEP_BITS) + (size >> octave)) as u8
}

/// Bytes times requests that an entry would hold until it is asked for again.
#[inline]
fn room(next: Tick, now: Tick, size: u32) -> u128 {
    match next {
        NEVER => u128::MAX,
        next => next.saturating_sub(now) as u128 * size as u128,
    }
}

impl Policy for BeladySize {
    type Record = Record;

    fn set_capacity(&mut self, _capacity: u64) {}

    fn on_hit(&mut self, slots: &mut Slots<Record>, id: SlotId, access: &Access) {
        let (old, new) = (slots.record(id).class, class(access.size));
        if old == new {
            self.heap(new).update(slots, id, Reverse(access.next_access));
        } else {
            self.heap(old).remove(slots, id);
            slots.record_mut(id).class = new;
            self.heap(new).push(slots, id, Reverse(access.next_access));
        }
    }

    fn victim(
        &mut self,
        slots: &mut Slots<Record>,
        incoming: Option<&Access>,
        now: Tick,
    ) -> Verdict {
        let heads = self.classes.iter().filter_map(Heap::first);
        let (most, id) = heads
            .map(|(Reverse(next), id)| (room(next, now, slots.size(id)), id))
            .max()
            .expect("victim() is called with a resident");
        match incoming {
            Some(newcomer)
                if self.bypass && room(newcomer.next_access, now, newcomer.size) >= most =>
            {
                Verdict::Reject
            }
            _ => Verdict::Evict(id),
        }
    }

    fn on_insert(&mut self, slots: &mut Slots<Record>, id: SlotId, access: &Access) {
        let class = class(access.size);
        slots.record_mut(id).class = class;
        self.heap(class).push(slots, id, Reverse(access.next_access));
        self.len += 1;
    }

    fn on_remove(&mut self, slots: &mut Slots<Record>, id: SlotId, _: RemovalCause, _: Tick) {
        let class = slots.record(id).class;
        self.heap(class).remove(slots, id);
        self.len -= 1;
    }

    fn tracked(&self) -> Option<usize> {
        Some(self.len)
    }

    fn memory_bytes(&self) -> usize {
        let heaps: usize = self.classes.iter().map(Heap::memory_bytes).sum();
        heaps + self.classes.len() * size_of::<Heap<Reverse<Tick>>>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_follow_the_size_and_are_narrow() {
        for size in 1..100_000_u32 {
            assert!(class(size) <= class(size + 1));
            assert!(class(size + size / 7 + 1) > class(size), "{size}");
        }
        assert!((class(u32::MAX) as usize) < CLASSES);
        assert_eq!(0, class(0));
    }

    #[test]
    fn the_most_bytes_times_requests_leave_first() {
        let (mut policy, mut slots) = (BeladySize::default(), Slots::default());
        let mut insert = |size: u32, next_access: Tick| {
            let id = slots.occupy(next_access, size);
            let access = Access { next_access, ..Access::new(0, 0, size, 0) };
            policy.on_insert(&mut slots, id, &access);
            id
        };
        let never = insert(1, NEVER);
        let far = insert(10, 100);
        let large = insert(500, 3);
        for expected in [never, large, far] {
            assert_eq!(Verdict::Evict(expected), policy.victim(&mut slots, None, 0));
            policy.on_remove(&mut slots, expected, RemovalCause::Evicted, 0);
            slots.vacate(expected);
        }
    }
}
