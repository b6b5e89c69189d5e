//! Ghosts: the histories of objects that are no longer resident, 8 bytes each.
//!
//! A set-associative table: eight ghosts to a set, a set to a cache line, so that remembering and
//! recalling each touch one line. Where a set is full its oldest ghost gives way and is handed
//! back: to the survival model it is an object that was not asked for again (censored). Sets are
//! added one by one as the cache fills, so that a small cache has a small table and none ever
//! pauses to rebuild; a ghost whose set is split by growth is lost if it falls to the new half.
//!
//! Fields (bits): fingerprint 18, last access 21, count 6, reuse 7, size 3, heat 9. A stranger is
//! taken for a ghost about once in 30,000 look-ups.

use super::record::History;
use crate::lines;

const WAYS: usize = 1 << WAY_BITS;
const WAY_BITS: u32 = 3;
/// Sets per allocation: 32 KiB.
const BLOCK: usize = 512;
/// Sets by which an allocation grows: as many as there are, within these limits.
const STEP: (usize, usize) = (8, 32);
const FINGERPRINT_BITS: u32 = 18;
const LAST_BITS: u32 = 21;
const LAST_SHIFT: u32 = 25;
const LAST_MASK: u64 = (1 << LAST_BITS) - 1;

/// One cache line.
#[derive(Debug, Clone)]
#[repr(align(64))]
struct Set([u64; WAYS]);

/// Sets allocated together, whose ghosts keep ticks in steps of `1 << grain`.
#[derive(Debug, Clone)]
struct Block {
    sets: Vec<Set>,
    grain: u32,
}

impl Block {
    /// Takes over a coarser grain: at most 4,096 ghosts, a few microseconds.
    #[cold]
    fn coarsen(&mut self, grain: u32, now: u32) {
        for ghost in self.sets.iter_mut().flat_map(|set| &mut set.0).filter(|ghost| **ghost != 0) {
            let age = coarse_age(*ghost, now, self.grain) << self.grain;
            let last = u64::from(now.wrapping_sub(age) >> grain) & LAST_MASK;
            *ghost = *ghost & !(LAST_MASK << LAST_SHIFT) | last << LAST_SHIFT;
        }
        self.grain = grain;
    }
}

/// See the module's head.
#[derive(Debug, Clone, Default)]
pub struct Ghosts {
    blocks: Vec<Block>,
    sets: u32,
    /// The grain that a table of this size has; a block takes it over when it is next touched.
    grain: u32,
}

impl Ghosts {
    /// Room for `count` ghosts. Grows by at most one set a call; never shrinks.
    #[inline]
    pub fn grow_towards(&mut self, count: usize) {
        let wanted = count.div_ceil(WAYS).min(u32::MAX as usize / WAYS) as u32;
        if self.sets < wanted {
            self.add_set();
        }
    }

    fn add_set(&mut self) {
        if self.sets as usize == self.blocks.len() * BLOCK {
            self.blocks.push(Block { sets: Vec::new(), grain: self.grain });
        }
        let block = &mut self.blocks[self.sets as usize / BLOCK].sets;
        if block.len() == block.capacity() {
            // In steps, so that small caches stay small.
            block.reserve_exact(block.len().clamp(STEP.0, STEP.1));
        }
        block.push(Set([0; WAYS]));
        self.sets += 1;
        // Ages up to 128 times the table's size are told apart: a table turns over in a few times
        // its size where most requests miss. Where nearly all hit, older ghosts look younger.
        let span = (self.sets as u64 * WAYS as u64 * 128).next_power_of_two();
        // A coarser grain than this would not survive the wrap of 32-bit ticks.
        self.grain = span.ilog2().saturating_sub(LAST_BITS).min(u32::BITS - LAST_BITS);
    }

    /// Begins to fetch the place of an object's ghost from memory, which takes as long as much of
    /// what an insertion does: by the time it is needed it is there.
    #[inline]
    pub fn approach(&self, hash: u64) {
        if let Some(at) = self.locate(hash)
            && let Some(set) = self.blocks[at / BLOCK].sets.get(at % BLOCK)
        {
            lines::fetch(set);
        }
    }

