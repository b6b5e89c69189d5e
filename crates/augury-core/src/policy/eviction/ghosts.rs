//! Ghosts: which hashes left recently, as fingerprints that forget themselves.
//!
//! A table of buckets, one cache line each, of eight cells: 32 bits of the hash and the number of
//! the departure. A ghost counts while fewer than `keep` others have left after it, so nothing is
//! ever removed to make room; a newcomer overwrites its bucket's oldest cell. What is promised:
//! a hash that never left is reported with a chance of about `keep / 2^32`; one that left within
//! `keep` departures may be forgotten early where its bucket is crowded (8 cells for at most 6
//! ghosts on average).
//!
//! Cost: one cache line per question and per departure. Bytes per ghost kept: 11 to 21.

const CELLS: usize = 8;
/// Ghosts per bucket, on average, above which the table doubles.
const LOAD: usize = 6;

#[derive(Debug, Clone, Copy)]
struct Cell {
    print: u32,
    /// Number of its departure, wrapping.
    left: u32,
}

#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Bucket([Cell; CELLS]);

/// See the module's head.
#[derive(Debug, Default)]
pub(crate) struct Ghosts {
    buckets: Vec<Bucket>,
    departures: u32,
    keep: u32,
}

impl Ghosts {
    /// From now on, a ghost counts for `keep` departures.
    #[inline]
    pub(crate) fn keep(&mut self, keep: usize) {
        self.keep = keep.min(u32::MAX as usize / 4) as u32;
        while keep > self.buckets.len() * LOAD {
            self.grow();
        }
    }

    /// `hash` has left.
    #[inline]
    pub(crate) fn add(&mut self, hash: u64) {
        if self.buckets.is_empty() {
            return;
        }
        self.departures = self.departures.wrapping_add(1);
        let (print, at) = self.place(hash);
        let departures = self.departures;
        let cells = self.buckets[at].0.iter_mut();
        let oldest = cells.max_by_key(|cell| match cell.print == print {
            true => u32::MAX,
            false => departures.wrapping_sub(cell.left),
        });
        if let Some(cell) = oldest {
            *cell = Cell { print, left: departures };
        }
    }

    /// Whether `hash` is a ghost; if so it is one no more.
    #[inline]
    pub(crate) fn take(&mut self, hash: u64) -> bool {
        if self.buckets.is_empty() {
            return false;
        }
        let (print, at) = self.place(hash);
        let (departures, keep) = (self.departures, self.keep);
        let found = self.buckets[at]
            .0
            .iter_mut()
            .find(|cell| cell.print == print && departures.wrapping_sub(cell.left) < keep);
        match found {
            Some(cell) => {
                *cell = vacant(departures);
                true
            }
            None => false,
        }
    }

    /// Bytes held.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.buckets.capacity() * size_of::<Bucket>()
    }

    #[inline]
    fn place(&self, hash: u64) -> (u32, usize) {
        let print = (hash >> 16) as u32;
        (print, print as usize & (self.buckets.len() - 1))
    }

    /// Doubles the table. A cell's new place follows from its fingerprint, so both halves start
    /// as a copy of the old table and each cell is erased from the half it does not belong to.
    fn grow(&mut self) {
        let half = self.buckets.len();
        if half == 0 {
            self.buckets.push(Bucket([vacant(self.departures); CELLS]));
            return;
        }
        self.buckets.reserve_exact(half);
        self.buckets.extend_from_within(..);
        let mask = 2 * half - 1;
        for (at, bucket) in self.buckets.iter_mut().enumerate() {
            for cell in &mut bucket.0 {
                if cell.print as usize & mask != at {
                    *cell = vacant(self.departures);
                }
            }
        }
    }
}

/// A cell that has not counted for a very long time.
fn vacant(departures: u32) -> Cell {
    Cell { print: 0, left: departures.wrapping_sub(u32::MAX / 2) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::mix;

    fn with_keep(keep: usize) -> Ghosts {
        let mut ghosts = Ghosts::default();
        ghosts.keep(keep);
        ghosts
    }

    #[test]
    fn a_ghost_is_taken_once() {
        let mut ghosts = with_keep(100);
        assert!(!ghosts.take(mix(1)));
        ghosts.add(mix(1));
        assert!(ghosts.take(mix(1)));
        assert!(!ghosts.take(mix(1)));
    }

    #[test]
    fn a_ghost_counts_for_as_many_departures_as_kept() {
        let mut ghosts = with_keep(1_000);
        for key in 0..10_000 {
            ghosts.add(mix(key));
        }
        assert!((0..9_000).all(|key| !ghosts.take(mix(key))));
        let kept = (9_000..10_000).filter(|&key| ghosts.take(mix(key))).count();
        assert!(kept > 950, "{kept} of 1000");
    }

    #[test]
    fn growth_forgets_nothing() {
        let mut ghosts = with_keep(20);
        for key in 0..20 {
            ghosts.add(mix(key));
        }
        let mut grown = with_keep(0);
        grown.buckets = ghosts.buckets.clone();
        grown.departures = ghosts.departures;
        for _ in 0..6 {
            grown.grow();
        }
        ghosts.keep(20);
        grown.keep(20);
        for key in 0..20 {
            assert_eq!(ghosts.take(mix(key)), grown.take(mix(key)));
        }
    }
}
