//! The guard's choice as a bandit: which expert rules, and which of the retired is tried next.
//!
//! An arm is an expert, a reward a hit in its shadow. All *live* experts are rewarded at every
//! sampled request, whether they rule or not (full information); the retired ones are not, and
//! one at a time is brought back on trial (partial information). Rewards drift, so old ones fade
//! under every rule.
//!
//! The default, [`GuardRule::Leader`], follows the leader: hits are compared on the very same
//! requests, so that differences far below what a confidence bound on each expert's own hit ratio
//! allows are told apart. The other rules are kept for the comparison in `benchmarks/bandit.py`;
//! docs/decisions/0012 has its outcome.
//!
//! This module must not know what an expert or a shadow is: it sees numbers and sets of numbers.

mod weights;

use crate::random::Random;

use self::weights::Weights;

/// Set of experts, a bit each.
pub type Experts = u32;

/// Hits fade to half in 0.7 times so many sampled requests, or a third of those seen.
pub const MEMORY: f32 = 40_000.0;
const MEMORY_MIN: f32 = 2_000.0;
/// By how much an expert must lead the ruler: a share of its hits, and half a hit.
const LEAD: f32 = 0.002;
/// What is taken off a guest's hits when it comes in: a share, and so many.
const DISCOUNT: f32 = 0.004;
const DISCOUNTED: f32 = 24.0;
/// Sampled requests on trial after which half of that is taken off.
const TRUSTING: f32 = 32_768.0;
/// Sampled requests between choices.
pub const PERIOD: u64 = 32;
/// Factor of the logarithm under the confidence bound's root: above 1/2, as the proofs ask for.
const WIDTH: f32 = 0.6;

/// Requests of an expert's record from which on it is halved.
const RECORD_MAX: u32 = 131_072;

/// How the ruling expert is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GuardRule {
    /// The most fading hits, once it is ahead by a little; retired experts are tried in turn.
    #[default]
    Leader,
    /// Exponential weights with a fixed share, the heaviest rules; the retired sleep. Herbster and
    /// Warmuth, "Tracking the best expert", Machine Learning 32 (1998).
    FixedShare,
    /// Discounted UCB, also for the trials. Garivier and Moulines, "On upper-confidence bound
    /// policies for non-stationary bandit problems" (2008).
    DiscountedUcb,
    /// Discounted Thompson sampling, also for the trials; normal for the beta distribution. Raj
    /// and Kalyani, "Taming non-stationary bandits" (2017).
    Thompson,
    /// EXP3.S: only the ruler's hits count. Auer, Cesa-Bianchi, Freund and Schapire, "The
    /// nonstochastic multiarmed bandit problem", SIAM J. Computing 32 (2002).
    Exp3S,
}

impl GuardRule {
    /// All rules and their names.
    pub const ALL: [(&'static str, GuardRule); 5] = [
        ("leader", GuardRule::Leader),
        ("fixed-share", GuardRule::FixedShare),
        ("discounted-ucb", GuardRule::DiscountedUcb),
        ("thompson", GuardRule::Thompson),
        ("exp3.s", GuardRule::Exp3S),
    ];

    /// Whether an expert is judged by its own hit ratio, and so a retired one by its past.
    fn has_ratios(self) -> bool {
        matches!(self, GuardRule::DiscountedUcb | GuardRule::Thompson)
    }
}

/// Who leaves the live set and who enters it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// No longer live.
    pub retired: Experts,
    /// Live from now on, to begin with what the ruler holds.
    pub enlisted: Experts,
}

/// See the module's head.
#[derive(Debug, Clone)]
pub struct Bandit<const N: usize> {
    rule: GuardRule,
    /// Hits of each expert, recent ones weighing more.
    scores: [f32; N],
    /// Weight of a hit now: it grows, which is the same as old hits fading.
    gain: f32,
    /// Requests at which each expert was live, faded alike; kept for the two rules that need it.
    plays: [f32; N],
    /// Logarithms of exponential weights; of the two rules that have them.
    weights: Weights<N>,
    live: Experts,
    /// Those that take part at all.
    known: Experts,
    /// Those that were invited later.
    guests: Experts,
    /// Rewards told when each came to life last.
    since: [u64; N],
    /// Hits of each since then, and the requests that they are hits of; both are halved now and
    /// then.
    record: [(u32, u32); N],
    ruling: usize,
    challenger: usize,
    sampled: u64,
    random: Random,
}

