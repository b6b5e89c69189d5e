//! What a decision sees besides histories and sizes.

use super::costs::Costs;
use super::lanes::Lanes;
use super::predictor::Predictor;
use super::seasons::{Expectation, Seasons};
use super::survival::Survival;
use crate::history::{History, halvings};

/// Time and what has been learned, for rankings and feature rows.
pub struct Lens<'a> {
    /// The present tick, cut to 32 bits.
    pub now: u32,
    /// The survival table.
    pub model: &'a Survival,
    /// Reciprocal of the heat's half-life in requests.
    pub cooling: f32,
    /// The trained model, where there is one.
    pub predictor: Option<&'a Predictor>,
    /// The rhythms of namespaces, where any has one.
    pub seasons: Option<&'a Seasons>,
    /// What misses cost, where somebody has measured it.
    pub costs: Option<&'a Costs>,
}

pub use super::lanes::LANES;

impl<'a> Lens<'a> {
    /// What rankings may read where no trained model is loaded.
    pub fn new(now: u32, model: &'a Survival, cooling: f32) -> Self {
        Lens { now, model, cooling, predictor: None, seasons: None, costs: None }
    }

    /// A score with what a miss of the object costs.
    #[inline]
    pub fn weigh(&self, score: f32, history: &History) -> f32 {
        self.costs.map_or(score, |costs| costs.weigh(score, history))
    }

    /// The decayed count now.
    #[inline]
    pub fn heat(&self, history: &History) -> f32 {
        history.heat() * halvings(history.age(self.now) as f32 * self.cooling)
    }

    /// As [`Lens::heat`], of several.
    #[inline(always)]
    pub fn heats(&self, histories: &[History; LANES]) -> [f32; LANES] {
        Lanes::of(self.now, self.cooling, histories).heats
    }

    /// The densities and the decayed counts of several.
    #[inline(always)]
    pub fn densities_and_heats(
        &self,
        histories: &[History; LANES],
    ) -> ([f32; LANES], [f32; LANES]) {
        let Lanes { ages, heats } = Lanes::of(self.now, self.cooling, histories);
        let mut densities = [0.0; LANES];
        for at in 0..LANES {
            densities[at] = self.model.density_at(histories[at].class(), ages[at]);
        }
        (densities, heats)
    }

    /// What all requests, decayed likewise, come to.
    pub fn whole(&self) -> f32 {
        // The sum of 2^-(cooling * age) over all ages.
        1.0 / (1.0 - (-self.cooling).exp2())
    }

    /// What the rhythm of its namespace lets expect of an object, where any has one.
    #[inline]
    pub fn expect(&self, history: &History) -> Option<Expectation> {
        self.seasons.map(|seasons| seasons.expect(history, self.heat(history)))
    }

    /// How much more or less than its history promises an object is worth at this time of the
    /// day: 1 where its namespace has no rhythm.
    #[inline]
    pub fn season(&self, history: &History) -> f32 {
        self.expect(history).map_or(1.0, |expected| expected.factor)
    }
}
