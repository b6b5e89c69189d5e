//! The arithmetic of four histories at once: what scoring spends most of its instructions on.
//!
//! The same operations in the same order as for one, so the numbers are the same to the last bit.

use crate::history::History;
#[cfg(any(test, not(target_arch = "x86_64")))]
use crate::history::halvings;

/// Histories that are taken together.
pub const LANES: usize = 4;

/// What rankings read of each: ages as floats, and the decayed counts now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lanes {
    /// Requests since the latest access.
    pub ages: [f32; LANES],
    /// As [`super::lens::Lens::heat`].
    pub heats: [f32; LANES],
}

impl Lanes {
    /// At this tick, under this cooling.
    #[cfg(any(test, not(target_arch = "x86_64")))]
    fn one_by_one(now: u32, cooling: f32, histories: &[History; LANES]) -> Self {
        let ages = histories.map(|history| history.age(now) as f32);
        let heat = |at: usize| histories[at].heat() * halvings(ages[at] * cooling);
        Lanes { ages, heats: std::array::from_fn(heat) }
    }

    /// At this tick, under this cooling.
    #[cfg(not(target_arch = "x86_64"))]
    pub fn of(now: u32, cooling: f32, histories: &[History; LANES]) -> Self {
        Self::one_by_one(now, cooling, histories)
    }

    /// At this tick, under this cooling.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub fn of(now: u32, cooling: f32, histories: &[History; LANES]) -> Self {
        use core::arch::x86_64::*;
        let [a, b, c, d] = histories;
        let word = |word: u32| word as i32;
        let (mut ages, mut heats) = ([0.0; LANES], [0.0; LANES]);
        // SAFETY: every x86-64 has SSE2; the two stores write four floats into arrays of four.
        unsafe {
            let lasts = _mm_set_epi32(word(d.last), word(c.last), word(b.last), word(a.last));
            let age = _mm_sub_epi32(_mm_set1_epi32(word(now)), lasts);
            // Only signed integers have an instruction: the halves, then one rounding.
            let high = _mm_cvtepi32_ps(_mm_srli_epi32::<16>(age));
            let low = _mm_cvtepi32_ps(_mm_and_si128(age, _mm_set1_epi32(0xffff)));
            let age = _mm_add_ps(_mm_mul_ps(high, _mm_set1_ps(65_536.0)), low);
            _mm_storeu_ps(ages.as_mut_ptr(), age);
            let passed = _mm_mul_ps(age, _mm_set1_ps(cooling));
            let passed = _mm_max_ps(_mm_min_ps(passed, _mm_set1_ps(126.0)), _mm_setzero_ps());
            let bits = _mm_sub_ps(_mm_set1_ps(127.0), passed);
            let bits = _mm_mul_ps(bits, _mm_set1_ps((1 << 23) as f32));
            let left = _mm_castsi128_ps(_mm_cvttps_epi32(bits));
            let heat = _mm_set_ps(d.heat(), c.heat(), b.heat(), a.heat());
            _mm_storeu_ps(heats.as_mut_ptr(), _mm_mul_ps(heat, left));
        }
        Lanes { ages, heats }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn four_at_once_are_four_one_by_one(
            now in any::<u32>(),
            cooling in prop_oneof![Just(0.0f32), 1e-12f32..1.0, any::<f32>()],
            drawn in any::<[(u32, u16); LANES]>(),
        ) {
            let histories = drawn.map(|(last, touches)| {
                let mut history = History::first(last, 1);
                (0..touches % 50).for_each(|_| history.touch(last, 0.0));
                history
            });
            let expected = Lanes::one_by_one(now, cooling, &histories);
            let bits = |lanes: Lanes| [lanes.ages, lanes.heats].map(|all| all.map(f32::to_bits));
            prop_assert_eq!(bits(expected), bits(Lanes::of(now, cooling, &histories)));
        }
    }
}