    /// Remembers a history. Returns the one that had to give way, with its age.
    #[inline]
    pub fn remember(&mut self, hash: u64, history: &History, now: u32) -> Option<(History, u32)> {
        let at = self.locate(hash)?;
        let grain = self.grain;
        let entry = pack(fingerprint(hash), history, grain);
        let set = self.set_mut(at, now);
        // Which way it will be cannot be foreseen, so this takes no branch: the first that is
        // empty, or else the last of the oldest.
        let mut chosen = 0;
        for (way, &ghost) in (0u32..).zip(set.iter()) {
            let full = coarse_age(ghost, now, grain) << WAY_BITS | way;
            chosen = chosen.max(if ghost == 0 { u32::MAX - way } else { full });
        }
        let empty = u32::MAX - chosen;
        let way = if empty < WAYS as u32 { empty } else { chosen % WAYS as u32 };
        let gone = std::mem::replace(&mut set[way as usize], entry);
        (gone != 0).then(|| (unpack(gone, now, grain), coarse_age(gone, now, grain) << grain))
    }

    /// Takes the history of an object back out, if it is remembered.
    #[inline]
    pub fn recall(&mut self, hash: u64, now: u32) -> Option<History> {
        let at = self.locate(hash)?;
        let grain = self.grain;
        let wanted = fingerprint(hash);
        let set = self.set_mut(at, now);
        let way = set
            .iter()
            .position(|&ghost| ghost != 0 && ghost >> (64 - FINGERPRINT_BITS) == wanted)?;
        let ghost = std::mem::take(&mut set[way]);
        Some(unpack(ghost, now, grain))
    }

    /// Changes what is remembered of an object, if anything is; whether it is.
    pub fn revise(&mut self, hash: u64, now: u32, change: impl FnOnce(&mut History)) -> bool {
        let Some(at) = self.locate(hash) else { return false };
        let (grain, wanted) = (self.grain, fingerprint(hash));
        let mut set = self.set_mut(at, now).iter_mut();
        let found = set.find(|ghost| **ghost != 0 && **ghost >> (64 - FINGERPRINT_BITS) == wanted);
        let Some(ghost) = found else { return false };
        let mut history = unpack(*ghost, now, grain);
        change(&mut history);
        *ghost = pack(wanted, &history, grain);
        true
    }

    /// The history of an object, left where it is.
    pub fn peek(&self, hash: u64, now: u32) -> Option<History> {
        let at = self.locate(hash)?;
        let block = &self.blocks[at / BLOCK];
        let wanted = fingerprint(hash);
        let mut set = block.sets[at % BLOCK].0.iter();
        let found = set.find(|&&ghost| ghost != 0 && ghost >> (64 - FINGERPRINT_BITS) == wanted)?;
        Some(unpack(*found, now, block.grain))
    }

    /// One ghost, drawn by 32 random bits: history and age. `None` where the place is empty.
    #[inline]
    pub fn sample(&self, random: u32, now: u32) -> Option<(History, u32)> {
        let places = self.sets * WAYS as u32;
        if places == 0 {
            return None;
        }
        let place = crate::hash::reduce(random, places) as usize;
        let (set, way) = (place / WAYS, place % WAYS);
        let block = &self.blocks[set / BLOCK];
        let (ghost, grain) = (block.sets[set % BLOCK].0[way], block.grain);
        (ghost != 0).then(|| (unpack(ghost, now, grain), coarse_age(ghost, now, grain) << grain))
    }

    /// Places for ghosts, filled or not.
    pub fn places(&self) -> usize {
        self.sets as usize * WAYS
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        let sets: usize = self.blocks.iter().map(|block| block.sets.capacity()).sum();
        sets * size_of::<Set>() + self.blocks.capacity() * size_of::<Block>()
    }

    /// Linear hashing: a set is found by as many low bits as there are sets, one bit fewer where
    /// the set that these name has not been added yet.
    #[inline]
    fn locate(&self, hash: u64) -> Option<usize> {
        if self.sets == 0 {
            return None;
        }
        let bits = u32::BITS - (self.sets - 1).leading_zeros();
        let low = (hash as u32 as u64) & ((1u64 << bits) - 1);
        let at = if low < u64::from(self.sets) { low } else { low - (1u64 << (bits - 1)) };
        Some(at as usize)
    }

    #[inline]
    fn set_mut(&mut self, at: usize, now: u32) -> &mut [u64; WAYS] {
        let block = &mut self.blocks[at / BLOCK];
        if block.grain != self.grain {
            block.coarsen(self.grain, now);
        }
        &mut block.sets[at % BLOCK].0
    }
}

/// Never 0 together with the other fields: an occupied place has a count of at least 1.
#[inline]
fn fingerprint(hash: u64) -> u64 {
    hash >> (64 - FINGERPRINT_BITS)
}

