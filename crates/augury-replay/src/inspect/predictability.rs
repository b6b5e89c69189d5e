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
//! Horizons of every power of two run at once: a loop shows within a factor of three of its length. The verdict pools those that a cache of this
//! trace would have: from n/1024 to n/8.

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
const WAITING: f64 = 8192.0;
/// Most decisions per request, per horizon.
const RATE: f64 = 0.125;
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
}

struct Horizon {
    length: u64,
    rate: f64,
    waiting: VecDeque<Decision>,
    experts: Experts,
    decisions: u64,
    again: u64,
    memoryless: f64,
    survival: f64,
}

impl Horizon {
    fn new(length: u64) -> Self {
        Horizon {
            length,
            rate: RATE.min(WAITING / length as f64),
            waiting: VecDeque::new(),
            experts: Experts::new(),
            decisions: 0,
            again: 0,
            memoryless: 0.0,
            survival: 0.0,
        }
    }

    /// Judges the decisions whose horizon has passed.
    fn settle(&mut self, now: u64, census: &Census) {
        while let Some(decision) =
            self.waiting.pop_front_if(|decision| decision.moment + self.length <= now)
        {
            let again = census.object(decision.object).last > decision.moment;
            let loss = self.experts.judge(decision.forecast, again);
            self.decisions += 1;
            self.again += u64::from(again);
            self.memoryless += loss.memoryless;
            self.survival += loss.survival;
        }
    }

    fn result(&self) -> Option<HorizonSkill> {
        let decisions = self.decisions as f64;
        (self.decisions >= ENOUGH).then(|| HorizonSkill {
            horizon: self.length,
            decisions: self.decisions,
            again_ratio: self.again as f64 / decisions,
            memoryless_bits: self.memoryless / decisions,
            survival_bits: self.survival / decisions,
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
            if chance >= horizon.rate || index < 2 * horizon.length {
                continue;
            }
            let age = self.random.random_range(0..2 * horizon.length);
            let object = self.recent[(index - age) as usize % WINDOW];
            let seen = census.object(object);
            // An object requested since is found at its last request only: each counts once.
            if seen.last == index - age {
                let past = Past { count: seen.count, now: index, age, reuse_time: seen.reuse_time };
                let forecast = Forecast::of(past);
                horizon.waiting.push_back(Decision { moment: index, object, forecast });
            }
        }
    }

    /// The horizons with enough decisions.
    pub(crate) fn results(&self) -> Vec<HorizonSkill> {
        self.horizons.iter().filter_map(Horizon::result).collect()
    }
}