impl<const N: usize> Bandit<N> {
    /// Experts that take part from the start: all of these are live, the first of all rules.
    pub fn new(rule: GuardRule, known: Experts) -> Self {
        Bandit {
            rule,
            scores: [0.0; N],
            gain: 1.0,
            plays: [0.0; N],
            weights: Weights::even(),
            live: known,
            known,
            guests: 0,
            since: [0; N],
            record: [(0, 0); N],
            ruling: 0,
            challenger: 0,
            sampled: 0,
            random: Random::new(1),
        }
    }

    /// The rewards come from new shadows: all live; who rules, and on what evidence, stays.
    pub fn restart(&mut self) {
        (self.live, self.challenger, self.sampled) = (self.known, 0, 0);
        self.since = [0; N];
        self.record = [(0, 0); N];
    }

    /// The fading hits of each expert, a hit now being 1.
    pub fn evidence(&self) -> [f32; N] {
        self.scores.map(|score| score / self.gain)
    }

    /// Goes on with the evidence of another bandit; those that take no part here have none.
    pub fn resume(&mut self, ruling: usize, evidence: [f32; N]) {
        self.gain = 1.0;
        self.scores =
            std::array::from_fn(
                |expert| {
                    if self.known & 1 << expert != 0 { evidence[expert] } else { 0.0 }
                },
            );
        if ruling < N && self.known & 1 << ruling != 0 {
            self.ruling = ruling;
        }
    }

    /// These take part no longer. Where one of them ruled, the best of the live ones does.
    pub fn withdraw(&mut self, experts: Experts) {
        (self.known, self.live) = (self.known & !experts, self.live & !experts);
        if experts & 1 << self.ruling != 0 {
            self.ruling = members(self.live).next().unwrap_or(0);
            self.ruling = self.best_of(self.live);
        }
    }

    /// These take part from now on as guests, retired at first.
    pub fn invite(&mut self, experts: Experts) {
        (self.known, self.guests) = (self.known | experts, self.guests | experts);
    }

    /// These are live from now on, those of them that take part, with no lead over the best of the
    /// others. Returns those that were not live.
    pub fn try_now(&mut self, experts: Experts) -> Experts {
        let enlisted = self.known & experts & !self.live;
        self.enlist(enlisted);
        let others = members(self.live & !experts).map(|expert| self.scores[expert]);
        let best = others.fold(0.0, f32::max);
        for expert in members(experts) {
            self.scores[expert] = self.scores[expert].min(best);
            self.since[expert] = self.sampled;
            self.record[expert] = (0, 0);
        }
        enlisted
    }

    /// The expert that rules.
    #[inline]
    pub fn ruling(&self) -> usize {
        self.ruling
    }

    /// The experts whose hits are to be told.
    #[inline]
    pub fn live(&self) -> Experts {
        self.live
    }

    /// The experts that take part.
    #[inline]
    pub fn known(&self) -> Experts {
        self.known
    }

    /// The fading hits that the leader is found by.
    pub fn scores(&self) -> [f32; N] {
        self.scores
    }

    /// An expert's hits per request since it came to life last, recent ones weighing more; none
    /// before the first. Under rules that compare no hits it is 0.
    pub fn hit_ratio(&self, expert: usize) -> Option<f32> {
        let (hits, requests) = self.record[expert];
        (requests > 0).then(|| (hits as f32 / requests as f32).min(1.0))
    }

    /// Rewards told so far.
    #[inline]
    pub fn sampled(&self) -> u64 {
        self.sampled
    }

    /// One sampled request, and the experts that had what it asked for.
    #[inline]
    pub fn reward(&mut self, mut hits: Experts) {
        self.sampled += 1;
        self.gain *= 1.0 + 1.0 / MEMORY.min((self.sampled as f32 / 2.0).max(MEMORY_MIN));
        match self.rule {
            GuardRule::FixedShare => return self.weights.reward(hits & self.live),
            GuardRule::Exp3S if hits & 1 << self.ruling != 0 => {
                return self.weights.reward_drawn(self.ruling, self.live);
            }
            GuardRule::Exp3S => return,
            GuardRule::Leader | GuardRule::DiscountedUcb | GuardRule::Thompson => {}
        }
        while hits != 0 {
            let expert = hits.trailing_zeros() as usize;
            self.scores[expert] += self.gain;
            self.record[expert].0 += 1;
            hits &= hits - 1;
        }
    }

