//! The guard: which expert rules is decided by what each would have hit.
//!
//! An expert is a ranking, with or without admission. [`Shadows`] replay a hash-sampled part of
//! the traffic under every live expert; the one with the most hits lately rules the real cache.
//! Rankings read the same histories, so a change of ruler costs nothing and flushes nothing, and
//! the cache stays near its best expert (`tests/learned_guard.rs` holds it to 0.02 on synthetic
//! workloads, `benchmarks/RESULTS.md` shows recorded ones). After LeCaR (Vietri et al., HotStorage
//! 2018) and the mini-simulations of Waldspurger et al. (USENIX ATC 2017); the choice itself is a
//! bandit of its own, [`bandit`].
//!
//! Work is bounded. Sampling begins with all traffic and halves whenever a shadow holds more
//! objects than its target; after the first [`EXPLORE`] sampled requests the experts that do worst
//! are retired until sampling ratio times live experts is about [`BUDGET`], and one of the
//! retired at a time is tried again, beginning with what the ruler holds. Where little is sampled
//! all of them stay.
//!
//! This module must not know the store, values or keys.

mod bandit;
mod shadows;

use crate::history::History;
use crate::model::predictor::Predictor;
use crate::policy::explanation::Opinion;
use crate::policy::forecast::{Shadow, Shadowing};
use crate::policy::learner::{Learner, SMALL};
use crate::policy::ranking::RankingId;
use crate::policy::sampled::{Chooser, Expert, Sampled};
use crate::request::Access;
use crate::saved::{Reader, SavedError, Writer};

pub use self::bandit::GuardRule;
use self::bandit::{Bandit, Experts, MEMORY, PERIOD};
use self::shadows::Shadows;

/// The default policy: learned rankings under the guard.
pub type Auto = Sampled<Guard>;

const fn expert(ranking: RankingId, admission: bool) -> Expert {
    Expert { ranking, admission }
}

/// The experts, the one that rules until there is evidence first. Which, and why these:
/// docs/decisions/0012.
pub const EXPERTS: [Expert; 10] = [
    expert(RankingId::Blend, true),
    expert(RankingId::Blend, false),
    expert(RankingId::Density, true),
    expert(RankingId::Heat, false),
    expert(RankingId::Count, true),
    expert(RankingId::Reuse, false),
    expert(RankingId::Density, false),
    expert(RankingId::Count, false),
    expert(RankingId::Learned, true),
    expert(RankingId::Learned, false),
];
/// Those that need no trained model, and those that take part only where one is loaded.
const BUILT_IN: Experts = 0xff;
const LEARNED: Experts = 0b11 << 8;

/// Targets that all shadows together hold at most: experts may differ widely in how many objects
/// fill the same bytes.
const UNION: usize = 8;
/// Objects that a shadow holds at most: in caches of up to [`SMALL`] entries, and in others.
const TARGET: (u32, u32) = (128, 512);
/// Sampled requests before experts are retired.
const EXPLORE: u64 = 16_384;
/// Sampled requests between trials of retired experts.
const TRIAL: u64 = 8_192;
/// Live experts times sampling ratio, about; and the fewest live experts.
const BUDGET: f32 = 0.9;
const LIVE_MIN: usize = 4;
/// Sampled requests after which more than a quarter of the traffic is no longer sampled.
const SETTLED: u64 = 65_536;
const SETTLED_RATIO: f32 = 0.25;

/// Sampling takes 32 bits of the hash that neither the index nor the ghosts use first.
const WHOLE: u64 = 1 << 32;

#[inline]
fn sample_of(hash: u64) -> u64 {
    (hash >> 14) & (WHOLE - 1)
}

/// See the module's head.
#[derive(Debug)]
pub struct Guard {
    shadows: Shadows,
    bandit: Bandit<{ EXPERTS.len() }>,
    /// Objects whose sample value is below are sampled.
    threshold: u64,
    capacity: u64,
}

impl Default for Guard {
    fn default() -> Self {
        Guard::with_rule(GuardRule::default())
    }
}

