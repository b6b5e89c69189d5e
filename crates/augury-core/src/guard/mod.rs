//! The guard: which expert rules is decided by what each would have hit.

mod shadows;

use self::shadows::{Experts, Shadows};
use crate::history::History;
use crate::policy::learner::Learner;
use crate::policy::ranking::RankingId;
use crate::policy::sampled::{Chooser, Expert, Sampled};
use crate::request::Access;

/// The default policy.
pub type Auto = Sampled<Guard>;

/// See the module's head.
#[derive(Debug)]
pub struct Guard {
    experts: Vec<Expert>,
    names: Vec<&'static str>,
    shadows: Shadows,
    scores: Vec<f32>,
    gain: f32,
    live: Experts,
    ruling: usize,
    threshold: u64,
    seed: u64,
    capacity: u64,
    fixed: Option<usize>,
    sht: f64,
    win: f32,
    hyst: f32,
}

fn env(name: &str, default: f64) -> f64 {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}

impl Guard {
    /// A guard.
    pub fn new(seed: u64) -> Self {
        let mut experts = Vec::new();
        let mut names = Vec::new();
        let only = std::env::var("EXP").ok();
        for (i, &ranking) in RankingId::ALL.iter().enumerate() {
            for admission in [false, true] {
                let code = format!("{}{}", i, if admission { "a" } else { "" });
                if only.as_ref().is_some_and(|o| !o.split(',').any(|c| c == code)) {
                    continue;
                }
                experts.push(Expert { ranking, admission });
                names.push(&*Box::leak(
                    format!("{}{}", ranking.name(), if admission { "+" } else { "" })
                        .into_boxed_str(),
                ));
            }
        }
        let count = experts.len();
        let fixed = (count == 1).then_some(0);
        Guard {
            shadows: Shadows::new(&[], 0, 0),
            scores: vec![0.0; count],
            gain: 1.0,
            live: ((1u64 << count) - 1) as u32,
            ruling: 0,
            threshold: 0,
            seed,
            capacity: 0,
            experts,
            names,
            fixed,
            sht: env("SHT", 2000.0),
            win: env("WIN", 20000.0) as f32,
            hyst: env("HYST", 0.005) as f32,
        }
    }
}

impl Chooser for Guard {
    fn ruling(&self) -> Expert {
        self.experts[self.ruling]
    }

    fn ruling_name(&self) -> &'static str {
        self.names[self.ruling]
    }

    fn set_capacity(&mut self, capacity: u64) {
        self.capacity = capacity;
        let objects = capacity as f64 / env("MEAN", 1.0);
        let ratio = (self.sht / objects).min(1.0);
        self.threshold = (ratio * 4294967296.0) as u64;
        self.shadows = Shadows::new(&self.experts, (capacity as f64 * ratio) as u64, self.seed);
    }

    fn observe(&mut self, access: &Access, history: &History, learner: &Learner, _residents: u32) {
        if self.fixed.is_some() || (access.hash >> 20) & 0xffff_ffff >= self.threshold {
            return;
        }
        let mut hits = self.shadows.access(access, history, self.live, learner);
        self.gain *= 1.0 + 1.0 / self.win;
        while hits != 0 {
            self.scores[hits.trailing_zeros() as usize] += self.gain;
            hits &= hits - 1;
        }
        if self.gain > 1e12 {
            self.scores.iter_mut().for_each(|s| *s /= self.gain);
            self.gain = 1.0;
        }
        let mut best = self.ruling;
        for (i, s) in self.scores.iter().enumerate() {
            if *s > self.scores[best] * (1.0 + self.hyst) + 0.5 * self.gain {
                best = i;
            }
        }
        self.ruling = best;
    }

    fn memory_bytes(&self) -> usize {
        self.shadows.memory_bytes()
    }
}
