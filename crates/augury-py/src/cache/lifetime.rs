//! Predicted TTLs: what is stored with no TTL said gets one by how often its like has changed.
//!
//! `augury_core::expiry` decides; here a value becomes a fingerprint, by a Python function that is
//! called under no lock, and what was stored is told. What was declined is forgotten again.

use std::sync::{Mutex, MutexGuard, PoisonError};

use augury_core::cache::Outcome;
use augury_core::expiry::{Bounds, Foretold, Lifetimes, Seen};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::key::Asked;
use super::{Cache, Inner, Manner, Object};
use crate::errors;

/// Keys remembered at most.
const KEYS: usize = 65_536;

/// See the module's head.
pub(super) struct Prediction {
    lifetimes: Mutex<Lifetimes>,
    /// A number for a value, equal for equal ones; none where there is none.
    fingerprint: Object,
}

impl Prediction {
    fn lock(&self) -> MutexGuard<'_, Lifetimes> {
        self.lifetimes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the collector is shown.
    pub(super) fn fingerprint(&self) -> &Object {
        &self.fingerprint
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.lock().memory_bytes()
    }

    #[cold]
    fn foretell(
        &self,
        inner: &Inner,
        asked: Asked<'_, '_>,
        value: &Bound<'_, PyAny>,
        namespace: u16,
    ) -> PyResult<Foretold> {
        let told = self.fingerprint.bind(value.py()).call1((value,))?;
        let fingerprint = told.extract::<Option<i64>>()?.map(|number| number as u64);
        let seen = Seen { hash: asked.hash, fingerprint, namespace, now: inner.time.now() };
        Ok(self.lock().foretell(&seen))
    }
}

impl Inner {
    /// How a value is to be stored, with the TTL that is predicted for it, where TTLs are and none
    /// is said.
    #[inline]
    pub(super) fn foretold<'a, 'py>(
        &self,
        asked: Asked<'_, '_>,
        value: &Bound<'_, PyAny>,
        manner: Manner<'a, 'py>,
    ) -> PyResult<(Manner<'a, 'py>, Option<Foretold>)> {
        let Some(prediction) = self.prediction.get().filter(|_| manner.ttl.is_none()) else {
            return Ok((manner, None));
        };
        let foretold = prediction.foretell(self, asked, value, manner.namespace)?;
        let ttl = Some(foretold.ttl as f64 / 1e3);
        Ok((Manner { ttl, ..manner }, Some(foretold)))
    }

    /// What has become of it.
    #[inline]
    pub(super) fn came_true(&self, foretold: Option<Foretold>, outcome: Outcome) {
        if let (Some(prediction), Some(foretold)) = (self.prediction.get(), foretold)
            && outcome != Outcome::Declined
        {
            prediction.lock().keep(&foretold);
        }
    }
}

#[pymethods]
impl Cache {
    /// Predicts TTLs from now on, between these seconds, so that answers are stale with this chance.
    /// `fingerprint` is called with a value.
    fn predict_with(
        &self,
        fingerprint: Object,
        low: f64,
        high: f64,
        staleness: f64,
    ) -> PyResult<()> {
        let [low, high] = [low, high].map(|seconds| (seconds * 1e3).ceil().max(1.0) as u64);
        let lifetimes = Lifetimes::new(Bounds { low, high, staleness }, KEYS);
        let prediction = Prediction { lifetimes: Mutex::new(lifetimes), fingerprint };
        self.inner()?.prediction.set(Box::new(prediction)).map_err(|_| errors::of_second_start())
    }

    /// What was seen of changes; none where TTLs are not predicted.
    fn lifetime_counts<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let Some(prediction) = self.inner()?.prediction.get() else { return Ok(None) };
        let lifetimes = prediction.lock();
        let (counts, keys) = (lifetimes.counts(), lifetimes.len());
        drop(lifetimes);
        let told = PyDict::new(py);
        told.set_item("stored", counts.stored)?;
        told.set_item("compared", counts.looks)?;
        told.set_item("changed", counts.changed)?;
        told.set_item("unreadable", counts.unreadable)?;
        told.set_item("seconds", counts.ttls as f64 / 1e3)?;
        told.set_item("keys", keys)?;
        Ok(Some(told))
    }
}