    /// Chooses who rules, to be called after every [`PERIOD`] rewards.
    pub fn choose(&mut self) {
        if self.gain > 1e12 {
            let gain = std::mem::replace(&mut self.gain, 1.0);
            self.scores.iter_mut().chain(&mut self.plays).for_each(|sum| *sum /= gain);
        }
        for expert in members(self.live) {
            let (hits, requests) = &mut self.record[expert];
            *requests += PERIOD as u32;
            if *requests >= RECORD_MAX {
                (*hits, *requests) = (*hits / 2, *requests / 2);
            }
        }
        self.ruling = match self.rule {
            GuardRule::Leader => self.leader(),
            GuardRule::FixedShare => {
                self.weights.share(self.live);
                self.best_of(self.live)
            }
            GuardRule::DiscountedUcb | GuardRule::Thompson => {
                members(self.live).for_each(|e| self.plays[e] += PERIOD as f32 * self.gain);
                self.best_of(self.live)
            }
            GuardRule::Exp3S => {
                self.weights.share(self.live);
                self.weights.draw(self.live, &mut self.random).unwrap_or(self.ruling)
            }
        };
    }

    fn leader(&self) -> usize {
        let lead = self.credit(self.ruling) * (1.0 + LEAD) + 0.5 * self.gain;
        let ahead = members(self.live).filter(|&e| self.credit(e) > lead);
        ahead.max_by(|&a, &b| self.credit(a).total_cmp(&self.credit(b))).unwrap_or(self.ruling)
    }

    /// The hits that count for an expert: a guest's are discounted, so that it takes more than a
    /// few lucky ones to put it on the throne, and less to push it off. The longer its shadow has
    /// been compared with the others', the less is left to luck and the smaller the discount.
    fn credit(&self, expert: usize) -> f32 {
        if self.guests & 1 << expert == 0 {
            return self.scores[expert];
        }
        let trial = self.sampled.saturating_sub(self.since[expert]);
        let doubt = (-(trial as f32) / TRUSTING).exp2();
        self.scores[expert] * (1.0 - DISCOUNT * doubt) - DISCOUNTED * doubt * self.gain
    }

    /// The most worth of these, the ruler if there are none.
    fn best_of(&mut self, experts: Experts) -> usize {
        let worth: [f32; N] = std::array::from_fn(|expert| self.worth(expert));
        let ranked = members(experts).max_by(|&a, &b| worth[a].total_cmp(&worth[b]));
        ranked.unwrap_or(self.ruling)
    }

    /// What a rule goes by.
    fn worth(&mut self, expert: usize) -> f32 {
        let plays = (self.plays[expert] / self.gain).max(1.0);
        let mean = (self.scores[expert] / self.gain / plays).min(1.0);
        match self.rule {
            GuardRule::Leader => self.scores[expert],
            GuardRule::FixedShare | GuardRule::Exp3S => self.weights.of(expert) as f32,
            GuardRule::DiscountedUcb => {
                let all = (self.plays.iter().copied().fold(0.0, f32::max) / self.gain).max(2.0);
                mean + (WIDTH * all.ln() / plays).sqrt()
            }
            GuardRule::Thompson => {
                let spread = ((mean * (1.0 - mean)).max(1.0 / plays) / plays).sqrt();
                mean + spread * self.normal()
            }
        }
    }

