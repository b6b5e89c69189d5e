//! The guard: which expert rules is decided by what each would have hit.
//!
//! An expert is a ranking, with or without admission. [`Shadows`] replay a hash-sampled part of
//! the traffic under every live expert; the one with the most hits lately rules the real cache.
//! Rankings read the same histories, so a change of ruler costs nothing and flushes nothing, and
//! the cache stays near its best expert (`tests/learned_guard.rs` holds it to 0.02 on synthetic
//! workloads, `benchmarks/RESULTS.md` shows recorded ones). It is a bandit with full information among
//! the live experts, after LeCaR (Vietri et al., HotStorage 2018) and the mini-simulations of
//! Waldspurger et al. (USENIX ATC 2017).
//!
//! Work is bounded. Sampling begins with all traffic and halves whenever a shadow holds more
//! objects than its target; after the first [`EXPLORE`] sampled requests the experts that do worst
//! are retired until sampling ratio times live experts is about [`BUDGET`], and one of the
//! retired at a time is tried again, beginning with what the ruler holds. Where little is sampled
//! all of them stay.
//!
//! This module must not know the store, values or keys.

mod shadows;

use crate::history::History;
use crate::model::predictor::Predictor;
use crate::policy::learner::{Learner, SMALL};
use crate::policy::ranking::RankingId;
use crate::policy::sampled::{Chooser, Expert, Sampled};
use crate::request::Access;

use self::shadows::{Experts, Shadows};

/// The default policy: learned rankings under the guard.
pub type Auto = Sampled<Guard>;

const fn expert(ranking: RankingId, admission: bool) -> Expert {
    Expert { ranking, admission }
}

/// The experts, the one that rules until there is evidence first. Each wins somewhere: see
/// docs/decisions/0005.
const EXPERTS: [Expert; 11] = [
    expert(RankingId::Blend, true),
    expert(RankingId::Blend, false),
    expert(RankingId::Density, true),
    expert(RankingId::Heat, false),
    expert(RankingId::Heat, true),
    expert(RankingId::Count, true),
    expert(RankingId::Reuse, false),
    expert(RankingId::Recency, false),
    expert(RankingId::Density, false),
    expert(RankingId::Learned, true),
    expert(RankingId::Learned, false),
];
/// Those that need a trained model, and those that need none.
const LEARNED: Experts = 0b11 << 9;
const BUILT_IN: Experts = (1 << 9) - 1;

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
/// A hit counts for half after 0.7 times so many sampled requests, or a third of those seen.
const MEMORY: f32 = 40_000.0;
const MEMORY_MIN: f32 = 2_000.0;
/// By how much an expert must lead the ruler: a share of its hits, and half a hit.
const LEAD: f32 = 0.002;
/// Sampled requests between decisions.
const PERIOD: u64 = 32;

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
    /// Hits of each expert, recent ones weighing more.
    scores: [f32; EXPERTS.len()],
    /// Weight of a hit now: it grows, which is the same as old hits fading.
    gain: f32,
    live: Experts,
    /// Experts that there are: the learned ones only where a model is loaded.
    known: Experts,
    ruling: usize,
    /// Objects whose sample value is below are sampled.
    threshold: u64,
    capacity: u64,
    sampled: u64,
    challenger: usize,
}

impl Default for Guard {
    fn default() -> Self {
        Guard::for_capacity(0)
    }
}

impl Guard {
    fn for_capacity(capacity: u64) -> Self {
        Guard {
            shadows: Shadows::new(&EXPERTS, capacity),
            scores: [0.0; EXPERTS.len()],
            gain: 1.0,
            live: BUILT_IN,
            known: BUILT_IN,
            ruling: 0,
            threshold: WHOLE,
            capacity,
            sampled: 0,
            challenger: 0,
        }
    }

    fn is_live(&self, expert: usize) -> bool {
        self.live & 1 << expert != 0
    }

    /// Share of the traffic that is sampled.
    fn ratio(&self) -> f32 {
        self.threshold as f32 / WHOLE as f32
    }

    /// Counts one sampled access for the experts that had it.
    #[inline]
    fn score(&mut self, mut hits: Experts) {
        self.sampled += 1;
        self.gain *= 1.0 + 1.0 / MEMORY.min((self.sampled as f32 / 2.0).max(MEMORY_MIN));
        while hits != 0 {
            self.scores[hits.trailing_zeros() as usize] += self.gain;
            hits &= hits - 1;
        }
    }

