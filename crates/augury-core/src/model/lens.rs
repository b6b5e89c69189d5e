//! What a decision sees besides histories and sizes.

use super::predictor::Predictor;
use super::survival::Survival;

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
}

impl<'a> Lens<'a> {
    /// What rankings may read where no trained model is loaded.
    pub fn new(now: u32, model: &'a Survival, cooling: f32) -> Self {
        Lens { now, model, cooling, predictor: None }
    }
}
