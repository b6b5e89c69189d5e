//! A cache that is replayed step by step, for training while it runs.

use std::sync::Arc;

use augury_core::drift::Detector;
use augury_replay::session::{self, Sampling};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::artifact::Artifact;
use crate::capacity::Asked;
use crate::trace::Trace;
use crate::{dataset, errors};

/// A replay of a trace under `auto`, from its first request on.
#[pyclass(module = "augury._core")]
pub(crate) struct Session {
    trace: Py<Trace>,
    inner: session::Session,
}

#[pymethods]
impl Session {
    /// `rate` rows are taken per request, and the latest `rows` kept.
    #[new]
    fn new(trace: Py<Trace>, asked: Asked, seed: u64, rate: f64, rows: usize) -> PyResult<Self> {
        if trace.get().in_memory().is_none() {
            return Err(PyValueError::new_err("the trace is not decoded in memory"));
        }
        let capacity = trace.get().capacity(asked).map_err(errors::of_replay)?;
        let inner = session::Session::new(capacity, Sampling { rate, rows }, seed);
        Ok(Session { trace, inner })
    }

    /// Replays up to so many further requests; how many there were.
    fn advance(&mut self, py: Python<'_>, requests: usize) -> usize {
        let all = self.trace.get().in_memory().unwrap_or_default();
        let left = &all[(self.inner.requests() as usize).min(all.len())..];
        let next = &left[..requests.min(left.len())];
        let inner = &mut self.inner;
        py.detach(|| inner.feed(next));
        next.len()
    }

    /// Loads a model, or lets go of the one there is. `renews`: it was trained
    /// on the rows of this session and is better than the one before it.
    #[pyo3(signature = (model, renews=false))]
    fn set_model(&mut self, model: Option<&Artifact>, renews: bool) {
        match model {
            None => self.inner.unload(),
            Some(model) if renews => {
                self.inner.renew(Arc::clone(&model.serving), model.horizon());
            }
            Some(model) => self.inner.load(Arc::clone(&model.serving), model.horizon()),
        }
    }

    /// The latest rows, as columns; what is still waited for is censored now.
    fn samples<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        dataset::columns(py, &self.inner.dataset())
    }

    /// What is known of the model since it came in; `None` where no model is watched. `alarm`:
    /// since when, rows, what they were told and what was seen.
    #[getter]
    fn drift<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        self.inner.drift().map(|found| state(py, found)).transpose()
    }

    /// Reads so far, and misses among them.
    #[getter]
    fn counts(&self) -> (u64, u64) {
        (self.inner.stats().requests(), self.inner.stats().misses)
    }

    /// Requests replayed, and the trace's own time of the latest, in seconds from its first.
    #[getter]
    fn position(&self) -> (u64, u64) {
        let done = self.inner.requests();
        let all = self.trace.get().in_memory().unwrap_or_default();
        let time = |at: u64| all.get(at as usize).map_or(0, |request| request.time);
        (done, time(done.saturating_sub(1)).saturating_sub(time(0)))
    }

    /// What rules now.
    #[getter]
    fn ruling(&self) -> Option<&'static str> {
        self.inner.ruling()
    }

    /// Bytes held by engine, rows and watch.
    #[getter]
    fn memory_bytes(&self) -> usize {
        self.inner.memory_bytes()
    }
}

fn state<'py>(py: Python<'py>, found: &Detector) -> PyResult<Bound<'py, PyDict>> {
    let quality = found.quality();
    let alarm = found.alarm().map(|alarm| (alarm.since, alarm.rows, alarm.told, alarm.seen));
    let state = PyDict::new(py);
    state.set_item("labelled", found.labelled())?;
    state.set_item("log_loss", quality.log_loss)?;
    state.set_item("expected_log_loss", quality.expected_log_loss)?;
    state.set_item("calibration_error", quality.calibration_error)?;
    state.set_item("alarm", alarm)?;
    Ok(state)
}
