//! Whether and how a replay prefetches: a budget, and a predictor by name.

use std::fmt;
use std::str::FromStr;

use augury_core::prefetch::predictor::Predictor;
use augury_core::prefetch::successor::Successor;

use super::error::ReplayError;

/// How a cache prefetches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PrefetchSpec {
    /// Requests to the origin that may be added, as a share of those without prefetch.
    pub budget: f64,
    /// Who predicts.
    pub predictor: PredictorName,
}

/// The predictors that a replay knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum PredictorName {
    Successor,
}

impl PredictorName {
    /// All of them, the default first.
    pub const ALL: [PredictorName; 1] = [PredictorName::Successor];

    /// The name as users write it.
    pub const fn name(self) -> &'static str {
        match self {
            PredictorName::Successor => "successor",
        }
    }

    pub(super) fn list() -> String {
        Self::ALL.map(PredictorName::name).join(", ")
    }

    /// Makes the predictor.
    pub(super) fn build(self) -> Box<dyn Predictor + Send> {
        match self {
            PredictorName::Successor => Box::new(Successor::default()),
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
