//! Hash index: 64-bit hash to slot number, for the store and for the guard's shadows.
//!
//! Open addressing, linear probing, deletion by backward shift (no tombstones, so the table never
//! decays). A bucket is 8 bytes: the upper half of the hash and the slot number, eight buckets to
//! a cache line. The home position is the top bits of that half, so neither growth nor deletion
//! has to read a slot. At most three quarters full: about 14 bytes per entry on average.

use crate::lines;
use crate::slots::{NIL, SlotId};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bucket {
    tag: u32,
    slot: SlotId,
}

const EMPTY: Bucket = Bucket { tag: 0, slot: NIL };
const MIN_BITS: u32 = 3;

/// See the module's head.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    buckets: Box<[Bucket]>,
    len: usize,
    bits: u32,
}

impl Default for Index {
    fn default() -> Self {
        Index { buckets: vec![EMPTY; 1 << MIN_BITS].into(), len: 0, bits: MIN_BITS }
    }
}

#[inline]
fn tag_of(hash: u64) -> u32 {
    (hash >> 32) as u32
}

impl Index {
    #[inline]
    fn home(&self, tag: u32) -> usize {
        (tag >> (32 - self.bits)) as usize
    }

    #[inline]
    fn mask(&self) -> usize {
        self.buckets.len() - 1
    }

    /// Slots whose tag equals that of `hash`, in probe order: candidates, to be compared further.
    #[inline]
    pub(crate) fn candidates(&self, hash: u64) -> Candidates<'_> {
        let tag = tag_of(hash);
        Candidates { index: self, tag, at: self.home(tag) }
    }

    /// Asks for the memory that a look-up of this hash begins with.
    #[inline]
    pub(crate) fn fetch(&self, hash: u64) {
        lines::fetch(&self.buckets[self.home(tag_of(hash))]);
    }

    /// Adds a slot. The caller guarantees that it is not in the index.
    #[inline]
    pub(crate) fn insert(&mut self, hash: u64, slot: SlotId) {
        self.reserve();
        self.place(Bucket { tag: tag_of(hash), slot });
        self.len += 1;
    }

    /// Whether one more slot can be added without growing.
    #[inline]
    pub(crate) fn has_room(&self) -> bool {
        (self.len + 1) * 4 <= self.buckets.len() * 3
    }

    /// Grows now if the next insertion would.
    #[inline]
    pub(crate) fn reserve(&mut self) {
        if !self.has_room() {
            self.grow();
        }
    }

    #[inline]
    fn place(&mut self, bucket: Bucket) {
        let mask = self.mask();
        let mut at = self.home(bucket.tag);
        while self.buckets[at].slot != NIL {
            at = (at + 1) & mask;
        }
        self.buckets[at] = bucket;
    }

    #[cold]
    fn grow(&mut self) {
        // 32 tag bits address at most 2^32 buckets, above the slot limit at three quarters full.
        self.bits += 1;
        let old = std::mem::replace(&mut self.buckets, vec![EMPTY; 1 << self.bits].into());
        for &bucket in old.iter().filter(|bucket| bucket.slot != NIL) {
            self.place(bucket);
        }
    }

    /// Removes a slot that is in the index under `hash`. Returns whether it was there.
    #[inline]
    pub(crate) fn remove(&mut self, hash: u64, slot: SlotId) -> bool {
        let mask = self.mask();
        let mut at = self.home(tag_of(hash));
        while self.buckets[at].slot != slot {
            if self.buckets[at].slot == NIL {
                return false;
            }
            at = (at + 1) & mask;
        }
        // Pull back every later bucket of the cluster that may stand nearer to its home.
        let mut hole = at;
        loop {
            at = (at + 1) & mask;
            let bucket = self.buckets[at];
            if bucket.slot == NIL {
                break;
            }
            let from_home = at.wrapping_sub(self.home(bucket.tag)) & mask;
            let from_hole = at.wrapping_sub(hole) & mask;
            if from_home >= from_hole {
                self.buckets[hole] = bucket;
                hole = at;
            }
        }
        self.buckets[hole] = EMPTY;
        self.len -= 1;
        true
    }

    /// Bytes held by the index.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.buckets.len() * size_of::<Bucket>()
    }
}

/// Iterator of [`Index::candidates`].
pub(crate) struct Candidates<'a> {
    index: &'a Index,
    tag: u32,
    at: usize,
}

impl Iterator for Candidates<'_> {
    type Item = SlotId;

    #[inline]
    fn next(&mut self) -> Option<SlotId> {
        loop {
            let bucket = self.index.buckets[self.at];
            if bucket.slot == NIL {
                return None;
            }
            self.at = (self.at + 1) & self.index.mask();
            if bucket.tag == self.tag {
                return Some(bucket.slot);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        /// Against a plain map, with tags drawn from so few values that clusters and equal tags
        /// are common.
        #[test]
        fn behaves_like_a_map(ops in prop::collection::vec((any::<bool>(), 0u32..64), 1..400)) {
            let mut index = Index::default();
            let mut model: HashMap<u32, u64> = HashMap::new();
            for (add, slot) in ops {
                let hash = (slot as u64 % 7) << 60 | (slot as u64 % 3) << 33;
                if add && !model.contains_key(&slot) {
                    index.insert(hash, slot);
                    model.insert(slot, hash);
                } else if !add {
                    prop_assert_eq!(model.remove(&slot).is_some(), index.remove(hash, slot));
                }
                prop_assert_eq!(model.len(), index.len);
                for (slot, hash) in &model {
                    prop_assert!(index.candidates(*hash).any(|found| found == *slot));
                }
            }
        }
    }
}
