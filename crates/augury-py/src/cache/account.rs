//! What a cache says of itself, and what learning needs of it.

use std::sync::atomic::Ordering;

use augury_core::cache::Gone;
use augury_core::metrics::Stats;
use augury_core::model::costs::Costs;
use augury_replay::dataset::Dataset;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::key::Asked;
use super::{Cache, Object};
use crate::artifact::Artifact;
use crate::{dataset, errors, explain};

#[pymethods]
impl Cache {
    #[getter]
    fn capacity(&self) -> PyResult<u64> {
        Ok(self.inner()?.engine.capacity())
    }

    /// Sum of the sizes.
    #[getter]
    fn used(&self) -> PyResult<u64> {
        Ok(self.inner()?.engines().map(|engine| engine.used()).sum())
    }

    #[getter]
    fn memory_bytes(&self) -> PyResult<usize> {
        let inner = self.inner()?;
        let ahead = inner.ahead.get().map_or(0, |ahead| ahead.memory_bytes());
        let renewal = inner.renewal.get().map_or(0, |renewal| renewal.memory_bytes());
        let prediction = inner.prediction.get().map_or(0, |prediction| prediction.memory_bytes());
        let engines: usize = inner.engines().map(|engine| engine.memory_bytes()).sum();
        Ok(engines + ahead + renewal + prediction)
    }

    /// The TTL of entries of which nothing else is said, in seconds.
    #[getter]
    fn ttl(&self) -> PyResult<Option<f64>> {
        Ok(self.inner()?.life.ttl())
    }

    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let inner = self.inner()?;
        let (mut stats, told) = (Stats::default(), PyDict::new(py));
        inner.engines().for_each(|engine| stats.add(&engine.stats()));
        let turned = inner.turned.load(Ordering::Relaxed);
        let foreseen = inner.foreseen.load(Ordering::Relaxed);
        told.set_item("hits", (stats.hits + foreseen).saturating_sub(turned))?;
        told.set_item("misses", (stats.misses + turned).saturating_sub(foreseen))?;
        let transfers = inner.transfers.load(Ordering::Relaxed);
        told.set_item("insertions", stats.insertions.saturating_sub(transfers))?;
        told.set_item("evictions", stats.evicted)?;
        told.set_item("rejections", stats.rejections + stats.oversized)?;
        told.set_item("expired", stats.expired)?;
        Ok(told)
    }

    /// Why the key is, or is not, resident.
    fn explanation<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
        let (inner, mut left) = (self.inner()?, Gone::new());
        inner.time.ask(key.py())?;
        let found = inner.engine.explain(Asked::new(key)?, &mut left).map_err(|error| *error)?;
        inner.tell(key.py(), left);
        let found = found.ok_or_else(errors::of_unexplained)?;
        explain::explanation(key.py(), &found)
    }

    fn set_model(&self, py: Python<'_>, model: Option<&Artifact>) -> PyResult<()> {
        let inner = self.inner()?;
        let predictor = model.map(|model| model.serving.clone());
        py.detach(|| inner.engine.set_predictor(predictor));
        Ok(())
    }

    /// What misses cost, relative to their mean, by the places of namespaces that `store` is told.
    fn set_costs(&self, relative: Vec<f32>) -> PyResult<()> {
        self.inner()?.engine.set_costs(Costs::new(relative));
        Ok(())
    }

    /// The feature rows that are kept, with what has become of them.
    fn rows<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let inner = self.inner()?;
        let Some(found) = py.detach(|| inner.engine.sampled()) else { return Ok(None) };
        let (requests, residence) = (found.requests, found.residence());
        let capacity = inner.engine.capacity();
        let samples = found.samples;
        dataset::columns(py, &Dataset { samples, requests, capacity, residence }).map(Some)
    }

    /// Tells this function of every get, set and delete from now on.
    fn record_with(&self, recorder: Object) -> PyResult<()> {
        self.inner()?.recorder.set(recorder).map_err(|_| errors::of_second_start())
    }

    /// Tells this function of every key that is written or removed while it is switched on.
    fn watch_with(&self, watcher: Object) -> PyResult<()> {
        self.inner()?.watcher.set(watcher).map_err(|_| errors::of_second_start())
    }

    fn watch(&self, is_on: bool) -> PyResult<()> {
        self.inner()?.is_watched.store(is_on, Ordering::Relaxed);
        Ok(())
    }
}
