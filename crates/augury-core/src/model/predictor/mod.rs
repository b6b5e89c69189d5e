//! Predictors: trained models, as the engine asks them.
//!
//! An estimator trains in Python; what it has learned comes here as an
//! [`artifact`](crate::artifact) and answers one question from one
//! [feature row](crate::model::features): how likely, or how soon, is the next access? Answers equal the
//! training library's to 1e-6, allocate nothing and end after a number of steps known beforehand.
//!
//! This module must not know files, policies or caches.

mod network;
mod table;
mod trees;

pub use network::{Activation, Layer, Network};
pub use table::{Axis, Table};
pub use trees::{Node, Trees};

use crate::model::features::Row;

/// What is wrong with the parts a predictor is to be made of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);

pub(crate) fn malformed<T>(word: impl Into<String>) -> Result<T, Malformed> {
    Err(Malformed(word.into()))
}

/// How the sum that a model comes to becomes its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// As it is.
    Identity,
    /// The logistic function: log odds to a probability.
    Logistic,
}

impl Link {
    #[inline]
    fn apply(self, sum: f64) -> f64 {
        match self {
            Link::Identity => sum,
            Link::Logistic => 1.0 / (1.0 + (-sum).exp()),
        }
    }
}

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Meaning {
    /// Probability of an access within a horizon.
    Probability,
    /// Log to base 2 of 1 + requests until the next access.
    LogWait,
}

/// The kinds of model.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// Sums or means of decision trees.
    Trees(Trees),
    /// Layers of neurons; logistic regression is one with no hidden layer.
    Network(Network),
    /// One value per cell of binned features.
    Table(Table),
}

/// A trained model.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictor {
    /// What it consists of.
    pub form: Form,
    /// From its sum to its answer.
    pub link: Link,
    /// What its answer means.
    pub meaning: Meaning,
    /// Whether it lowered the miss ratio when it was evaluated: it is tried at once where it is
    /// loaded.
    pub is_proven: bool,
}

impl Predictor {
    /// The model's answer for one row.
    #[inline]
    pub fn predict(&self, row: &Row) -> f64 {
        let sum = match &self.form {
            Form::Trees(trees) => trees.sum(row),
            Form::Network(network) => network.sum(row),
            Form::Table(table) => table.value(row),
        };
        self.link.apply(sum)
    }

    /// How much an object of this row is worth keeping: a probability, or the reciprocal of a
    /// wait; 0 where the answer is not a number.
    #[inline]
    pub fn worth(&self, row: &Row) -> f32 {
        let answer = self.predict(row) as f32;
        let worth = match self.meaning {
            Meaning::Probability => answer,
            Meaning::LogWait => (-answer).exp2(),
        };
        if worth.is_nan() { 0.0 } else { worth }
    }

    /// Steps per answer: comparisons, multiplications and look-ups, about a nanosecond each.
    pub fn steps(&self) -> u64 {
        match &self.form {
            Form::Trees(trees) => trees.steps(),
            Form::Network(network) => network.steps(),
            Form::Table(table) => table.steps(),
        }
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        match &self.form {
            Form::Trees(trees) => trees.memory_bytes(),
            Form::Network(network) => network.memory_bytes(),
            Form::Table(table) => table.memory_bytes(),
        }
    }
}
