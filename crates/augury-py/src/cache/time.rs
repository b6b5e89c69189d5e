//! The time of a cache: the system's monotonic clock, or what the caller's timer says.
//!
//! The system's is read at the kernel's own granularity (CLOCK_MONOTONIC_COARSE, 1 to 10 ms): a
//! quarter of the price, and an entry outlives its deadline by no more than that. A timer of the caller is
//! asked before an operation, under no lock, and its latest answer is the time within it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use augury_core::clock::{Clock, Millis};
use pyo3::prelude::*;
use rustix::time::{ClockId, clock_gettime};

use super::Object;

/// See the module's head.
pub(super) enum Time {
    System,
    Told { timer: Object, latest: AtomicU64 },
}

impl Time {
    pub(super) fn new(timer: Option<Object>) -> Self {
        match timer {
            None => Time::System,
            Some(timer) => Time::Told { timer, latest: AtomicU64::new(0) },
        }
    }

    /// Before an operation.
    #[inline]
    pub(super) fn ask(&self, py: Python<'_>) -> PyResult<()> {
        match self {
            Time::System => Ok(()),
            Time::Told { timer, latest } => {
                let seconds: f64 = timer.bind(py).call0()?.extract()?;
                latest.fetch_max((seconds.max(0.0) * 1e3) as u64, Ordering::Relaxed);
                Ok(())
            }
        }
    }

    /// What the collector is shown.
    pub(super) fn timer(&self) -> Option<&Object> {
        match self {
            Time::System => None,
            Time::Told { timer, .. } => Some(timer),
        }
    }

    #[inline]
    pub(super) fn now(&self) -> Millis {
        match self {
            Time::System => {
                let now = clock_gettime(ClockId::MonotonicCoarse);
                now.tv_sec as u64 * 1_000 + now.tv_nsec as u64 / 1_000_000
            }
            Time::Told { latest, .. } => latest.load(Ordering::Relaxed),
        }
    }
}

/// As the engine holds it.
pub(super) struct Shared(pub(super) Arc<Time>);

impl Clock for Shared {
    #[inline]
    fn now(&self) -> Millis {
        self.0.now()
    }
}
