//! The guard: which expert rules is decided by what each would have hit.

mod shadows;

use crate::history::History;
use crate::policy::learner::{Learner, knob};
use crate::policy::ranking::RankingId;
use crate::policy::sampled::{Chooser, Expert, Sampled};
use crate::request::Access;

use self::shadows::{Experts, Shadows};

/// The default policy.
pub type Auto = Sampled<Guard>;

const fn expert(ranking: RankingId, admission: bool) -> Expert {
    Expert { ranking, admission }
}

/// The experts, the one to begin with first.
const EXPERTS: [Expert; 9] = [
    expert(RankingId::Blend, false),
    expert(RankingId::Blend, true),
    expert(RankingId::Density, true),
    expert(RankingId::Heat, false),
    expert(RankingId::Heat, true),
    expert(RankingId::Count, true),
    expert(RankingId::Reuse, false),
    expert(RankingId::Recency, false),
    expert(RankingId::Soon, true),
];

/// Sampling takes 32 bits of the hash that neither the index nor the ghosts use first.
const WHOLE: u64 = 1 << 32;

/// See the module's head.
#[derive(Debug)]
pub struct Guard {
    shadows: Shadows,
    scores: [f32; EXPERTS.len()],
    /// Weight of a hit now; grows, so that old hits weigh less.
    gain: f32,
    live: Experts,
    ruling: usize,
    /// Objects whose hash is below are sampled.
    threshold: u64,
    capacity: u64,
    sampled: u64,
    challenger: usize,
    k: Knobs,
}

#[derive(Debug)]
struct Knobs {
    target: u32,
    win: f32,
    hyst: f32,
    keep: u32,
    explore: u64,
    rotate: u64,
    narrow: u64,
    floor: f32,
    fix: f32,
}

impl Guard {
    /// A guard.
    pub fn new() -> Self {
        Guard {
            shadows: Shadows::new(&EXPERTS, 0),
            scores: [0.0; EXPERTS.len()],
            gain: 1.0,
            live: (1 << EXPERTS.len()) - 1,
            ruling: 0,
            threshold: WHOLE,
            capacity: 0,
            sampled: 0,
            challenger: 0,
            k: Knobs {
                target: knob("TARGET", 512.0) as u32,
                win: knob("WIN", 40000.0),
                hyst: knob("HYST", 0.005),
                keep: knob("KEEP", 4.0) as u32,
                explore: knob("EXPLORE", 16384.0) as u64,
                rotate: knob("ROTATE", 8192.0) as u64,
                narrow: knob("NARROW", 1e9) as u64,
                floor: knob("FLOOR", 0.25),
                fix: knob("FIX", -1.0),
            },
        }
    }

    fn narrow(&mut self) {
        self.threshold /= 2;
        let threshold = self.threshold;
        let capacity =
            (u128::from(self.capacity) * u128::from(threshold) / u128::from(WHOLE)) as u64;
        self.shadows.narrow(capacity, |hash| sample_of(hash) < threshold);
    }

    fn best(&self) -> usize {
        let mut best = self.ruling;
        for (i, s) in self.scores.iter().enumerate() {
            if self.live & 1 << i != 0
                && *s > self.scores[best] * (1.0 + self.k.hyst) + 0.5 * self.gain
            {
                best = i;
            }
        }
        best
    }

    fn tend(&mut self) {
        if self.gain > 1e12 {
            self.scores.iter_mut().for_each(|s| *s /= self.gain);
            self.gain = 1.0;
        }
        let s = self.sampled;
        if self.shadows.residents(self.ruling) > self.k.target {
            self.narrow();
        }
        if s >= self.k.narrow
            && s.is_power_of_two()
            && self.threshold as f32 > self.k.floor * WHOLE as f32
        {
            self.narrow();
        }
        if s >= self.k.explore && s % self.k.rotate == 0 && self.k.keep < EXPERTS.len() as u32 {
            // order live by score, keep the best keep-1
            let mut order: Vec<usize> = (0..EXPERTS.len())
                .filter(|&i| self.live & 1 << i != 0 && i != self.ruling)
                .collect();
            order.sort_by(|&a, &b| self.scores[b].total_cmp(&self.scores[a]));
            order.insert(0, self.ruling);
            order.truncate(self.k.keep as usize - 1);
            let keep: Experts = order.iter().map(|&i| 1 << i).sum();
            self.shadows.retire(self.live & !keep);
            loop {
                self.challenger = (self.challenger + 1) % EXPERTS.len();
                if keep & 1 << self.challenger == 0 {
                    break;
                }
            }
            self.shadows.revive(self.challenger, self.ruling);
            self.scores[self.challenger] = self.scores[self.ruling] * (1.0 - self.k.hyst);
            self.live = keep | 1 << self.challenger;
        }
    }
}

impl Default for Guard {
    fn default() -> Self {
        Guard::new()
    }
}

#[inline]
fn sample_of(hash: u64) -> u64 {
    (hash >> 14) & (WHOLE - 1)
}

impl Chooser for Guard {
    #[inline]
    fn ruling(&self) -> Expert {
        EXPERTS[self.ruling]
    }

    fn set_capacity(&mut self, capacity: u64) {
        *self = Guard::new();
        self.capacity = capacity;
        self.shadows = Shadows::new(&EXPERTS, capacity);
    }

    #[inline]
    fn observe(
        &mut self,
        access: &Access,
        history: &History,
        learner: &Learner,
        _residents: u32,
    ) -> bool {
        if sample_of(access.hash) >= self.threshold {
            return false;
        }
        let mut hits = self.shadows.access(access, history, self.live, learner);
        self.sampled += 1;
        self.gain *= 1.0 + 1.0 / self.k.win.min((self.sampled as f32 / 2.0).max(2000.0));
        while hits != 0 {
            self.scores[hits.trailing_zeros() as usize] += self.gain;
            hits &= hits - 1;
        }
        if self.sampled % 64 == 0 {
            self.tend();
            let best = if self.k.fix >= 0.0 { self.k.fix as usize } else { self.best() };
            if best != self.ruling {
                self.ruling = best;
                return true;
            }
        }
        false
    }

    fn memory_bytes(&self) -> usize {
        self.shadows.memory_bytes()
    }
}
