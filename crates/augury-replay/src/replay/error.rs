//! What can go wrong when a replay is asked for.

use super::policy::PolicyName;
use super::prefetch::{MOST_BUDGET, PredictorName};
use crate::trace::TraceError;

/// Errors of the laboratory; every message names the value, the limit and the way out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// A capacity that cannot be used.
    #[error("capacity {given:?} {reason}; write 1%, 1000, 64MB or 64MiB")]
    Capacity {
        /// As it was written.
        given: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No policy of this name.
    #[error("there is no policy {given:?}; the policies are {}", PolicyName::list())]
    Policy {
        /// As it was written.
        given: String,
    },
    /// A budget that cannot be.
    #[error(
        "prefetch budget {given} is not a share from 0 to {MOST_BUDGET} of the requests to the \
         origin; write 0.1 for 10% more"
    )]
    Budget {
        /// As it was given.
        given: f64,
    },
    /// No predictor of this name.
    #[error("there is no prefetcher {given:?}; the prefetchers are {}", PredictorName::list())]
    Predictor {
        /// As it was written.
        given: String,
    },
    /// No contender of this name.
    #[error("there is no way to refresh called {given:?}; there are {expected}")]
    Refresher {
        /// As it was written.
        given: String,
        /// Those there are.
        expected: String,
    },
    /// A parameter of a contender that cannot be.
    #[error("parameter {given} of a way to refresh is not a number from 0 to 1e9")]
    RefreshParameter {
        /// As it was given.
        given: f64,
    },
    /// An oracle without the future.
    #[error(
        "policy {policy} needs the next access of every request, which {trace} does not carry \
         when it is streamed; convert it to oracleGeneral or replay it from memory"
    )]
    NoFuture {
        /// The policy.
        policy: &'static str,
        /// The trace's name.
        trace: String,
    },
    /// The trace could not be read.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The caller asked to stop.
    #[error("the replay was stopped")]
    Stopped,
}

impl ReplayError {
    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            ReplayError::Capacity { .. } => "capacity",
            ReplayError::Policy { .. } => "policy",
            ReplayError::Budget { .. } => "budget",
            ReplayError::Predictor { .. } => "predictor",
            ReplayError::Refresher { .. } => "refresher",
            ReplayError::RefreshParameter { .. } => "refresh_parameter",
            ReplayError::NoFuture { .. } => "no_future",
            ReplayError::Trace(error) => error.code(),
            ReplayError::Stopped => "stopped",
        }
    }
}
