//! A count-min sketch with ageing: how often a hash was asked for lately, in 4 bits a counter.
//!
//! Cormode and Muthukrishnan, "An improved data stream summary", 2005, with the minimal increment
//! and the halving of Einziger, Friedman and Manes, "TinyLFU: a highly efficient cache admission
//! policy", ACM Transactions on Storage 2017: all counters are halved after ten times as many
//! accesses as entries. The four counters of a hash lie in one cache line. The table follows the
//! number of entries; when it doubles both halves keep the counts, so estimates stay upper bounds.
//!
//! Cost: one cache line per access and per estimate; a halving passes over the whole table once
//! in ten accesses per entry. Bytes per entry: 16 to 32.

const WORDS: usize = 8;
const ROWS: u32 = 4;
/// Half of it, as elsewhere, doubles the misses that collisions cause on loops.
const WORDS_PER_ENTRY: usize = 2;
/// Accesses per entry between halvings.
const SAMPLE: u64 = 10;
const MAX_COUNT: u64 = 15;

#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
struct Block([u64; WORDS]);

/// See the module's head.
#[derive(Debug)]
pub(crate) struct Sketch {
    blocks: Vec<Block>,
    entries: u64,
    additions: u64,
}

impl Default for Sketch {
    fn default() -> Self {
        Sketch { blocks: vec![Block::default()], entries: 0, additions: 0 }
    }
}

impl Sketch {
    /// The cache holds this many entries now; the table only grows.
    #[inline]
    pub(crate) fn fit(&mut self, entries: usize) {
        self.entries = self.entries.max(entries as u64);
        while entries * WORDS_PER_ENTRY > self.blocks.len() * WORDS {
            self.blocks.reserve_exact(self.blocks.len());
            self.blocks.extend_from_within(..);
        }
    }

    /// Counts one access.
    #[inline]
    pub(crate) fn add(&mut self, hash: u64) {
        let at = self.at(hash);
        let block = &mut self.blocks[at].0;
        let least = least(block, hash);
        if least == MAX_COUNT {
            return;
        }
        for row in 0..ROWS {
            let (word, shift) = place(hash, row);
            if (block[word] >> shift) & MAX_COUNT == least {
                block[word] += 1 << shift;
            }
        }
        self.additions += 1;
        if self.additions >= SAMPLE * self.entries.max(WORDS as u64) {
            self.halve();
        }
    }

    /// At least how often `hash` was counted, less what ageing took.
    #[inline]
    pub(crate) fn estimate(&self, hash: u64) -> u64 {
        least(&self.blocks[self.at(hash)].0, hash)
    }

    /// Bytes held.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.blocks.capacity() * size_of::<Block>()
    }

    #[inline]
    fn at(&self, hash: u64) -> usize {
        hash as usize & (self.blocks.len() - 1)
    }

    fn halve(&mut self) {
        for word in self.blocks.iter_mut().flat_map(|block| &mut block.0) {
            *word = (*word >> 1) & 0x7777_7777_7777_7777;
        }
        self.additions = 0;
    }
}

/// Word and bit position of one row's counter: each row has two words of its own.
#[inline]
fn place(hash: u64, row: u32) -> (usize, u32) {
    let bits = (hash.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (32 + 5 * row)) as u32;
    (((2 * row) | (bits & 1)) as usize, ((bits >> 1) & 15) * 4)
}

#[inline]
fn least(block: &[u64; WORDS], hash: u64) -> u64 {
    let counts = (0..ROWS).map(|row| {
        let (word, shift) = place(hash, row);
        (block[word] >> shift) & MAX_COUNT
    });
    counts.min().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::mix;

    #[test]
    fn an_estimate_is_never_below_the_count() {
        let mut sketch = Sketch::default();
        sketch.fit(1_000);
        for round in 1..=5 {
            for key in 0..1_000 {
                sketch.add(mix(key));
            }
            assert!((0..1_000).all(|key| sketch.estimate(mix(key)) >= round));
        }
        let exact = (0..1_000).filter(|&key| sketch.estimate(mix(key)) == 5).count();
        assert!(exact > 900, "{exact} of 1000");
    }

    #[test]
    fn counts_stop_at_fifteen_and_are_halved_after_the_sample() {
        let mut sketch = Sketch::default();
        sketch.fit(8);
        for _ in 0..40 {
            sketch.add(mix(1));
        }
        assert_eq!(MAX_COUNT, sketch.estimate(mix(1)));
        for key in 2..82 {
            sketch.add(mix(key));
        }
        assert!(sketch.estimate(mix(1)) <= 8);
    }

    #[test]
    fn growth_keeps_the_counts() {
        let mut sketch = Sketch::default();
        sketch.fit(8);
        for _ in 0..7 {
            sketch.add(mix(9));
        }
        sketch.fit(9);
        sketch.fit(40);
        assert_eq!(7, sketch.estimate(mix(9)));
    }
}
