//! What is remembered of one object: 16 bytes, updated at every access, read at every decision.

use super::age::age_bucket;

/// Stands for "accessed once, never again yet" where a reuse time bucket is expected.
pub const NO_REUSE: u8 = 127;

/// Sizes are told apart in steps of eight from 128 bytes on.
pub const SIZE_BUCKETS: u8 = 8;

/// The history of one object.
///
/// Ticks are cut to 32 bits; ages are differences and stay right up to four billion requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct History {
    /// Tick of the latest access.
    pub last: u32,
    /// Tick at which the object became resident.
    pub born: u32,
    /// Accesses remembered, saturating.
    pub count: u16,
    /// Exponentially decayed count at `last`, see [`History::heat`].
    heat: u16,
    /// Class of the survival model.
    pub class: u16,
    /// Bucket of the latest reuse time, or [`NO_REUSE`].
    pub reuse: u8,
    /// Bucket of the size.
    pub size: u8,
}

/// Exponent of the smallest heat that is told apart from zero.
const HEAT_MIN: u32 = (127 - 8) << 23;

impl History {
    /// The history of an object seen for the first time.
    #[inline]
    pub fn first(now: u32, size: u32) -> Self {
        let mut history = History {
            last: now,
            born: now,
            count: 1,
            heat: 0,
            class: 0,
            reuse: NO_REUSE,
            size: size_bucket(size),
        };
        history.set_heat(1.0);
        history
    }

    /// One built from its parts, for histories that come back from a ghost.
    #[inline]
    pub(super) fn restored(last: u32, count: u16, heat: u16, reuse: u8, size: u8) -> Self {
        History { last, born: last, count, heat, class: 0, reuse, size }
    }

    /// Takes over a size that was not known before.
    pub(crate) fn set_size(&mut self, size: u32) {
        self.size = size_bucket(size);
    }

    /// Requests since the latest access.
    #[inline]
    pub fn age(&self, now: u32) -> u32 {
        now.wrapping_sub(self.last)
    }

    /// Records an access. `cooling` is the reciprocal of the heat's half-life in requests.
    #[inline]
    pub fn touch(&mut self, now: u32, cooling: f32) {
        let age = self.age(now);
        self.set_heat(self.heat() * halvings(age as f32 * cooling) + 1.0);
        self.reuse = age_bucket(age);
        self.count = self.count.saturating_add(1);
        self.last = now;
    }

    /// The count at `last` in which an access one half-life ago weighs a half: between 2^-8 and
    /// 2^24, to three digits.
    #[inline]
    pub fn heat(&self) -> f32 {
        f32::from_bits((u32::from(self.heat) << 12) + HEAT_MIN)
    }

    #[inline]
    fn set_heat(&mut self, heat: f32) {
        let code = (heat.to_bits() + (1 << 11)).saturating_sub(HEAT_MIN) >> 12;
        self.heat = code.min(u32::from(u16::MAX)) as u16;
    }

    /// The heat in octaves: 0 below 1, then 1 to 2, 2 to 4, 4 to 8, ...
    #[inline]
    pub fn heat_step(&self) -> usize {
        usize::from(self.heat >> 11).saturating_sub(7)
    }

    /// The heat as it is stored.
    #[inline]
    pub(super) fn heat_code(&self) -> u16 {
        self.heat
    }
}

/// 2^-x for x >= 0 within 6%, monotonic: the exponent of a float filled in linearly.
#[inline]
pub(crate) fn halvings(x: f32) -> f32 {
    f32::from_bits(((127.0 - x.min(126.0)) * (1 << 23) as f32) as u32)
}

#[inline]
fn size_bucket(size: u32) -> u8 {
    // 1..127: 0, then a step for every three powers of two.
    let bits = 32 - size.leading_zeros();
    (bits.saturating_sub(5) / 3).min(u32::from(SIZE_BUCKETS) - 1) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_sixteen_bytes() {
        assert_eq!(16, size_of::<History>());
    }

    #[test]
    fn heat_halves_with_the_half_life() {
        let mut history = History::first(0, 1);
        for _ in 0..9 {
            history.touch(0, 0.01);
        }
        assert!((history.heat() - 10.0).abs() < 0.01, "{}", history.heat());
        history.touch(100, 0.01);
        assert!((history.heat() - 6.0).abs() < 0.01, "{}", history.heat());
    }

    #[test]
    fn heat_steps_are_octaves() {
        let mut history = History::first(0, 1);
        for expected in [1, 2, 2, 3, 3, 3, 3, 4] {
            assert_eq!(expected, history.heat_step(), "{}", history.heat());
            history.touch(0, 0.0);
        }
    }

    #[test]
    fn ages_survive_the_wrap_of_ticks() {
        let mut history = History::first(u32::MAX - 1, 1);
        assert_eq!(7, history.age(5));
        history.touch(5, 0.0);
        assert_eq!(age_bucket(7), history.reuse);
    }
}
