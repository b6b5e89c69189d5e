//! Counts by octave: how numbers that span many orders of magnitude are shown.

use serde::Serialize;

/// How many values lie in one octave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Octave {
    /// Smallest value counted here: 0, or a power of two.
    pub from: u64,
    /// Largest value counted here.
    pub to: u64,
    /// Values from `from` to `to`.
    pub count: u64,
}

/// A histogram with one bucket per power of two (0 has its own).
#[derive(Debug, Clone)]
pub(crate) struct Octaves([u64; 65]);

impl Octaves {
    pub(crate) fn new() -> Self {
        Octaves([0; 65])
    }

    pub(crate) fn add(&mut self, value: u64) {
        self.0[octave_of(value)] += 1;
    }

    /// The octaves from the first to the last that hold something.
    pub(crate) fn listed(&self) -> Vec<Octave> {
        let holds = |index: &usize| self.0[*index] > 0;
        let Some(first) = (0..65).find(holds) else { return Vec::new() };
        let last = (0..65).rev().find(holds).unwrap_or(first);
        (first..=last)
            .map(|index| Octave {
                from: if index == 0 { 0 } else { 1 << (index - 1) },
                to: if index == 0 { 0 } else { u64::MAX >> (64 - index) },
                count: self.0[index],
            })
            .collect()
    }
}

/// 0 for 0, else 1 + the position of the highest bit.
pub(crate) fn octave_of(value: u64) -> usize {
    (u64::BITS - value.leading_zeros()) as usize
}

/// Half octaves: 2 log2 of the value, by its highest bit and the one below it.
pub(crate) fn half_octave_of(value: u64) -> usize {
    let octave = octave_of(value);
    if octave < 2 { octave * 2 } else { octave * 2 + (value >> (octave - 2) & 1) as usize }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_the_octave_that_counts_it() {
        for value in [0, 1, 2, 3, 4, 7, 8, 1023, 1024, u64::MAX] {
            let mut octaves = Octaves::new();
            octaves.add(value);
            let listed = octaves.listed();
            assert_eq!(1, listed.len());
            assert!(listed[0].from <= value && value <= listed[0].to, "{value} in {listed:?}");
        }
    }

    #[test]
    fn half_octaves_never_fall_and_halve_each_octave() {
        let halves: Vec<usize> = (0..17).map(half_octave_of).collect();
        assert_eq!(vec![0, 2, 4, 5, 6, 6, 7, 7, 8, 8, 8, 8, 9, 9, 9, 9, 10], halves);
    }
}
