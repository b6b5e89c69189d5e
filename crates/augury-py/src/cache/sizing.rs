//! Capacities: what others would give, and a look at them now and then for a cache that sizes itself.
//!
//! There is no thread for it. Whoever stores something when the time has come calls the package's
//! decision, under no lock; others who come at the same time pass by.

use std::sync::atomic::{AtomicU64, Ordering};

use augury_core::clock::Millis;
use pyo3::prelude::*;

use super::{Cache, Object};
use crate::errors;

/// A decision to be called every so many milliseconds.
pub(super) struct Sizing {
    decide: Object,
    every: Millis,
    next: AtomicU64,
}

impl Sizing {
    /// What is called.
    pub(super) fn decide(&self) -> &Object {
        &self.decide
    }

    /// After something was stored. What the decision raises is reported as unraisable: it is not
    /// the fault of whoever stores.
    #[inline]
    pub(super) fn tend(&self, py: Python<'_>, now: Millis) {
        let next = self.next.load(Ordering::Relaxed);
        if now >= next {
            self.decide_at(py, next, now);
        }
    }

    #[cold]
    fn decide_at(&self, py: Python<'_>, next: Millis, now: Millis) {
        let later = now.saturating_add(self.every);
        let (order, failed) = (Ordering::Relaxed, Ordering::Relaxed);
        if self.next.compare_exchange(next, later, order, failed).is_ok()
            && let Err(error) = self.decide.bind(py).call0()
        {
            error.write_unraisable(py, Some(self.decide.bind(py)));
        }
    }
}

#[pymethods]
impl Cache {
    /// Capacities, and the miss ratios of the policy and of LRU there; none where they are not
    /// measured, or nothing has been asked for yet.
    fn curve_points(&self) -> PyResult<Option<Vec<(u64, f64, f64)>>> {
        let points = self.inner()?.engine.curve();
        let told = |points: [augury_core::curve::CurvePoint; 4]| {
            points.map(|point| (point.capacity, point.miss_ratio, point.lru_miss_ratio)).to_vec()
        };
        Ok(points.map(told))
    }

    /// Seconds on the cache's clock.
    fn seconds(&self, py: Python<'_>) -> PyResult<f64> {
        let inner = self.inner()?;
        inner.time.ask(py)?;
        Ok(inner.time.now() as f64 / 1e3)
    }

    /// Calls this function every so many seconds from now on, when something is stored.
    fn size_with(&self, decide: Object, seconds: f64) -> PyResult<()> {
        let inner = self.inner()?;
        let every = (seconds * 1e3).ceil() as Millis;
        let next = AtomicU64::new(inner.time.now().saturating_add(every));
        let sizing = Sizing { decide, every, next };
        inner.sizing.set(sizing).map_err(|_| errors::of_second_start())
    }
}
