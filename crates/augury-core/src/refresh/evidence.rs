//! What a refresh is worth, by the kind of key, learned from what came of the like.
//!
//! The *worth* of a reload is the part of its lifetime that was asked for: 0 where nobody came
//! before it ended, else 1 minus the wait for the first access over the time that one load of the
//! key lasts without refresh. It is the number of loads on demand that the reload replaces, so 1
//! minus worth is what it costs beyond the loads there would be anyway. For a Poisson process with
//! `a` requests per TTL the mean is a / (1 + a), at which a kind begins that has not been seen.
//!
//! Kinds are told apart by the TTL over the gap, the age over the gap, and the spread; sparse
//! ones lean on the same without the spread. Reloads that were not made are observed as well.

use super::arrivals::Outlook;
use crate::clock::Millis;

/// Half octaves of TTL over gap, from 1/16 to 16 and more.
const PACES: usize = 18;
/// Steps of age over gap.
const AGES: [f32; 8] = [0.25, 0.5, 1.0, 1.5, 2.25, 3.5, 5.0, 8.0];
/// Steps of spread; one kind more is for what is not known.
const SPREADS: [f32; 5] = [0.08, 0.2, 0.4, 0.8, 1.15];
const COARSE: usize = PACES * (AGES.len() + 1);
const PER_COARSE: usize = SPREADS.len() + 2;
/// Without a gap the age is measured in TTLs: kinds of their own.
const UNPACED: usize = 6;
/// Observations that the more general kind counts for.
const LEAN: f32 = 6.0;
/// Observations at which a kind's past is halved.
const FADE: f32 = 2_000.0;

/// A kind of key: a place in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Kind(u16);

#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    seen: f32,
    worth: f32,
}

impl Tally {
    fn add(&mut self, worth: f32) {
        if self.seen >= FADE {
            self.seen /= 2.0;
            self.worth /= 2.0;
        }
        self.seen += 1.0;
        self.worth += worth;
    }

    fn mean(self, prior: f32) -> f32 {
        (self.worth + LEAN * prior) / (self.seen + LEAN)
    }
}

/// See the module's head: 9 KiB.
#[derive(Debug, Clone)]
pub(super) struct Evidence {
    fine: Vec<Tally>,
    coarse: Vec<Tally>,
}

impl Default for Evidence {
    fn default() -> Self {
        let coarse = COARSE + UNPACED;
        Evidence {
            fine: vec![Tally::default(); coarse * PER_COARSE],
            coarse: vec![Tally::default(); coarse],
        }
    }
}

impl Evidence {
    /// The kind of a key with this outlook.
    pub(super) fn kind(outlook: &Outlook, ttl: Millis) -> Kind {
        let Some(gap) = outlook.gap else {
            let age = (outlook.age / ttl.max(1) as f32 * 4.0) as usize;
            return Kind(((COARSE + age.min(UNPACED - 1)) * PER_COARSE) as u16);
        };
        let pace = 2.0 * (ttl as f32 / gap).log2() + 8.0;
        let pace = pace.clamp(0.0, (PACES - 1) as f32) as usize;
        let age = AGES.partition_point(|&step| step <= outlook.age / gap);
        let spread = outlook.spread.map_or(0, |is| 1 + SPREADS.partition_point(|&step| step <= is));
        Kind(((pace * (AGES.len() + 1) + age) * PER_COARSE + spread) as u16)
    }

    /// The worth to be expected, 0 to 1.
    pub(super) fn worth(&self, kind: Kind) -> f32 {
        let at = usize::from(kind.0);
        self.fine[at].mean(self.coarse[at / PER_COARSE].mean(prior(at / PER_COARSE)))
    }

    /// A reload of this kind was, or would have been, worth so much.
    pub(super) fn observe(&mut self, kind: Kind, worth: f32) {
        let at = usize::from(kind.0);
        self.fine[at].add(worth);
        self.coarse[at / PER_COARSE].add(worth);
    }

    pub(super) fn memory_bytes(&self) -> usize {
        (self.fine.capacity() + self.coarse.capacity()) * size_of::<Tally>()
    }
}

/// Of a Poisson process of that pace; slower where it has been silent for longer than its gap.
fn prior(coarse: usize) -> f32 {
    if coarse >= COARSE {
        return 0.25;
    }
    let (pace, age) = (coarse / (AGES.len() + 1), coarse % (AGES.len() + 1));
    let silent = if age == 0 { 0.0 } else { AGES[age - 1] };
    let pace = ((pace as f32 - 7.5) / 2.0).exp2() / silent.max(1.0);
    pace / (1.0 + pace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outlook(gap: f32, age: f32, spread: f32) -> Outlook {
        Outlook { opens: 0, gap: Some(gap), age, spread: Some(spread) }
    }

    #[test]
    fn an_unseen_kind_is_a_poisson_process() {
        let kind = Evidence::kind(&outlook(250.0, 100.0, 1.3), 1_000);
        let worth = Evidence::default().worth(kind);
        assert!((0.77..0.84).contains(&worth), "4 / 5, to a half octave: {worth}");
    }

    #[test]
    fn what_is_observed_holds_for_the_like_and_little_for_others() {
        let mut evidence = Evidence::default();
        let [steady, wild, slow] = [(250.0, 0.05), (250.0, 1.3), (4_000.0, 1.3)]
            .map(|(gap, spread)| Evidence::kind(&outlook(gap, 100.0, spread), 1_000));
        let before = evidence.worth(slow);
        (0..500).for_each(|_| evidence.observe(steady, 0.0));
        assert!(evidence.worth(steady) < 0.02);
        assert!(evidence.worth(wild) < 0.1, "leans on keys of its pace");
        assert_eq!(before, evidence.worth(slow));
    }

    #[test]
    fn every_outlook_has_a_place() {
        let evidence = Evidence::default();
        for gap in [None, Some(0.0), Some(1.0), Some(1e30)] {
            for age in [0.0, 1.0, 1e30] {
                for spread in [None, Some(0.0), Some(50.0)] {
                    let outlook = Outlook { opens: 0, gap, age, spread };
                    for ttl in [1, 1_000, u64::MAX] {
                        let worth = evidence.worth(Evidence::kind(&outlook, ttl));
                        assert!((0.0..=1.0).contains(&worth), "{outlook:?}");
                    }
                }
            }
        }
    }
}
