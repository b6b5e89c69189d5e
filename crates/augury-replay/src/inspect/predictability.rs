//! Is there anything to learn? Prequential log loss of survival against memoryless estimates.
//!
//! A *decision* is what an eviction asks: of an object that has not been requested for a while,
//! will it be requested within T requests? Decisions are sampled at random moments from the
//! objects requested within the last 2T, each of them equally likely: the residents of a cache
//! that keeps objects for about 2T. Each is judged with the tables as they were learned from
//! decisions whose horizon had passed: nothing is known before its time, and nothing is trained
//! on and then tested. Decisions of the last T requests have no known outcome and are left out
//! whole, those answered early too, so that the end of the trace favours neither answer.
//!
//! Sampling is dense at first and thins out as decisions accumulate, so that short traces teach
//! enough and long ones cost little; losses are weighted by what each decision stands for.
//! Horizons of every power of two run at once, so that a loop shows within a factor of three of
//! its length; those below n/1024 or above n/8 are of no use to a cache of this trace and are
//! dropped. Any operation counts as a request.

use std::collections::VecDeque;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use serde::Serialize;

use super::census::Census;
use super::experts::{Experts, Forecast, Past};

/// Horizons in requests, as powers of two.
const HORIZONS: std::ops::RangeInclusive<u32> = 8..=20;
/// Requests remembered for sampling: 2T of the largest horizon.
const WINDOW: usize = 1 << 21;
/// Most decisions that wait for their outcome, per horizon.
const WAITING: f64 = 16_384.0;
/// Most samples per request, per horizon.
const RATE: f64 = 0.5;
/// After twice this many decisions the rate falls, in inverse proportion to their number.
const PLENTY: f64 = 32_768.0;
/// Horizons below this part of the trace are dropped.
const SHORTEST: u64 = 1024;
/// Horizons above this part of the trace are dropped.
const LONGEST: u64 = 8;
/// Fewer decisions than this say nothing.
const ENOUGH: u64 = 500;

/// How well reuse within one horizon is foretold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HorizonSkill {
    /// T, in requests.
    pub horizon: u64,
    /// Decisions judged.
    pub decisions: u64,
    /// Share of them that were requested again in time.
    pub again_ratio: f64,
    /// Mean log loss of the memoryless estimate, in bits per decision.
    pub memoryless_bits: f64,
    /// Mean log loss of the survival estimate, in bits per decision.
    pub survival_bits: f64,
    /// 1 - survival / memoryless.
    pub skill: f64,
}

struct Decision {
    moment: u64,
    object: u32,
    forecast: Forecast,
    weight: f64,
}

struct Horizon {
    length: u64,
    waiting: VecDeque<Decision>,
    experts: Experts,
    decisions: u64,
    weight: f64,
    again: f64,
    memoryless: f64,
    survival: f64,
}

impl Horizon {
    fn new(length: u64) -> Self {
        Horizon {
            length,
            waiting: VecDeque::new(),
            experts: Experts::new(),
            decisions: 0,
            weight: 0.0,
            again: 0.0,
            memoryless: 0.0,
            survival: 0.0,
        }
    }

    /// Samples per request at present.
    fn rate(&self) -> f64 {
        RATE.min(WAITING / self.length as f64).min(PLENTY / self.decisions.max(1) as f64)
    }

    /// Judges the decisions whose horizon has passed.
    fn settle(&mut self, now: u64, census: &Census) {
        while let Some(decision) =
            self.waiting.pop_front_if(|decision| decision.moment + self.length <= now)
        {
            let again = census.object(decision.object).last > decision.moment;
            let loss = self.experts.judge(decision.forecast, again);
            self.decisions += 1;
            self.weight += decision.weight;
            self.again += decision.weight * f64::from(again);
            self.memoryless += decision.weight * loss.memoryless;
            self.survival += decision.weight * loss.survival;
        }
    }

    fn result(&self) -> Option<HorizonSkill> {
        (self.decisions >= ENOUGH).then(|| HorizonSkill {
            horizon: self.length,
            decisions: self.decisions,
            again_ratio: self.again / self.weight,
            memoryless_bits: self.memoryless / self.weight,
            survival_bits: self.survival / self.weight,
            skill: 1.0 - self.survival / self.memoryless,
        })
    }
}

/// Samples and judges decisions along one pass.
pub(crate) struct Sampler {
    random: Pcg64,
    recent: Vec<u32>,
    horizons: Vec<Horizon>,
}

impl Sampler {
    pub(crate) fn new() -> Self {
        Sampler {
            random: Pcg64::seed_from_u64(0),
            recent: Vec::new(),
            horizons: HORIZONS.map(|power| Horizon::new(1 << power)).collect(),
        }
    }

    /// Takes note that request `index` was for `object`, already counted in the census.
    pub(crate) fn observe(&mut self, index: u64, object: u32, census: &Census) {
        self.horizons.retain(|horizon| horizon.length >= index / SHORTEST);
        for horizon in &mut self.horizons {
            horizon.settle(index, census);
        }
        let place = index as usize % WINDOW;
        if place == self.recent.len() {
            self.recent.push(object);
        } else {
            self.recent[place] = object;
        }
        let chance = self.random.random::<f64>();
        for horizon in &mut self.horizons {
            // One draw serves all horizons: their rates differ, their decisions are judged apart.
            let rate = horizon.rate();
            if chance >= rate || index < 2 * horizon.length {
                continue;
            }
            let age = self.random.random_range(0..2 * horizon.length);
            let object = self.recent[(index - age) as usize % WINDOW];
            let seen = census.object(object);
            // An object requested since is found at its last request only: each counts once.
            if seen.last == index - age {
                let past = Past { count: seen.count, now: index, age, reuse_time: seen.reuse_time };
                let forecast = Forecast::of(past);
                horizon.waiting.push_back(Decision {
                    moment: index,
                    object,
                    forecast,
                    weight: 1.0 / rate,
                });
            }
        }
    }

    /// The horizons that matter for a trace of this many requests.
    pub(crate) fn results(&self, requests: u64) -> Vec<HorizonSkill> {
        let matters =
            |one: &&Horizon| one.length >= requests / SHORTEST && one.length <= requests / LONGEST;
        self.horizons.iter().filter(matters).filter_map(Horizon::result).collect()
    }
}