impl Guard {
    /// A guard that chooses by this rule, to compare rules.
    pub fn with_rule(rule: GuardRule) -> Self {
        Guard {
            shadows: Shadows::new(&EXPERTS, 0),
            bandit: Bandit::new(rule, BUILT_IN),
            threshold: WHOLE,
            capacity: 0,
        }
    }

    /// Share of the traffic that is sampled.
    fn ratio(&self) -> f32 {
        self.threshold as f32 / WHOLE as f32
    }

    /// Now and then: bounds the work, retires and tries experts, and chooses the ruler.
    fn tend(&mut self) {
        let sampled = self.bandit.sampled();
        let target = if self.capacity <= SMALL { TARGET.0 } else { TARGET.1 };
        let is_settled = sampled >= SETTLED && self.ratio() > SETTLED_RATIO;
        let is_full = self.shadows.residents(self.bandit.ruling()) > target
            || self.shadows.len() > UNION * target as usize;
        if is_full || is_settled {
            self.narrow();
        }
        if sampled >= EXPLORE && sampled.is_multiple_of(TRIAL) {
            self.rotate();
        }
        self.bandit.choose();
    }

    /// Halves the sampled traffic.
    fn narrow(&mut self) {
        self.threshold /= 2;
        let threshold = self.threshold;
        let capacity = u128::from(self.capacity) * u128::from(threshold) / u128::from(WHOLE);
        self.shadows.narrow(capacity as u64, |hash| sample_of(hash) < threshold);
    }

    /// Keeps as many experts alive as the budget allows, one of them on trial.
    fn rotate(&mut self) {
        let rotation = self.bandit.rotate(((BUDGET / self.ratio()) as usize).max(LIVE_MIN));
        self.shadows.retire(rotation.retired);
        let is_new = |expert: &usize| rotation.enlisted & 1 << expert != 0;
        for expert in (0..EXPERTS.len()).filter(is_new) {
            self.shadows.revive(expert, self.bandit.ruling());
        }
    }
}

impl Chooser for Guard {
    #[inline]
    fn ruling(&self) -> Expert {
        EXPERTS[self.bandit.ruling()]
    }

    /// The shadows begin anew; who rules, and on what evidence, stays.
    fn set_capacity(&mut self, capacity: u64) {
        self.bandit.restart();
        self.shadows = Shadows::new(&EXPERTS, capacity);
        (self.threshold, self.capacity) = (WHOLE, capacity);
    }

    /// A model that has proved itself elsewhere is on trial at once; another one waits with the
    /// retired for its turn. Neither rules before its shadow leads: what was true where it was
    /// trained need not be here. Where an exchanged one ruled, the best other does.
    fn set_learned(&mut self, predictor: Option<&Predictor>) {
        self.shadows.retire(self.bandit.live() & LEARNED);
        self.bandit.withdraw(LEARNED);
        if let Some(predictor) = predictor {
            self.bandit.invite(LEARNED);
            if predictor.is_proven {
                self.try_learned();
            }
        }
    }

    fn holders(&self, hash: u64) -> Option<Experts> {
        (sample_of(hash) < self.threshold).then(|| self.shadows.holders(hash))
    }

    fn opinions(&self, hash: u64) -> Vec<Opinion> {
        let scores = self.bandit.scores();
        let best = scores.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        let holders = self.holders(hash);
        let known = (0..EXPERTS.len()).filter(|&expert| self.bandit.known() & 1 << expert != 0);
        let opinion = |expert: usize| {
            let is_live = self.bandit.live() & 1 << expert != 0;
            Opinion {
                expert: EXPERTS[expert],
                is_live,
                standing: scores[expert] / best,
                holds: holders.filter(|_| is_live).map(|holders| holders & 1 << expert != 0),
            }
        };
        known.map(opinion).collect()
    }

    fn shadowing(&self) -> Option<Shadowing> {
        let scores = self.bandit.scores();
        let best = scores.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        let known = (0..EXPERTS.len()).filter(|&expert| self.bandit.known() & 1 << expert != 0);
        let shadow = |expert: usize| {
            let is_live = self.bandit.live() & 1 << expert != 0;
            Shadow {
                expert: EXPERTS[expert],
                is_live,
                standing: scores[expert] / best,
                hit_ratio: self.bandit.hit_ratio(expert).filter(|_| is_live),
            }
        };
        Some(Shadowing { ratio: self.ratio(), shadows: known.map(shadow).collect() })
    }

