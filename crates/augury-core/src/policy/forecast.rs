//! When an object is expected to be asked for again: what the policy at work has learned of it.

use super::sampled::Expert;
use crate::history::History;
use crate::model::predictor::Meaning;
use crate::model::survival::Outlook;

/// What a trained model says of an object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// A probability, or the logarithm of a wait.
    pub answer: f64,
    /// Which of them.
    pub meaning: Meaning,
}

/// See the module's head.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// Who rules.
    pub ruling: Expert,
    /// What is remembered of the object, and requests since it was asked for.
    pub history: History,
    /// See `history`.
    pub age: u32,
    /// What the survival table expects, once it has learned.
    pub outlook: Option<Outlook>,
    /// What the trained model says, where one is loaded.
    pub prediction: Option<Prediction>,
}

/// How an expert's shadow does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shadow {
    /// Who.
    pub expert: Expert,
    /// Whether it runs at present.
    pub is_live: bool,
    /// Hits lately, as a share of the best's: what the guard goes by.
    pub standing: f32,
    /// Hits per sampled request since it came to life last; none where it has seen no request.
    pub hit_ratio: Option<f32>,
}

/// The shadows of all experts.
#[derive(Debug, Clone, PartialEq)]
pub struct Shadowing {
    /// Share of the objects that they see.
    pub ratio: f32,
    /// Each expert.
    pub shadows: Vec<Shadow>,
}
