//! Whether and how a replay prefetches: a budget, and a predictor by name or trained.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use augury_core::prefetch::mithril::Mithril;
use augury_core::prefetch::predictor::Predictor;
use augury_core::prefetch::sequence::{Sequence, SequenceModel};
use augury_core::prefetch::successor::Successor;

use super::error::ReplayError;

/// The largest budget: ten requests to the origin for each one without prefetch.
pub(super) const MOST_BUDGET: f64 = 10.0;

/// How a cache prefetches.
#[derive(Debug, Clone, PartialEq)]
pub struct PrefetchSpec {
    /// Requests to the origin that may be added, as a share of those without prefetch.
    pub budget: f64,
    /// Who predicts.
    pub predictor: PredictorSpec,
}

/// Who predicts: one that learns while it runs, or one that was trained before.
#[derive(Debug, Clone, PartialEq)]
pub enum PredictorSpec {
    /// At work from the first request on.
    Named(PredictorName),
    /// Comes in when counting begins, as trained models do.
    Trained(Arc<SequenceModel>),
}

impl PredictorSpec {
    /// Makes the predictor.
    pub(super) fn build(&self) -> Box<dyn Predictor + Send + Sync> {
        match self {
            PredictorSpec::Named(name) => name.build(),
            PredictorSpec::Trained(model) => Box::new(Sequence::new(model.clone())),
        }
    }
}

impl From<PredictorName> for PredictorSpec {
    fn from(name: PredictorName) -> Self {
        PredictorSpec::Named(name)
    }
}

impl PrefetchSpec {
    /// Checks the budget: a share from 0 to [`MOST_BUDGET`].
    pub fn new(budget: f64, predictor: impl Into<PredictorSpec>) -> Result<Self, ReplayError> {
        if (0.0..=MOST_BUDGET).contains(&budget) {
            Ok(PrefetchSpec { budget, predictor: predictor.into() })
        } else {
            Err(ReplayError::Budget { given: budget })
        }
    }
}

/// The predictors that a replay knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum PredictorName {
    Successor,
    Mithril,
}

impl PredictorName {
    /// All of them, the default first.
    pub const ALL: [PredictorName; 2] = [PredictorName::Successor, PredictorName::Mithril];

    /// The name as users write it.
    pub const fn name(self) -> &'static str {
        match self {
            PredictorName::Successor => "successor",
            PredictorName::Mithril => "mithril",
        }
    }

    pub(super) fn list() -> String {
        Self::ALL.map(PredictorName::name).join(", ")
    }

    /// Makes the predictor.
    pub fn build(self) -> Box<dyn Predictor + Send + Sync> {
        match self {
            PredictorName::Successor => Box::new(Successor::default()),
            PredictorName::Mithril => Box::new(Mithril::default()),
        }
    }
}

impl FromStr for PredictorName {
    type Err = ReplayError;

    fn from_str(given: &str) -> Result<Self, ReplayError> {
        let wanted = given.trim();
        Self::ALL
            .into_iter()
            .find(|predictor| predictor.name().eq_ignore_ascii_case(wanted))
            .ok_or_else(|| ReplayError::Predictor { given: given.to_owned() })
    }
}

impl fmt::Display for PredictorName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}
