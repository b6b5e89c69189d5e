//! Count-min sketch with conservative update.
//!
//! Cormode and Muthukrishnan, "An improved data stream summary: the count-min sketch and its
//! applications", 2005; conservative update by Estan and Varghese, "New directions in traffic
//! measurement and accounting", 2002: a counter is raised only as far as the key's new bound needs.
//! Every row hashes anew, so that two keys which meet in one row part in the next.

use super::DEPTH;
use crate::hash::mix;

/// What sets the rows' hashes apart: the odd constant of Weyl's sequence for 64 bits.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

#[derive(Debug, Clone)]
pub(super) struct CountMin {
    rows: Box<[f64]>,
    width: usize,
}

impl CountMin {
    pub(super) fn new(width: usize) -> Self {
        let width = width.max(1).next_power_of_two();
        CountMin { rows: vec![0.0; width * DEPTH].into_boxed_slice(), width }
    }

    fn places(&self, hash: u64) -> [usize; DEPTH] {
        let width = self.width;
        std::array::from_fn(|row| {
            let hash = mix(hash ^ (row as u64).wrapping_mul(STEP));
            row * width + (hash as usize & (width - 1))
        })
    }

    pub(super) fn add(&mut self, hash: u64, weight: f64) {
        let places = self.places(hash);
        let bound = self.lowest(places) + weight;
        for place in places {
            self.rows[place] = self.rows[place].max(bound);
        }
    }

    pub(super) fn upper(&self, hash: u64) -> f64 {
        self.lowest(self.places(hash))
    }

    fn lowest(&self, places: [usize; DEPTH]) -> f64 {
        places.into_iter().map(|place| self.rows[place]).fold(f64::INFINITY, f64::min)
    }

    pub(super) fn scale(&mut self, factor: f64) {
        self.rows.iter_mut().for_each(|counter| *counter *= factor);
    }

    pub(super) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.rows)
    }
}
