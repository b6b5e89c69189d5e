//! Exponential weights over experts, some of whom sleep: of the rules `FixedShare` and `Exp3S`.
//!
//! Herbster and Warmuth, "Tracking the best expert", Machine Learning 32 (1998): at each choice
//! every expert gets a part of all weight, so that none falls too far behind to come back. Sleepers
//! keep their weight, as if they had done like the others on average: Freund, Schapire, Singer and
//! Warmuth, "Using and combining predictors that specialize", STOC 1997. This module must not know
//! why anyone sleeps.

use super::{Experts, MEMORY, PERIOD, members};
use crate::random::Random;

/// Learning rate for gains of 0 or 1 over a horizon of the memory, sqrt(8 ln N / MEMORY) with 8
/// experts; and the part of all weight that is shared out, for one change per memory.
const RATE: f64 = 0.02;
const SHARE: f64 = PERIOD as f64 / MEMORY as f64;
/// Part of EXP3.S's choices that is uniform: about what its authors' bound asks for, of as many
/// choices as a memory has and 8 experts.
const EXPLORED: f64 = 0.2;

/// See the module's head.
#[derive(Debug, Clone)]
pub struct Weights<const N: usize> {
    logarithms: [f64; N],
}

impl<const N: usize> Weights<N> {
    /// All equal.
    pub fn even() -> Self {
        Weights { logarithms: [0.0; N] }
    }

    /// The logarithm of an expert's weight.
    pub fn of(&self, expert: usize) -> f64 {
        self.logarithms[expert]
    }

    /// These experts were right.
    pub fn reward(&mut self, experts: Experts) {
        members(experts).for_each(|expert| self.logarithms[expert] += RATE);
    }

    /// This expert was right once, which is known because it was drawn: Auer, Cesa-Bianchi, Freund
    /// and Schapire, "The nonstochastic multiarmed bandit problem", SIAM J. Computing 32 (2002),
    /// with the hit ratio of the time that it ruled as the reward.
    pub fn reward_drawn(&mut self, expert: usize, awake: Experts) {
        let reward = 1.0 / PERIOD as f64 / self.chances(awake)[expert];
        self.logarithms[expert] += EXPLORED * reward / f64::from(awake.count_ones());
    }

    /// Shares out; the weights of those awake then sum to 1.
    pub fn share(&mut self, awake: Experts) {
        let parts = self.parts(awake);
        let even = SHARE / f64::from(awake.count_ones());
        members(awake).for_each(|e| self.logarithms[e] = ((1.0 - SHARE) * parts[e] + even).ln());
    }

    /// An expert by EXP3.S's chances.
    pub fn draw(&self, awake: Experts, random: &mut Random) -> Option<usize> {
        let chances = self.chances(awake);
        let mut left = f64::from(random.next_u32()) / 2f64.powi(32);
        members(awake).find(|&expert| {
            left -= chances[expert];
            left < 0.0
        })
    }

    fn chances(&self, awake: Experts) -> [f64; N] {
        let even = EXPLORED / f64::from(awake.count_ones());
        self.parts(awake).map(|part| (1.0 - EXPLORED) * part + even)
    }

    /// Parts of the weight of all that are awake.
    fn parts(&self, awake: Experts) -> [f64; N] {
        let most = members(awake).map(|e| self.logarithms[e]).fold(f64::MIN, f64::max);
        let own = |e: usize| (self.logarithms[e] - most).exp();
        let total: f64 = members(awake).map(own).sum();
        std::array::from_fn(|e| if awake & 1 << e != 0 { own(e) / total } else { 0.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleeper_keeps_its_part_and_the_awake_sum_to_one() {
        let mut weights = Weights::<3>::even();
        (0..500).for_each(|_| weights.reward(0b001));
        weights.share(0b111);
        let before = weights.of(2);
        (0..500).for_each(|_| weights.reward(0b010));
        weights.share(0b011);
        let awake = weights.of(0).exp() + weights.of(1).exp();
        assert!((awake - 1.0).abs() < 1e-9, "{awake}");
        assert_eq!(before, weights.of(2));
    }

    #[test]
    fn draws_follow_the_chances() {
        let mut weights = Weights::<4>::even();
        (0..55).for_each(|_| weights.reward(0b0100));
        let (mut random, mut drawn) = (Random::new(4), [0_u32; 4]);
        for _ in 0..20_000 {
            drawn[weights.draw(0b0110, &mut random).expect("somebody is awake")] += 1;
        }
        // e^1.1 to 1, and a fifth at random.
        let expected = 0.8 * 1.1f64.exp() / (1.1f64.exp() + 1.0) + 0.1;
        assert_eq!((0, 0), (drawn[0], drawn[3]));
        assert!((f64::from(drawn[2]) / 20_000.0 - expected).abs() < 0.01, "{drawn:?}");
    }
}