    /// Now and then: bounds the work, retires and tries experts, and chooses the ruler.
    fn tend(&mut self) {
        if self.gain > 1e12 {
            let gain = std::mem::replace(&mut self.gain, 1.0);
            self.scores.iter_mut().for_each(|score| *score /= gain);
        }
        let target = if self.capacity <= SMALL { TARGET.0 } else { TARGET.1 };
        let is_settled = self.sampled >= SETTLED && self.ratio() > SETTLED_RATIO;
        let is_full = self.shadows.residents(self.ruling) > target
            || self.shadows.len() > UNION * target as usize;
        if is_full || is_settled {
            self.narrow();
        }
        if self.sampled >= EXPLORE && self.sampled.is_multiple_of(TRIAL) {
            self.rotate();
        }
        self.ruling = self.best();
    }

    fn best(&self) -> usize {
        let lead = self.scores[self.ruling] * (1.0 + LEAD) + 0.5 * self.gain;
        let ahead = (0..EXPERTS.len()).filter(|&e| self.is_live(e) && self.scores[e] > lead);
        ahead.max_by(|&a, &b| self.scores[a].total_cmp(&self.scores[b])).unwrap_or(self.ruling)
    }

    /// Halves the sampled traffic.
    fn narrow(&mut self) {
        self.threshold /= 2;
        let threshold = self.threshold;
        let capacity = u128::from(self.capacity) * u128::from(threshold) / u128::from(WHOLE);
        self.shadows.narrow(capacity as u64, |hash| sample_of(hash) < threshold);
    }

    /// Keeps the best experts alive, and one of the others on trial.
    fn rotate(&mut self) {
        let keep = ((BUDGET / self.ratio()) as usize).max(LIVE_MIN);
        if keep >= self.known.count_ones() as usize {
            self.enlist(self.known & !self.live);
            return;
        }
        let mut order: [usize; EXPERTS.len()] = std::array::from_fn(|expert| expert);
        let worth = |&expert: &usize| match () {
            () if expert == self.ruling => f32::INFINITY,
            () if self.is_live(expert) => self.scores[expert],
            () if self.known & 1 << expert != 0 => f32::MIN,
            () => f32::NEG_INFINITY,
        };
        order.sort_unstable_by(|a, b| worth(b).total_cmp(&worth(a)));
        // Fewer than there are known ones, so none that is not.
        let kept: Experts = order[..keep - 1].iter().map(|&expert| 1 << expert).sum();
        self.shadows.retire(self.live & !kept);
        let mut others = (1..=EXPERTS.len()).map(|step| (self.challenger + step) % EXPERTS.len());
        let waiting = self.known & !kept;
        let Some(challenger) = others.find(|&e| waiting & 1 << e != 0) else { return };
        self.challenger = challenger;
        self.live &= kept;
        self.enlist((kept | 1 << challenger) & !self.live);
    }

    /// Brings experts to life, with what the ruler holds and nearly its score.
    fn enlist(&mut self, experts: Experts) {
        for expert in (0..EXPERTS.len()).filter(|&expert| experts & 1 << expert != 0) {
            self.shadows.revive(expert, self.ruling);
            self.scores[expert] = self.scores[self.ruling] * (1.0 - LEAD);
        }
        self.live |= experts;
    }
}

impl Chooser for Guard {
    #[inline]
    fn ruling(&self) -> Expert {
        EXPERTS[self.ruling]
    }

    /// The shadows begin anew; who rules, and on what evidence, stays.
    fn set_capacity(&mut self, capacity: u64) {
        let Guard { ruling, scores, gain, known, .. } = *self;
        *self = Guard { ruling, scores, gain, known, live: known, ..Guard::for_capacity(capacity) };
    }

    /// A model that has proved itself elsewhere rules until its shadow says otherwise; another one
    /// waits with the retired for its trial. Where an exchanged one ruled, the best other does.
    fn set_learned(&mut self, predictor: Option<&Predictor>) {
        self.shadows.retire(self.live & LEARNED);
        self.live &= !LEARNED;
        self.known = BUILT_IN | predictor.map_or(0, |_| LEARNED);
        if LEARNED & 1 << self.ruling != 0 {
            let others = (0..EXPERTS.len()).filter(|&expert| self.is_live(expert));
            let best = others.max_by(|&a, &b| self.scores[a].total_cmp(&self.scores[b]));
            self.ruling = best.unwrap_or(0);
        }
        if predictor.is_some_and(|predictor| predictor.is_proven) {
            self.enlist(LEARNED);
            self.ruling = LEARNED.trailing_zeros() as usize;
        }
    }

