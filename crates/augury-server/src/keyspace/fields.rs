//! When fields of hashes expire: the places of the hashes, by their earliest deadline.
//!
//! A heap that is corrected where it is read: an entry may be too early, or its hash gone, so what
//! it says is looked up. Entries that nobody needs any more are dropped once they are the half.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use augury_core::clock::Millis;
use augury_core::slots::SlotId;

/// Entries below which none are dropped.
const KEPT: usize = 1024;

/// See the module's head.
#[derive(Default)]
pub(super) struct FieldDeadlines {
    heap: BinaryHeap<Reverse<(Millis, SlotId)>>,
    /// Length at which the heap is looked through.
    limit: usize,
}

impl FieldDeadlines {
    /// Whether no hash may have a field that expires.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// The hash in this place has a field that expires at this time, its earliest. `earliest` says
    /// the same of any place.
    pub(super) fn add(
        &mut self,
        at: Millis,
        id: SlotId,
        earliest: impl Fn(SlotId) -> Option<Millis>,
    ) {
        if self.heap.len() >= self.limit.max(KEPT) {
            let mut entries = std::mem::take(&mut self.heap).into_vec();
            entries.retain(|Reverse((at, id))| earliest(*id) == Some(*at));
            entries.sort_unstable();
            entries.dedup();
            self.limit = entries.len() * 2;
            self.heap = entries.into();
        }
        self.heap.push(Reverse((at, id)));
    }

    /// A place whose hash may have a field that has expired by now.
    pub(super) fn pop_due(&mut self, now: Millis) -> Option<SlotId> {
        let Reverse((at, id)) = *self.heap.peek()?;
        if at > now {
            return None;
        }
        self.heap.pop();
        Some(id)
    }

    /// Bytes that it takes.
    pub(super) fn memory_bytes(&self) -> usize {
        self.heap.capacity() * size_of::<(Millis, SlotId)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_needs_is_dropped() {
        let mut deadlines = FieldDeadlines::default();
        for at in (0..1_000_000u64).rev() {
            deadlines.add(at, 7, |_| Some(at + 1));
        }
        assert!(deadlines.memory_bytes() <= 2 * KEPT * 16);
        assert_eq!((Some(7), true), (deadlines.pop_due(0), deadlines.pop_due(0).is_none()));
    }
}
