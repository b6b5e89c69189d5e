//! The largest entries: what a walk over all places finds, a part of it at a time.
//!
//! At every beat of the clock a few thousand places are looked at, in turn; writes pay nothing. What
//! the walk that goes on has found, and what the one before it found, is known: an entry that was
//! written behind the walker's back is missed until it comes by again, in less than a minute for ten
//! million entries. Entries are told by their hashes; who asks finds whether they are still there.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use augury_core::slots::SlotId;

use super::residents::Residents;

/// Entries that are remembered.
const KEPT: usize = 256;
/// Places looked at in a beat: their records are 128 KiB in a row.
const AT_ONCE: SlotId = 4_096;
/// Places looked at when somebody asks: where there are no more, the answer is exact.
const WHEN_ASKED: SlotId = 65_536;

/// Bytes that an entry counts for, and its hash.
type Weighed = (u32, u64);

/// See the module's head.
#[derive(Default)]
pub struct Largest {
    /// Of the walk that goes on: the lightest on top.
    found: BinaryHeap<Reverse<Weighed>>,
    /// Of the one before.
    before: Vec<Weighed>,
    next: SlotId,
}

impl Largest {
    /// A beat's part of the walk.
    pub(super) fn walk(&mut self, residents: &dyn Residents) {
        self.look(residents, AT_ONCE);
    }

    /// All that are known, each once.
    pub(super) fn known(&mut self, residents: &dyn Residents) -> Vec<u64> {
        self.look(residents, WHEN_ASKED);
        let found = self.found.iter().map(|&Reverse((_, hash))| hash);
        let mut hashes: Vec<u64> = found.chain(self.before.iter().map(|&(_, hash)| hash)).collect();
        hashes.sort_unstable();
        hashes.dedup();
        hashes
    }

    fn look(&mut self, residents: &dyn Residents, count: SlotId) {
        let bound = residents.bound();
        let end = self.next.saturating_add(count).min(bound);
        let found = &mut self.found;
        residents.weigh(self.next..end, &mut |weight, hash| {
            if found.len() < KEPT {
                found.push(Reverse((weight, hash)));
            } else if let Some(mut least) = found.peek_mut()
                && weight > least.0.0
            {
                *least = Reverse((weight, hash));
            }
        });
        self.next = end;
        if end == bound {
            self.before = self.found.drain().map(|Reverse(weighed)| weighed).collect();
            self.next = 0;
        }
    }
}
