//! Hash index: 64-bit hash to slot number, for the store and for the guard's shadows.
//!
//! Places stand in chunks of twelve, a chunk to a cache line: twelve bytes of hash, twelve slot
//! numbers, and how many entries were passed on because the chunk was full. A look-up compares the
//! twelve bytes at once, as a rule in one line, and goes on to the next chunk only where something
//! was passed on; a removal takes that back, so there are no tombstones and the table never decays.
//! After Bronson and Shi, "Open-sourcing F14 for faster, more memory-efficient hash tables", 2019.
//!
//! A byte tells entries of a chunk apart and not more: whoever looks up compares the whole hash, which
//! stands beside the entry and not here. Growth asks for it, too. At most seven eighths full: 5.3
//! bytes a place, 6 to 12 an entry.

use crate::lines;
use crate::slots::{NIL, SlotId};

/// Places of a chunk.
const PLACES: usize = 12;
/// Entries per chunk, over all of them, at which the table doubles: half of them, so that whole
/// numbers do.
const HALF_FULL: (usize, usize) = (21, 2);

/// One cache line.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Chunk {
    /// A byte of each entry's hash, never 0; 0 where there is none.
    tags: [u8; PLACES],
    /// Entries that stand in a later chunk because this one was full.
    passed: u32,
    slots: [SlotId; PLACES],
}

const EMPTY: Chunk = Chunk { tags: [0; PLACES], passed: 0, slots: [NIL; PLACES] };

impl Chunk {
    /// The places with this tag, a bit each.
    #[inline]
    fn places(&self, tag: u8) -> u32 {
        let found: u32;
        #[cfg(target_arch = "x86_64")]
        {
            use core::arch::x86_64::{
                _mm_cmpeq_epi8, _mm_movemask_epi8, _mm_set_epi64x, _mm_set1_epi8,
            };
            let [first @ .., _, _, _, _] = self.tags;
            let [_, _, _, _, _, _, _, _, last @ ..] = self.tags;
            let last = i64::from(u32::from_le_bytes(last));
            // SAFETY: every x86-64 has SSE2, and these touch no memory.
            let equal = unsafe {
                let tags = _mm_set_epi64x(last, i64::from_le_bytes(first));
                _mm_movemask_epi8(_mm_cmpeq_epi8(tags, _mm_set1_epi8(tag as i8)))
            };
            found = equal as u32 & ((1 << PLACES) - 1);
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            let tags = self.tags.iter().enumerate();
            found = tags.fold(0, |found, (place, &other)| found | u32::from(other == tag) << place);
        }
        found
    }
}

/// See the module's head.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    /// As many as a power of two.
    chunks: Box<[Chunk]>,
    len: usize,
}

impl Default for Index {
    fn default() -> Self {
        Index { chunks: [EMPTY].into(), len: 0 }
    }
}

/// Not the bits by which a chunk is found, nor those by which the guard samples.
#[inline]
fn tag_of(hash: u64) -> u8 {
    (hash as u8).max(1)
}

impl Index {
    #[inline]
    fn home(&self, hash: u64) -> usize {
        // The top bits; of one chunk there are none.
        ((u128::from(hash) * self.chunks.len() as u128) >> 64) as usize
    }

    #[inline]
    fn after(&self, chunk: usize) -> usize {
        (chunk + 1) & (self.chunks.len() - 1)
    }

