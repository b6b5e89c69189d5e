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

use crate::random::Random;

/// Set of experts, a bit each.
pub type Experts = u32;

/// Hits fade to half in 0.7 times so many sampled requests, or a third of those seen.
const MEMORY: f32 = 40_000.0;
const MEMORY_MIN: f32 = 2_000.0;
/// By how much an expert must lead the ruler: a share of its hits, and half a hit.
const LEAD: f32 = 0.002;
/// Sampled requests between choices.
pub const PERIOD: u64 = 32;
/// Learning rate of the exponential weights: sqrt(8 ln 8 / MEMORY), Herbster and Warmuth's for
/// segments as long as the memory; and what of the weights is shared out at each choice.
const RATE: f64 = 0.02;
const SHARE: f64 = PERIOD as f64 / MEMORY as f64;
/// Share of the choices that EXP3.S makes at random.
const EXPLORED: f64 = 0.05;
/// Width of the confidence bound: Garivier and Moulines use 1/2 and more.
const WIDTH: f32 = 0.6;

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

    fn has_weights(self) -> bool {
        matches!(self, GuardRule::FixedShare | GuardRule::Exp3S)
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
    weights: [f64; N],
    live: Experts,
    ruling: usize,
    challenger: usize,
    sampled: u64,
    random: Random,
}

impl<const N: usize> Bandit<N> {
    /// All experts.
    pub const ALL: Experts = (1 << N) - 1;

    /// All live; the first rules.
    pub fn new(rule: GuardRule) -> Self {
        Bandit {
            rule,
            scores: [0.0; N],
            gain: 1.0,
            plays: [0.0; N],
            weights: [0.0; N],
            live: Self::ALL,
            ruling: 0,
            challenger: 0,
            sampled: 0,
            random: Random::new(1),
        }
    }

    /// The rewards come from new shadows: all live; who rules, and on what evidence, stays.
    pub fn restart(&mut self) {
        (self.live, self.challenger, self.sampled) = (Self::ALL, 0, 0);
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

    /// The fading hits that the leader is found by.
    #[cfg(test)]
    pub fn scores(&self) -> [f32; N] {
        self.scores
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
        if self.rule.has_weights() {
            return self.weigh(hits);
        }
        while hits != 0 {
            self.scores[hits.trailing_zeros() as usize] += self.gain;
            hits &= hits - 1;
        }
    }

    fn weigh(&mut self, hits: Experts) {
        let seen = hits & self.live;
        if self.rule == GuardRule::FixedShare {
            members(seen).for_each(|expert| self.weights[expert] += RATE);
        } else if seen & 1 << self.ruling != 0 {
            self.weights[self.ruling] += RATE / self.chances()[self.ruling];
        }
    }

    /// Chooses who rules, to be called after every [`PERIOD`] rewards.
    pub fn choose(&mut self) {
        if self.gain > 1e12 {
            let gain = std::mem::replace(&mut self.gain, 1.0);
            self.scores.iter_mut().chain(&mut self.plays).for_each(|sum| *sum /= gain);
        }
        self.ruling = match self.rule {
            GuardRule::Leader => self.leader(),
            GuardRule::FixedShare => {
                self.share();
                self.best_of(self.live)
            }
            GuardRule::DiscountedUcb | GuardRule::Thompson => {
                members(self.live).for_each(|e| self.plays[e] += PERIOD as f32 * self.gain);
                self.best_of(self.live)
            }
            GuardRule::Exp3S => {
                self.share();
                self.drawn()
            }
        };
    }

    fn leader(&self) -> usize {
        let lead = self.scores[self.ruling] * (1.0 + LEAD) + 0.5 * self.gain;
        let ahead = members(self.live).filter(|&e| self.scores[e] > lead);
        ahead.max_by(|&a, &b| self.scores[a].total_cmp(&self.scores[b])).unwrap_or(self.ruling)
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
            GuardRule::FixedShare | GuardRule::Exp3S => self.weights[expert] as f32,
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

    /// Gives every live expert a part of all weight, so that none falls too far behind to come
    /// back. Their weights then sum to 1; those asleep keep theirs, as if they had done like the
    /// others on average (Freund et al., "Using and combining predictors that specialize", 1997).
    fn share(&mut self) {
        let most = members(self.live).map(|e| self.weights[e]).fold(f64::MIN, f64::max);
        let awake = f64::from(self.live.count_ones());
        let total: f64 = members(self.live).map(|e| (self.weights[e] - most).exp()).sum();
        for expert in members(self.live) {
            let own = (self.weights[expert] - most).exp();
            self.weights[expert] = ((1.0 - SHARE) * own / total + SHARE / awake).ln();
        }
    }

    /// EXP3.S's probabilities.
    fn chances(&self) -> [f64; N] {
        let most = members(self.live).map(|e| self.weights[e]).fold(f64::MIN, f64::max);
        let total: f64 = members(self.live).map(|e| (self.weights[e] - most).exp()).sum();
        let even = EXPLORED / f64::from(self.live.count_ones());
        std::array::from_fn(|expert| match self.live & 1 << expert {
            0 => 0.0,
            _ => (1.0 - EXPLORED) * (self.weights[expert] - most).exp() / total + even,
        })
    }

    fn drawn(&mut self) -> usize {
        let chances = self.chances();
        let mut left = f64::from(self.random.next_u32()) / f64::from(u32::MAX);
        let drawn = members(self.live).find(|&expert| {
            left -= chances[expert];
            left <= 0.0
        });
        drawn.unwrap_or(self.ruling)
    }

    /// Keeps the best live experts but one, and brings back one of the others: `keep` in all, or
    /// everyone.
    pub fn rotate(&mut self, keep: usize) -> Rotation {
        if keep >= N {
            let enlisted = Self::ALL & !self.live;
            self.enlist(enlisted);
            return Rotation { retired: 0, enlisted };
        }
        let worth: [f32; N] = std::array::from_fn(|expert| match () {
            () if expert == self.ruling => f32::INFINITY,
            () if self.live & 1 << expert != 0 => self.worth(expert),
            () => f32::NEG_INFINITY,
        });
        let mut order: [usize; N] = std::array::from_fn(|expert| expert);
        order.sort_by(|&a, &b| worth[b].total_cmp(&worth[a]));
        let kept: Experts = order[..keep - 1].iter().map(|&expert| 1 << expert).sum();
        self.challenger = self.next_challenger(Self::ALL & !kept);
        let retired = self.live & !kept;
        self.live &= kept;
        let enlisted = (kept | 1 << self.challenger) & !self.live;
        self.enlist(enlisted);
        Rotation { retired, enlisted }
    }

    /// Who is tried next: the most promising on past evidence, or whose turn it is.
    fn next_challenger(&mut self, others: Experts) -> usize {
        match self.rule {
            GuardRule::DiscountedUcb | GuardRule::Thompson => self.best_of(others),
            _ => {
                let mut turns = (1..=N).map(|step| (self.challenger + step) % N);
                turns.find(|&expert| others & 1 << expert != 0).unwrap_or(self.challenger)
            }
        }
    }

    /// Brings experts to life: on nearly the ruler's score where scores are compared as sums.
    fn enlist(&mut self, experts: Experts) {
        if self.rule == GuardRule::Leader {
            let score = self.scores[self.ruling] * (1.0 - LEAD);
            members(experts).for_each(|expert| self.scores[expert] = score);
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