    /// About standard normal: twelve uniform draws.
    fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.random.next_u32() as f32 / u32::MAX as f32).sum::<f32>() - 6.0
    }

    /// Keeps the best live experts but one, and brings back one of the others: `keep` in all, or
    /// everyone.
    pub fn rotate(&mut self, keep: usize) -> Rotation {
        if keep >= self.known.count_ones() as usize {
            let enlisted = self.known & !self.live;
            self.enlist(enlisted);
            return Rotation { retired: 0, enlisted };
        }
        let worth: [f32; N] = std::array::from_fn(|expert| match () {
            () if expert == self.ruling => f32::INFINITY,
            () if self.live & 1 << expert != 0 => self.worth(expert),
            () if self.known & 1 << expert != 0 => f32::MIN,
            () => f32::NEG_INFINITY,
        });
        let mut order: [usize; N] = std::array::from_fn(|expert| expert);
        order.sort_by(|&a, &b| worth[b].total_cmp(&worth[a]));
        // Fewer than take part, so none that does not.
        let kept: Experts = order[..keep - 1].iter().map(|&expert| 1 << expert).sum();
        self.challenger = self.next_challenger(self.known & !kept);
        let retired = self.live & !kept;
        self.live &= kept;
        let enlisted = (kept | 1 << self.challenger) & !self.live;
        self.enlist(enlisted);
        Rotation { retired, enlisted }
    }

    /// Who is tried next: the most promising on past evidence, or whose turn it is.
    fn next_challenger(&mut self, others: Experts) -> usize {
        if self.rule.has_ratios() {
            return self.best_of(others);
        }
        let mut turns = (1..=N).map(|step| (self.challenger + step) % N);
        turns.find(|&expert| others & 1 << expert != 0).unwrap_or(self.challenger)
    }

    /// Brings experts to life: on nearly the ruler's score where scores are compared as sums.
    fn enlist(&mut self, experts: Experts) {
        if self.rule == GuardRule::Leader {
            let score = self.scores[self.ruling] * (1.0 - LEAD);
            members(experts).for_each(|expert| self.scores[expert] = score);
        }
        for expert in members(experts) {
            (self.since[expert], self.record[expert]) = (self.sampled, (0, 0));
        }
        self.live |= experts;
    }
}

