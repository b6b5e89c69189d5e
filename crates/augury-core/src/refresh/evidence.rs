//! What a refresh is worth, by what is known of the key, learned from what came of the like.
//!
//! The *worth* of a reload is the part of its lifetime that was asked for: 0 where nobody came
//! before it ended, else 1 minus the wait for the first access over the time that one load of the
//! key lasts without refresh. It is the number of loads on demand that the reload replaces, so 1
//! minus worth is what it costs beyond the loads there would be anyway. For a Poisson process with
//! `a` requests per TTL the mean is a / (1 + a): its log-odds are the logarithm of the pace.
//!
//! That is where the prediction begins; a logistic regression over pairs of signs, each in steps,
//! learns by how much it is wrong, with step sizes of its own for each weight (J. Duchi, E. Hazan,
//! Y. Singer, JMLR 12, 2011). Reloads that were not made are observed as well.

use super::arrivals::Outlook;
use crate::clock::Millis;

/// First step of each weight.
const RATE: f32 = 0.08;
/// Squared errors that a weight begins with.
const CALM: f32 = 1.0;
/// Steps of each sign.
const PACES: usize = 16;
const AGES: usize = 16;
const RATIOS: usize = 12;
const TTLS: usize = 16;
const KNOWN: [f32; 5] = [1.5, 3.0, 6.0, 12.0, 24.0];
const SPREADS: [f32; 6] = [0.05, 0.12, 0.25, 0.5, 0.85, 1.15];
const WAITS: [f32; 5] = [0.001, 0.25, 0.75, 1.5, 4.0];

/// What a key shows, in steps, and the log-odds of a Poisson process of its pace.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Signs {
    begin: f32,
    slow: u8,
    /// The pace of late over the mean.
    ratio: u8,
    known: u8,
    age: u8,
    /// TTL over typical gap, and age over it.
    pace: u8,
    age_in_gaps: u8,
    spread: u8,
    wait: u8,
    ttl: u8,
}

/// Half octaves, `zero` of them below 1.
fn octaves(value: f32, zero: f32, steps: usize) -> u8 {
    (2.0 * value.max(1e-6).log2() + zero).clamp(0.0, (steps - 1) as f32) as u8
}

fn step(steps: &[f32], value: f32) -> u8 {
    steps.partition_point(|&at| at <= value) as u8
}

impl Signs {
    pub(super) fn of(outlook: &Outlook, ttl: Millis) -> Self {
        let Outlook { wait, fast, slow, known, age, gap, spread, .. } = *outlook;
        Signs {
            begin: slow.ln().clamp(-5.0, 5.0),
            slow: octaves(slow, 8.0, PACES),
            ratio: octaves(fast / slow, 6.0, RATIOS),
            known: step(&KNOWN, known),
            age: octaves(age, 10.0, AGES),
            // 0 is for what is not known.
            pace: gap.map_or(0, |gap| 1 + octaves(1.0 / gap, 8.0, PACES)),
            age_in_gaps: gap.map_or(0, |gap| octaves(age / gap, 8.0, AGES)),
            spread: spread.map_or(0, |spread| 1 + step(&SPREADS, spread)),
            wait: step(&WAITS, wait),
            // Octaves from a second on.
            ttl: (ttl.max(1).ilog2().saturating_sub(10) as usize).min(TTLS - 1) as u8,
        }
    }

    /// The weights that these signs take part in.
    fn places(&self) -> [usize; TABLES.len()] {
        let pairs = [
            (self.slow, self.age),
            (self.ratio, self.age),
            (self.spread, self.age_in_gaps),
            (self.known, self.slow),
            (self.slow, self.ratio),
            (self.pace, self.age_in_gaps),
            (self.wait, self.spread),
            (self.ttl, self.age),
            (self.ttl, self.slow),
        ];
        let mut begin = 0;
        std::array::from_fn(|at| {
            let (_, width) = TABLES[at];
            let place = begin + usize::from(pairs[at].0) * width + usize::from(pairs[at].1);
            begin += TABLES[at].0 * width;
            place
        })
    }
}

/// Steps of the two signs of each pair.
const TABLES: [(usize, usize); 9] = [
    (PACES, AGES),
    (RATIOS, AGES),
    (SPREADS.len() + 2, AGES),
    (KNOWN.len() + 1, PACES),
    (PACES, RATIOS),
    (PACES + 1, AGES),
    (WAITS.len() + 1, SPREADS.len() + 2),
    (TTLS, AGES),
    (TTLS, PACES),
];

#[derive(Debug, Clone, Copy)]
struct Weight {
    value: f32,
    /// Sum of the squared errors.
    errors: f32,
}

/// See the module's head.
#[derive(Debug, Clone)]
pub(super) struct Evidence {
    weights: Vec<Weight>,
}

impl Default for Evidence {
    fn default() -> Self {
        let count = TABLES.iter().map(|(height, width)| height * width).sum();
        Evidence { weights: vec![Weight { value: 0.0, errors: CALM }; count] }
    }
}

impl Evidence {
    /// The worth to be expected, 0 to 1.
    pub(super) fn worth(&self, signs: &Signs) -> f32 {
        let learned: f32 = signs.places().iter().map(|&at| self.weights[at].value).sum();
        1.0 / (1.0 + (-signs.begin - learned).exp())
    }

    /// A reload with these signs was, or would have been, worth so much.
    pub(super) fn observe(&mut self, signs: &Signs, worth: f32) {
        let error = self.worth(signs) - worth;
        for at in signs.places() {
            let weight = &mut self.weights[at];
            weight.errors += error * error;
            weight.value -= RATE * error / weight.errors.sqrt();
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.weights.capacity() * size_of::<Weight>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outlook(pace: f32, spread: f32) -> Outlook {
        let gap = Some(1.0 / pace);
        let (fast, slow, spread) = (pace, pace, Some(spread));
        Outlook { opens: 0, wait: 0.0, fast, slow, known: 30.0, age: 0.1, gap, spread }
    }

    #[test]
    fn what_is_unseen_is_a_poisson_process() {
        let worth = Evidence::default().worth(&Signs::of(&outlook(4.0, 1.3), 60_000));
        assert!((worth - 0.8).abs() < 1e-6, "4 / 5: {worth}");
    }

    #[test]
    fn what_is_observed_holds_for_the_like_and_less_for_others() {
        let mut evidence = Evidence::default();
        let [steady, slow] = [(4.0, 0.01), (0.25, 1.3)]
            .map(|(pace, spread)| Signs::of(&outlook(pace, spread), 60_000));
        (0..2_000).for_each(|_| evidence.observe(&steady, 0.02));
        assert!(evidence.worth(&steady) < 0.1, "{}", evidence.worth(&steady));
        assert!(evidence.worth(&slow) > 0.06, "{}", evidence.worth(&slow));
    }

    #[test]
    fn every_outlook_has_its_places() {
        let mut evidence = Evidence::default();
        let extremes = [0.0, 1e-30, 1.0, 1e30];
        for wait in extremes {
            for pace in extremes {
                for gap in [None, Some(0.0), Some(1e30)] {
                    let spread = gap.map(|_| wait);
                    let (opens, fast, slow, known, age) = (0, wait, pace, pace, wait);
                    let outlook = Outlook { opens, wait, fast, slow, known, age, gap, spread };
                    let signs = Signs::of(&outlook, pace as Millis);
                    evidence.observe(&signs, 1.0);
                    assert!((0.0..=1.0).contains(&evidence.worth(&signs)), "{signs:?}");
                }
            }
        }
    }
}