    /// A lead that another model had is not this one's: it begins level with the best built-in one.
    fn try_learned(&mut self) {
        self.enlist(self.known & LEARNED & !self.live);
        let scores = (0..EXPERTS.len()).filter(|&expert| self.live & BUILT_IN & 1 << expert != 0);
        let best = scores.map(|expert| self.scores[expert]).fold(0.0, f32::max);
        for expert in (0..EXPERTS.len()).filter(|&expert| LEARNED & 1 << expert != 0) {
            self.scores[expert] = self.scores[expert].min(best);
        }
    }

    #[inline]
    fn reserve(&mut self) {
        self.shadows.reserve();
    }

    fn sized(&mut self, access: &Access) {
        if sample_of(access.hash) < self.threshold {
            self.shadows.resize(access.hash, access.size);
        }
    }

    #[inline]
    fn observe(&mut self, access: &Access, history: &History, learner: &Learner) {
        if sample_of(access.hash) >= self.threshold {
            return;
        }
        let hits = self.shadows.access(access, history, self.live, learner);
        self.score(hits);
        if self.sampled.is_multiple_of(PERIOD) {
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

    fn request(guard: &mut Guard, learner: &Learner, now: u64, key: u64, size: u32) {
        let access = Access::new(mix(key), key, size, now);
        guard.reserve();
        guard.observe(&access, &History::first(now as u32, size), learner);
    }

    #[test]
    fn a_cache_that_fills_late_gets_its_experts_back() {
        let learner = Learner::new(1, 100_000);
        let mut guard = Guard::for_capacity(100_000);
        (0..20_000).for_each(|now| request(&mut guard, &learner, now, now % 100, 1));
        assert_ne!(BUILT_IN, guard.live, "all is sampled, so few experts are live");
        (20_000..1_500_000).for_each(|now| request(&mut guard, &learner, now, now, 1));
        assert!(guard.ratio() < 0.05);
        assert_eq!(BUILT_IN, guard.live, "little is sampled");
    }

    #[test]
    fn small_objects_do_not_fill_the_shadows_of_those_who_like_them() {
        let learner = Learner::new(1, 100_000);
        let mut guard = Guard::for_capacity(1_000_000_000);
        for now in 0..200_000 {
            let size = if now % 2 == 0 { 10_000_000 } else { 1 };
            request(&mut guard, &learner, now, now, size);
        }
        assert!(guard.shadows.len() <= UNION * TARGET.1 as usize + PERIOD as usize);
    }

    #[test]
    fn a_model_on_trial_begins_level_and_inherits_no_lead() {
        let learner = Learner::new(1, 100);
        let mut guard = Guard::for_capacity(100);
        guard.try_learned();
        assert_eq!(0, guard.live & LEARNED, "no model is loaded");
        (0..5_000).for_each(|now| request(&mut guard, &learner, now, now % 130, 1));
        guard.known |= LEARNED;
        guard.try_learned();
        let learned = LEARNED.trailing_zeros() as usize;
        let best = guard.scores[..learned].iter().copied().fold(0.0, f32::max);
        assert_eq!(LEARNED, guard.live & LEARNED);
        assert!(guard.scores[learned] <= best && guard.scores[learned] > 0.9 * best);
        guard.scores[learned] = 2.0 * best;
        guard.tend();
        assert_eq!(learned, guard.ruling);
        guard.try_learned();
        assert_eq!((learned, best), (guard.ruling, guard.scores[learned]));
    }

    #[test]
    fn a_resize_keeps_the_ruler_and_begins_the_shadows_anew() {
        let learner = Learner::new(1, 100);
        let mut guard = Guard::for_capacity(100);
        (0..5_000).for_each(|now| request(&mut guard, &learner, now, now % 130, 1));
        let (ruling, scores) = (guard.ruling, guard.scores);
        guard.set_capacity(50);
        assert_eq!((ruling, scores, 0), (guard.ruling, guard.scores, guard.shadows.len()));
        guard.set_capacity(0);
        (5_000..6_000).for_each(|now| request(&mut guard, &learner, now, now % 130, 1));
        assert_eq!((scores, 0), (guard.scores, guard.shadows.len()));
    }
}