fn members(mut experts: Experts) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let expert = (experts != 0).then(|| experts.trailing_zeros() as usize);
        experts &= experts.wrapping_sub(1);
        expert
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Experts = 0xff;

    /// Requests of a stretch with a best expert.
    const STRETCH: u64 = 60_000;

    /// Hit ratio of the ruler. The best expert of a stretch has what seven in ten requests ask for
    /// and the others what `others` do, of the same requests.
    fn hit_ratio(
        rule: GuardRule,
        others: u32,
        best: &[usize],
        keep: Option<usize>,
    ) -> (f64, Bandit<8>) {
        let (mut bandit, mut random) = (Bandit::<8>::new(rule, ALL), Random::new(11));
        let mut hits = 0;
        for &best in best {
            for _ in 0..STRETCH {
                let drawn = random.below(10);
                let had = if drawn < others { ALL } else { u32::from(drawn < 7) << best };
                hits += u64::from(had & 1 << bandit.ruling() != 0);
                bandit.reward(had & bandit.live());
                if bandit.sampled().is_multiple_of(PERIOD) {
                    if let Some(keep) = keep.filter(|_| bandit.sampled().is_multiple_of(2_048)) {
                        bandit.rotate(keep);
                    }
                    bandit.choose();
                }
            }
        }
        (hits as f64 / (STRETCH * best.len() as u64) as f64, bandit)
    }

    #[test]
    fn every_rule_has_little_regret_against_one_best_expert() {
        // EXP3.S learns from the ruler alone, which is far slower: it gets an easier task, in
        // which choosing at random has a regret of 0.61 instead of 0.0875.
        for (name, rule) in GuardRule::ALL {
            let is_blind = rule == GuardRule::Exp3S;
            let (others, limit) = if is_blind { (0, 0.3) } else { (6, 0.005) };
            let (ratio, _) = hit_ratio(rule, others, &[5], None);
            assert!(0.7 - ratio < limit, "{name}: regret {:.4}", 0.7 - ratio);
        }
    }

    #[test]
    fn rules_with_full_information_track_a_best_expert_that_changes() {
        let best = [1, 6, 2, 6];
        for (name, rule) in GuardRule::ALL.into_iter().filter(|(_, r)| *r != GuardRule::Exp3S) {
            let (ratio, bandit) = hit_ratio(rule, 6, &best, None);
            assert_eq!(6, bandit.ruling(), "{name}");
            assert!(
                0.7 - ratio < 0.05,
                "{name}: regret {:.4} against the best of each stretch",
                0.7 - ratio
            );
        }
    }

    #[test]
    fn a_retired_expert_that_becomes_the_best_is_found_on_trial() {
        for (name, rule) in GuardRule::ALL.into_iter().filter(|(_, r)| *r != GuardRule::Exp3S) {
            let (_, bandit) = hit_ratio(rule, 6, &[1, 7], Some(4));
            assert_eq!(7, bandit.ruling(), "{name}");
        }
    }

    #[test]
    fn a_rotation_keeps_the_ruler_and_the_number_and_tries_everyone() {
        for (name, rule) in GuardRule::ALL {
            let mut bandit = Bandit::<8>::new(rule, ALL);
            let mut tried = 0;
            for _ in 0..16 {
                for _ in 0..PERIOD {
                    bandit.reward(bandit.live() & 0b1000_1111);
                }
                bandit.choose();
                let before = bandit.live();
                let Rotation { retired, enlisted } = bandit.rotate(4);
                assert_eq!(before & !retired | enlisted, bandit.live(), "{name}");
                assert_eq!((4, 0), (bandit.live().count_ones(), retired & 1 << bandit.ruling()));
                tried |= enlisted;
            }
            assert!(rule.has_ratios() || tried.count_ones() >= 4, "{name}: {tried:b} tried");
            assert_eq!(
                ALL,
                {
                    bandit.rotate(8);
                    bandit.live()
                },
                "{name}"
            );
        }
    }

    #[test]
    fn fading_by_growth_never_overflows() {
        let mut bandit = Bandit::<2>::new(GuardRule::Leader, 0b11);
        for _ in 0..3_000_000 / PERIOD {
            (0..PERIOD).for_each(|_| bandit.reward(0b10));
            bandit.choose();
        }
        assert_eq!((1, true), (bandit.ruling(), bandit.scores()[1].is_finite()));
        for _ in 0..60_000 / PERIOD {
            (0..PERIOD).for_each(|_| bandit.reward(0b01));
            bandit.choose();
        }
        assert_eq!(0, bandit.ruling(), "what was hit long ago has faded");
    }

    #[test]
    fn who_takes_no_part_neither_lives_nor_rules() {
        let mut bandit = Bandit::<10>::new(GuardRule::Leader, ALL);
        for round in 0..40 {
            (0..PERIOD).for_each(|_| bandit.reward(bandit.live() & 0b11_0000_1010));
            bandit.choose();
            bandit.rotate(4 + round % 7);
            assert_eq!(0, (bandit.live() | 1 << bandit.ruling()) & !bandit.known());
            match round {
                10 => bandit.invite(0b11 << 8),
                20 => drop(bandit.try_now(0b10 << 8)),
                30 => bandit.withdraw(0b11 << 8),
                _ => {}
            }
        }
        assert_eq!(ALL, bandit.known());
    }

    #[test]
    fn a_guest_a_little_better_for_long_comes_to_rule() {
        let mut bandit = Bandit::<10>::new(GuardRule::Leader, ALL);
        let rewarded = |bandit: &mut Bandit<10>, requests: u64| {
            for _ in 0..requests {
                let guest_alone = bandit.sampled().is_multiple_of(200);
                bandit.reward(if guest_alone { 1 << 8 } else { ALL | 1 << 8 } & bandit.live());
                if bandit.sampled().is_multiple_of(PERIOD) {
                    bandit.choose();
                }
            }
        };
        rewarded(&mut bandit, 40_000);
        bandit.invite(1 << 8);
        bandit.try_now(1 << 8);
        rewarded(&mut bandit, TRUSTING as u64 / 4);
        assert_eq!(0, bandit.ruling(), "half a percent may still be luck");
        rewarded(&mut bandit, 4 * TRUSTING as u64);
        assert_eq!(8, bandit.ruling());
    }

    #[test]
    fn those_on_trial_begin_level_and_inherit_no_lead() {
        const NEW: Experts = 0b11 << 8;
        let mut bandit = Bandit::<10>::new(GuardRule::Leader, ALL);
        assert_eq!(0, bandit.try_now(NEW), "they take no part yet");
        let rewarded = |bandit: &mut Bandit<10>, hits: Experts| {
            for _ in 0..2_000 {
                bandit.reward(hits & bandit.live());
                if bandit.sampled().is_multiple_of(PERIOD) {
                    bandit.choose();
                }
            }
        };
        rewarded(&mut bandit, 0b100);
        bandit.invite(NEW);
        assert_eq!(NEW, bandit.try_now(NEW));
        let best = bandit.scores()[2];
        assert!(bandit.scores()[8] <= best && bandit.scores()[8] > 0.9 * best);
        assert_eq!(2, bandit.ruling());
        rewarded(&mut bandit, 1 << 8);
        assert_eq!(8, bandit.ruling());
        assert_eq!(0, bandit.try_now(NEW), "they are live already");
        let others = bandit.scores()[..8].iter().copied().fold(0.0, f32::max);
        assert_eq!((8, others), (bandit.ruling(), bandit.scores()[8]));
    }
}