    /// A lead that another model had is not this one's: it begins level with the best built-in one.
    fn try_learned(&mut self) {
        let enlisted = self.bandit.try_now(LEARNED);
        let ruling = self.bandit.ruling();
        for expert in (0..EXPERTS.len()).filter(|&expert| enlisted & 1 << expert != 0) {
            self.shadows.revive(expert, ruling);
        }
    }

    /// The shadows are left out: they fill again within a few thousand requests.
    fn save(&self, to: &mut Writer) {
        to.u16(EXPERTS.len() as u16);
        to.u8(self.bandit.ruling() as u8);
        self.bandit.evidence().iter().for_each(|&hits| to.f32(hits));
    }

    fn restore(&mut self, from: &mut Reader<'_>) -> Result<(), SavedError> {
        if from.is_empty() {
            return Ok(());
        }
        if from.count("experts", EXPERTS.len(), 4)? != EXPERTS.len() {
            return Err(SavedError::Range("experts"));
        }
        let ruling = usize::from(from.u8());
        let evidence = std::array::from_fn(|_| from.f32(MEMORY));
        from.finish()?;
        self.bandit.resume(ruling, evidence);
        Ok(())
    }

    #[inline]
    fn reserve(&mut self) {
        self.shadows.reserve();
    }

    #[inline]
    fn observe(&mut self, access: &Access, history: &History, learner: &Learner) {
        if sample_of(access.hash) >= self.threshold {
            return;
        }
        let hits = self.shadows.access(access, history, self.bandit.live(), learner);
        self.bandit.reward(hits);
        if self.bandit.sampled().is_multiple_of(PERIOD) {
            self.tend();
        }
    }

    fn memory_bytes(&self) -> usize {
        self.shadows.memory_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::mix;

    fn guard(capacity: u64) -> Guard {
        let mut guard = Guard::default();
        guard.set_capacity(capacity);
        guard
    }

    fn request(guard: &mut Guard, learner: &Learner, now: u64, key: u64, size: u32) {
        let access = Access::new(mix(key), key, size, now);
        guard.reserve();
        guard.observe(&access, &History::first(now as u32, size), learner);
    }

    #[test]
    fn a_cache_that_fills_late_gets_its_experts_back() {
        let learner = Learner::new(1, 100_000);
        let mut guard = guard(100_000);
        (0..20_000).for_each(|now| request(&mut guard, &learner, now, now % 100, 1));
        assert_ne!(BUILT_IN, guard.bandit.live(), "all is sampled, so few experts are live");
        (20_000..1_500_000).for_each(|now| request(&mut guard, &learner, now, now, 1));
        assert!(guard.ratio() < 0.05);
        assert_eq!(BUILT_IN, guard.bandit.live(), "little is sampled");
    }

    #[test]
    fn small_objects_do_not_fill_the_shadows_of_those_who_like_them() {
        let learner = Learner::new(1, 100_000);
        let mut guard = guard(1_000_000_000);
        for now in 0..200_000 {
            let size = if now % 2 == 0 { 10_000_000 } else { 1 };
            request(&mut guard, &learner, now, now, size);
        }
        assert!(guard.shadows.len() <= UNION * TARGET.1 as usize + PERIOD as usize);
    }

    #[test]
    fn a_resize_keeps_the_ruler_and_begins_the_shadows_anew() {
        let learner = Learner::new(1, 100);
        let mut guard = guard(100);
        (0..5_000).for_each(|now| request(&mut guard, &learner, now, now % 130, 1));
        let (ruling, scores) = (guard.bandit.ruling(), guard.bandit.scores());
        guard.set_capacity(50);
        assert_eq!((ruling, scores), (guard.bandit.ruling(), guard.bandit.scores()));
        assert_eq!(0, guard.shadows.len());
        guard.set_capacity(0);
        (5_000..6_000).for_each(|now| request(&mut guard, &learner, now, now % 130, 1));
        assert_eq!((scores, 0), (guard.bandit.scores(), guard.shadows.len()));
    }
}
