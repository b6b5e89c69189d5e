//! What is to be had from an object whose rate will change, against what its rate promises.
//!
//! Gittins' index of a wait whose hazard is known in advance, step by step: the most reuses per
//! tick of residence, whatever the time at which it is given up,
//!
//! > max over e of (1 - S(e)) / integral of S from 0 to e, S(e) = exp(-integral of the rate),
//!
//! as for the survival table. It is the rate itself where that is constant, so that the *factor*,
//! index over rate, is 1 there. While an object's hours last it is about 1, after them it is the
//! reuses to come over the wait for them: near 0, the more so the more popular the object.

/// Rates told apart: octaves from 2^-24 accesses per tick up.
const RATES: usize = 24;
/// Log to base 2 of the lowest.
const LOWEST: i32 = -24;

/// Factors of one namespace, by an object's typical rate.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outlook([f32; RATES]);

impl Outlook {
    /// A rate that does not change.
    pub(super) const FLAT: Outlook = Outlook([1.0; RATES]);

    /// Of steps to come: for each the rate as a multiple of the typical one, and its ticks.
    pub(super) fn of(steps: &[(f32, f32)]) -> Self {
        let mut factors = [1.0; RATES];
        for (octave, factor) in factors.iter_mut().enumerate() {
            let typical = ((LOWEST + octave as i32) as f32).exp2();
            *factor = index(steps, typical) / typical;
        }
        Outlook(factors)
    }

    /// The factor of an object of this typical rate, in accesses per tick.
    #[inline]
    pub(super) fn factor(&self, rate: f32) -> f32 {
        // A float's exponent and mantissa are its logarithm, within 9%.
        let log = rate.to_bits() as f32 / (1 << 23) as f32 - (127 + LOWEST) as f32;
        let log = log.clamp(0.0, (RATES - 1) as f32);
        let octave = (log as usize).min(RATES - 2);
        let (low, high) = (self.0[octave], self.0[octave + 1]);
        low + (high - low) * (log - octave as f32)
    }
}

fn index(steps: &[(f32, f32)], typical: f32) -> f32 {
    let (mut survival, mut integral, mut best) = (1.0f32, 0.0f32, 0.0f32);
    for &(multiple, ticks) in steps.iter().filter(|(_, ticks)| *ticks > 0.0) {
        let expected = typical * multiple * ticks;
        let kept = (-expected).exp();
        // The mean of exp(-x) over a step, by its series where the quotient would cancel.
        let mean = if expected < 1e-2 { 1.0 - expected / 2.0 } else { (1.0 - kept) / expected };
        integral += survival * ticks * mean;
        survival *= kept;
        best = best.max((1.0 - survival) / integral);
        if survival < 1e-3 {
            break;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_rate_has_a_factor_of_one() {
        let outlook = Outlook::of(&[(1.0, 300.0), (1.0, 1_000.0), (1.0, 70_000.0)]);
        for rate in [1e-6, 3e-5, 1e-3, 0.1] {
            assert!((outlook.factor(rate) - 1.0).abs() < 0.02, "{rate}: {}", outlook.factor(rate));
        }
    }

    #[test]
    fn an_hour_to_come_is_worth_its_reuses_over_the_wait() {
        // Nothing for 9,000 ticks, then an hour of 1,000 in which it is certain to be asked for.
        let outlook = Outlook::of(&[(0.0, 9_000.0), (1.0, 1_000.0)]);
        let index = outlook.factor(0.125) * 0.125;
        assert!((index * 9_008.0 - 1.0).abs() < 0.01, "{index}");
        // As long as its hour lasts, what follows does not matter.
        let outlook = Outlook::of(&[(1.0, 100.0), (0.0, 1e6)]);
        assert!((outlook.factor(0.001) - 1.0).abs() < 0.01);
    }
}
