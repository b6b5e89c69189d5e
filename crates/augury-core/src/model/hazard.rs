//! Arithmetic of the survival table: counts, hazards, survival, and the density that follows.

use crate::saved::{Reader, Writer};

/// Age buckets of a table, from 1/128 of the cache's size in requests to 128 times it; ages below
/// and above fall into the first and last.
pub const SPAN: usize = 56;

/// One number per age bucket.
pub(super) type Curve = [f32; SPAN];

/// A curve in half the room: the upper halves of its floats, exact to 0.4%.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packed([u16; SPAN]);

impl Packed {
    pub(super) fn of(curve: &Curve) -> Self {
        Packed(curve.map(|value| ((value.to_bits() + (1 << 15)) >> 16) as u16))
    }

    /// Bytes that [`Packed::save`] writes.
    pub(super) const SAVED_BYTES: usize = 2 * SPAN;

    pub(super) fn save(&self, to: &mut Writer) {
        self.0.iter().for_each(|&half| to.u16(half));
    }

    /// A curve as it was saved: what is no number from 0 to [`DENSITY_MAX`] is brought there.
    pub(super) fn read(from: &mut Reader<'_>) -> Self {
        Packed::of(&std::array::from_fn(|_| {
            let density = f32::from_bits(u32::from(from.u16()) << 16);
            if density.is_nan() { 0.0 } else { density.clamp(0.0, DENSITY_MAX) }
        }))
    }

    #[inline]
    pub(super) fn at(&self, column: usize) -> f32 {
        f32::from_bits(u32::from(self.0[column]) << 16)
    }
}

/// Upper limit of a density that is read: far above one reuse per tick.
const DENSITY_MAX: f32 = 1e6;
/// Upper limit of a hazard: nothing is ever certain.
const HAZARD_MAX: f32 = 0.999;
/// One count is eight units at exponent 0: fading works on eighths.
const UNIT_BITS: u8 = 3;
/// Largest exponent that is read: more events than ticks can count.
const EXPONENT_MAX: u8 = 40;
/// A count this large halves all of its class, exponent up by one.
const FULL: u16 = 65_000;
/// Where every count is below, all are doubled, exponent down by one.
const ROOMY: u16 = 16_000;

/// Reuses and censored objects by age: 16-bit counts with an exponent in common.
#[derive(Debug, Clone)]
pub(super) struct Counts {
    reuses: [u16; SPAN],
    censored: [u16; SPAN],
    exponent: u8,
    /// Events since the beginning, to count every 2nd, 4th, ... where a unit is more than one.
    events: u16,
}

impl Default for Counts {
    fn default() -> Self {
        Counts { reuses: [0; SPAN], censored: [0; SPAN], exponent: 0, events: 0 }
    }
}

impl Counts {
    #[inline]
    pub(super) fn reused(&mut self, column: usize) {
        let units = self.units();
        self.reuses[column] += units;
        if self.reuses[column] > FULL {
            self.halve();
        }
    }

    #[inline]
    pub(super) fn censored(&mut self, column: usize) {
        let units = self.units();
        self.censored[column] += units;
        if self.censored[column] > FULL {
            self.halve();
        }
    }

    /// What one event adds.
    #[inline]
    fn units(&mut self) -> u16 {
        if self.exponent <= UNIT_BITS {
            return 1 << (UNIT_BITS - self.exponent);
        }
        self.events = self.events.wrapping_add(1);
        let every = 1u16 << (self.exponent - UNIT_BITS).min(15);
        u16::from(self.events.is_multiple_of(every))
    }

    fn each(&mut self, change: impl Fn(u16) -> u16) {
        self.reuses.iter_mut().chain(&mut self.censored).for_each(|count| *count = change(*count));
    }

    #[cold]
    fn halve(&mut self) {
        self.each(|count| count / 2);
        self.exponent += 1;
    }

    /// Nine tenths are left.
    pub(super) fn fade(&mut self) {
        self.each(|count| count - count.div_ceil(10));
        let largest = self.reuses.iter().chain(&self.censored).max();
        if self.exponent > 0 && largest.is_some_and(|&count| count < ROOMY) {
            self.each(|count| count * 2);
            self.exponent -= 1;
        }
    }

    /// Bytes that [`Counts::save`] writes.
    pub(super) const SAVED_BYTES: usize = 4 * SPAN + 1;

    pub(super) fn save(&self, to: &mut Writer) {
        self.reuses.iter().chain(&self.censored).for_each(|&count| to.u16(count));
        to.u8(self.exponent);
    }

    /// Counts as they were saved, each brought into its range.
    pub(super) fn read(from: &mut Reader<'_>) -> Self {
        let mut counts = Counts::default();
        for count in counts.reuses.iter_mut().chain(&mut counts.censored) {
            *count = from.u16().min(FULL);
        }
        counts.exponent = from.u8().min(EXPONENT_MAX);
        counts
    }

    /// Moves every count to the column of its age after the span has moved up by so many columns.
    pub(super) fn shift(&mut self, by: i32) {
        for counts in [&mut self.reuses, &mut self.censored] {
            let mut moved = [0u16; SPAN];
            for (column, &count) in counts.iter().enumerate() {
                let to = (column as i32 - by).clamp(0, SPAN as i32 - 1) as usize;
                moved[to] = moved[to].saturating_add(count).min(FULL);
            }
            *counts = moved;
        }
    }