    /// Slots that may be under this hash: candidates, whose own hash the caller compares.
    #[inline]
    pub(crate) fn candidates(&self, hash: u64) -> Candidates<'_> {
        let (tag, at) = (tag_of(hash), self.home(hash));
        Candidates { index: self, tag, at, places: self.chunks[at].places(tag), hops: 0 }
    }

    /// Asks for the memory that a look-up of this hash begins with.
    #[inline]
    pub(crate) fn fetch(&self, hash: u64) {
        lines::fetch(&self.chunks[self.home(hash)]);
    }

    /// Adds a slot. The caller guarantees that it is not in the index; `hash_of` says under which
    /// hash each slot of the index is.
    #[inline]
    pub(crate) fn insert(&mut self, hash: u64, slot: SlotId, hash_of: impl Fn(SlotId) -> u64) {
        self.reserve(hash_of);
        self.place(hash, slot);
        self.len += 1;
    }

    /// Whether one more slot can be added without growing.
    #[inline]
    pub(crate) fn has_room(&self) -> bool {
        self.len * HALF_FULL.1 < self.chunks.len() * HALF_FULL.0
    }

    /// Grows now if the next insertion would.
    #[inline]
    pub(crate) fn reserve(&mut self, hash_of: impl Fn(SlotId) -> u64) {
        if !self.has_room() {
            self.grow(hash_of);
        }
    }

    #[inline]
    fn place(&mut self, hash: u64, slot: SlotId) {
        let mut at = self.home(hash);
        loop {
            let chunk = &mut self.chunks[at];
            let vacant = chunk.places(0);
            if vacant != 0 {
                let place = vacant.trailing_zeros() as usize;
                (chunk.tags[place], chunk.slots[place]) = (tag_of(hash), slot);
                return;
            }
            chunk.passed += 1;
            at = self.after(at);
        }
    }

    #[cold]
    fn grow(&mut self, hash_of: impl Fn(SlotId) -> u64) {
        let doubled = vec![EMPTY; 2 * self.chunks.len()].into();
        let old = std::mem::replace(&mut self.chunks, doubled);
        let entries = old.iter().flat_map(|chunk| std::iter::zip(chunk.tags, chunk.slots));
        for (_, slot) in entries.filter(|&(tag, _)| tag != 0) {
            self.place(hash_of(slot), slot);
        }
    }

    /// Removes a slot that is in the index under `hash`. Returns whether it was there.
    #[inline]
    pub(crate) fn remove(&mut self, hash: u64, slot: SlotId) -> bool {
        let (tag, home) = (tag_of(hash), self.home(hash));
        let mut at = home;
        for _ in 0..self.chunks.len() {
            let chunk = &mut self.chunks[at];
            let mut places = chunk.places(tag);
            while places != 0 {
                let place = places.trailing_zeros() as usize;
                if chunk.slots[place] == slot {
                    chunk.tags[place] = 0;
                    self.len -= 1;
                    self.take_back(home, at);
                    return true;
                }
                places &= places - 1;
            }
            if chunk.passed == 0 {
                return false;
            }
            at = self.after(at);
        }
        false
    }

    /// One entry fewer was passed on from `home` to `end`.
    #[inline]
    fn take_back(&mut self, home: usize, end: usize) {
        let mut at = home;
        while at != end {
            self.chunks[at].passed -= 1;
            at = self.after(at);
        }
    }

    /// Bytes held by the index.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.chunks.len() * size_of::<Chunk>()
    }
}

/// Iterator of [`Index::candidates`].
pub(crate) struct Candidates<'a> {
    index: &'a Index,
    tag: u8,
    at: usize,
    /// Places of this chunk that are still to be named.
    places: u32,
    hops: usize,
}

impl Iterator for Candidates<'_> {
    type Item = SlotId;

    #[inline]
    fn next(&mut self) -> Option<SlotId> {
        loop {
            let chunk = &self.index.chunks[self.at];
            if self.places != 0 {
                let place = self.places.trailing_zeros() as usize;
                self.places &= self.places - 1;
                return Some(chunk.slots[place]);
            }
            // As many chunks as there are, where something was passed on from each.
            self.hops += 1;
            if chunk.passed == 0 || self.hops == self.index.chunks.len() {
                return None;
            }
            self.at = self.index.after(self.at);
            self.places = self.index.chunks[self.at].places(self.tag);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::mix;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[test]
    fn a_chunk_is_a_cache_line() {
        assert_eq!(64, size_of::<Chunk>());
    }

    #[test]
    fn an_entry_takes_six_to_twelve_bytes() {
        let mut index = Index::default();
        for slot in 0..100_000u32 {
            index.insert(mix(u64::from(slot)), slot, |slot| mix(u64::from(slot)));
            let bytes = index.memory_bytes() as f64 / index.len as f64;
            assert!(slot < 1_000 || (6.0..=12.3).contains(&bytes), "{bytes} at {slot}");
        }
    }

    #[test]
    fn few_look_ups_go_beyond_a_chunk() {
        let mut index = Index::default();
        let hash_of = |slot| mix(u64::from(slot));
        (0..86_000).for_each(|slot| index.insert(hash_of(slot), slot, hash_of));
        assert!(!index.has_room() || index.len * 100 > index.chunks.len() * PLACES * 85);
        let passing = index.chunks.iter().filter(|chunk| chunk.passed > 0).count();
        assert!(passing * 2 < index.chunks.len(), "{passing} of {}", index.chunks.len());
    }

    proptest! {
        /// Against a plain map, with hashes drawn from so few values that full chunks and equal
        /// hashes are common.
        #[test]
        fn behaves_like_a_map(ops in prop::collection::vec((any::<bool>(), 0u32..96), 1..600)) {
            let hash_of = |slot: SlotId| ((u64::from(slot) % 7) << 60) | (u64::from(slot) % 3);
            let mut index = Index::default();
            let mut model: HashMap<u32, u64> = HashMap::new();
            for (add, slot) in ops {
                let hash = hash_of(slot);
                if add && !model.contains_key(&slot) {
                    index.insert(hash, slot, hash_of);
                    model.insert(slot, hash);
                } else if !add {
                    prop_assert_eq!(model.remove(&slot).is_some(), index.remove(hash, slot));
                }
                prop_assert_eq!(model.len(), index.len);
                for (slot, hash) in &model {
                    let found = index.candidates(*hash).filter(|found| found == slot).count();
                    prop_assert_eq!(1, found);
                }
            }
            for (slot, hash) in model {
                prop_assert!(index.remove(hash, slot));
            }
            prop_assert!(index.chunks.iter().all(|chunk| chunk.passed == 0));
        }
    }
}