#[inline]
fn pack(fingerprint: u64, history: &History, grain: u32) -> u64 {
    let last = u64::from(history.last >> grain) & LAST_MASK;
    let heat = u64::from(history.heat_code() >> 7);
    fingerprint << 46
        | last << LAST_SHIFT
        | u64::from(count_code(history.count)) << 19
        | u64::from(history.reuse() & 127) << 12
        | u64::from(history.size() & 7) << 9
        | heat
}

#[inline]
fn coarse_age(ghost: u64, now: u32, grain: u32) -> u32 {
    let last = (ghost >> LAST_SHIFT) as u32;
    (now >> grain).wrapping_sub(last) & LAST_MASK as u32
}

#[inline]
fn unpack(ghost: u64, now: u32, grain: u32) -> History {
    let last = now.wrapping_sub(coarse_age(ghost, now, grain) << grain);
    let count = count_of((ghost >> 19) as u8 & 63);
    let heat = ((ghost & 511) << 7) as u16 | 64;
    History::restored(last, count, heat, (ghost >> 12) as u8 & 127, (ghost >> 9) as u8 & 7)
}

/// Counts to 32 exactly, then four steps to a power of two, up to 7,168.
#[inline]
fn count_code(count: u16) -> u8 {
    if count < 32 {
        return count as u8;
    }
    let exponent = 15 - count.leading_zeros();
    (32 + 4 * (exponent - 5) + ((u32::from(count) >> (exponent - 2)) & 3)).min(63) as u8
}

#[inline]
fn count_of(code: u8) -> u16 {
    if code < 32 {
        return u16::from(code);
    }
    let steps = code - 32;
    (4 + u16::from(steps & 3)) << (steps / 4 + 3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::mix;

    fn full(count: usize) -> Ghosts {
        let mut ghosts = Ghosts::default();
        for _ in 0..count {
            ghosts.grow_towards(count);
        }
        ghosts
    }

    #[test]
    fn what_is_remembered_is_recalled_once() {
        let mut ghosts = full(1000);
        let mut history = History::first(5, 300);
        history.touch(905, 0.001);
        assert!(ghosts.remember(mix(7), &history, 1000).is_none());
        let back = ghosts.recall(mix(7), 2000).unwrap();
        assert_eq!(
            (history.last, 2, history.reuse(), 1),
            (back.last, back.count, back.reuse(), back.size())
        );
        assert!((history.heat() / back.heat() - 1.0).abs() < 0.1);
        assert!(ghosts.recall(mix(7), 2000).is_none());
    }

    #[test]
    fn the_oldest_of_a_full_set_gives_way_with_its_age() {
        let mut ghosts = full(8);
        for key in 0..8 {
            assert!(ghosts.remember(mix(key), &History::first(key as u32, 1), 8).is_none());
        }
        let (_, age) = ghosts.remember(mix(9), &History::first(9, 1), 9).unwrap();
        assert_eq!(9, age);
        assert!(ghosts.recall(mix(0), 9).is_none());
        assert!(ghosts.recall(mix(1), 9).is_some());
    }

    #[test]
    fn counts_survive_packing_within_an_eighth() {
        for count in 0..5000u16 {
            let back = count_of(count_code(count));
            assert!(back <= count && f32::from(back) >= f32::from(count) * 0.8, "{count} {back}");
        }
    }

    #[test]
    fn ages_survive_a_coarser_grain() {
        let mut ghosts = full(16_000);
        let now = 3_000_000;
        for key in 0..1000 {
            ghosts.remember(mix(key), &History::first(now - 1000 * key as u32, 1), now);
        }
        let before = ghosts.grain;
        (0..40_000).for_each(|_| ghosts.grow_towards(200_000));
        assert!(ghosts.grain > before);
        let known: Vec<_> = (0..1000u32)
            .filter_map(|key| Some((key, ghosts.recall(mix(u64::from(key)), now)?)))
            .collect();
        assert!(known.len() > 30, "{}", known.len());
        for (key, history) in known {
            let error = history.age(now).abs_diff(1000 * key);
            assert!(error <= 2 << ghosts.grain, "{key}: {error}");
        }
    }

    #[test]
    fn most_ghosts_survive_growth() {
        let mut ghosts = full(4096);
        for key in 0..2048 {
            ghosts.remember(mix(key), &History::first(0, 1), 1);
        }
        let known = (0..2048).filter(|&key| ghosts.recall(mix(key), 1).is_some()).count();
        assert!(known > 1900, "{known}");
    }
}