    /// Adds these counts, in objects; returns their sum.
    pub(super) fn add_to(&self, reuses: &mut Curve, exits: &mut Curve) -> f32 {
        let unit = f32::from(self.exponent).exp2() / f32::from(1u8 << UNIT_BITS);
        let mut total = 0.0;
        for column in 0..SPAN {
            let reused = f32::from(self.reuses[column]) * unit;
            let censored = f32::from(self.censored[column]) * unit;
            reuses[column] += reused;
            exits[column] += censored;
            total += reused + censored;
        }
        total
    }
}

/// Hazards from counts, with `weight` objects of the more general `prior` mixed in.
pub(super) fn hazards(reuses: &Curve, exits: &Curve, prior: &Curve, weight: f32) -> Curve {
    let mut out = [0.0; SPAN];
    let mut at_risk = weight;
    for column in (0..SPAN).rev() {
        at_risk += reuses[column] + exits[column];
        let hazard = (reuses[column] + weight * prior[column]) / at_risk;
        out[column] = hazard.min(HAZARD_MAX);
    }
    out
}

/// Survival and its integral over ticks, at the edges of the columns.
pub(super) fn survival(hazards: &Curve, widths: &Curve) -> ([f32; SPAN + 1], [f32; SPAN + 1]) {
    let (mut survival, mut integral) = ([1.0f32; SPAN + 1], [0.0f32; SPAN + 1]);
    for column in 0..SPAN {
        survival[column + 1] = survival[column] * (1.0 - hazards[column]);
        let mean = (survival[column] + survival[column + 1]) / 2.0;
        integral[column + 1] = integral[column] + widths[column] * mean;
    }
    (survival, integral)
}

/// Gittins' index at the middle of every column: the steepest chord from there to a later edge of
/// the curve (integral of S, 1 - S). The edges' upper hull is built from the right, so each
/// column looks at few of them.
pub(super) fn density(survival: &[f32; SPAN + 1], integral: &[f32; SPAN + 1]) -> Curve {
    let mut out = [0.0; SPAN];
    let mut hull = [0usize; SPAN + 1];
    let mut depth = 0;
    let slope = |x: f32, y: f32, edge: usize| {
        (y - survival[edge]) / (integral[edge] - x).max(f32::MIN_POSITIVE)
    };
    for column in (0..SPAN).rev() {
        let edge = column + 1;
        while depth >= 2 {
            let (near, far) = (hull[depth - 1], hull[depth - 2]);
            let (x, y) = (integral[edge], survival[edge]);
            if slope(x, y, near) >= slope(x, y, far) {
                break;
            }
            depth -= 1;
        }
        hull[depth] = edge;
        depth += 1;
        let x = (integral[column] + integral[edge]) / 2.0;
        let y = (survival[column] + survival[edge]) / 2.0;
        let mut best = slope(x, y, edge);
        for &later in hull[..depth - 1].iter().rev() {
            let steeper = slope(x, y, later);
            if steeper < best {
                break;
            }
            best = steeper;
        }
        out[column] = if y > 1e-9 { best.max(0.0) } else { 0.0 };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hull_finds_the_steepest_chord() {
        let (mut hazards, mut widths) = ([0.01f32; SPAN], [1.0f32; SPAN]);
        for (column, hazard) in hazards.iter_mut().enumerate() {
            *hazard = 0.5 * (column as f32 * 0.7).sin().abs();
            widths[column] = 1.15f32.powi(column as i32);
        }
        let (survival, integral) = survival(&hazards, &widths);
        let fast = density(&survival, &integral);
        for column in 0..SPAN {
            let x = (integral[column] + integral[column + 1]) / 2.0;
            let y = (survival[column] + survival[column + 1]) / 2.0;
            if y <= 1e-6 {
                continue;
            }
            let chord = |e: usize| (y - survival[e]) / (integral[e] - x).max(f32::MIN_POSITIVE);
            let best = (column + 1..=SPAN).map(chord).fold(0.0, f32::max);
            let error = (fast[column] - best).abs();
            assert!(error <= 1e-3 * best + 1e-6, "{column}: {} {best}", fast[column]);
        }
    }

    #[test]
    fn a_constant_hazard_gives_a_constant_density() {
        let widths = [100.0; SPAN];
        let (survival, integral) = survival(&[0.2; SPAN], &widths);
        let density = density(&survival, &integral);
        for value in &density[..20] {
            assert!((value / density[0] - 1.0).abs() < 0.01);
        }
    }

    #[test]
    fn counts_keep_their_size_and_proportions_when_they_are_full() {
        let mut counts = Counts::default();
        for _ in 0..100_000 {
            counts.reused(3);
            counts.censored(5);
            counts.censored(5);
        }
        let (mut reuses, mut exits) = ([0.0; SPAN], [0.0; SPAN]);
        let total = counts.add_to(&mut reuses, &mut exits);
        assert!((total / 300_000.0 - 1.0).abs() < 0.02, "{total}");
        assert!((exits[5] / reuses[3] - 2.0).abs() < 0.05);
        (0..20).for_each(|_| counts.fade());
        let (mut reuses, mut exits) = ([0.0; SPAN], [0.0; SPAN]);
        let faded = counts.add_to(&mut reuses, &mut exits);
        assert!((faded / total / 0.9f32.powi(20) - 1.0).abs() < 0.02, "{faded}");
    }
}
