//! A sample of a trace, and what policies would miss on the whole of it.

use augury_replay::curve::TraceSample;
use pyo3::prelude::*;

use crate::errors;
use crate::ticker::Ticker;

/// The requests for a share of a trace's objects; made by `Trace.sample`.
#[pyclass(frozen, module = "augury._core")]
pub(crate) struct Sample(pub(crate) TraceSample);

#[pymethods]
impl Sample {
    /// Share of the objects that was asked for.
    #[getter]
    fn ratio(&self) -> f64 {
        self.0.ratio()
    }

    /// Requests in the sample.
    #[getter]
    fn requests(&self) -> usize {
        self.0.requests()
    }

    /// A policy's object miss ratio at a capacity of the whole trace, and its standard error. `lru`
    /// is what LRU misses there, where that is known exactly.
    #[pyo3(signature = (policy, capacity, seed, ticker, lru=None))]
    fn point(
        &self,
        py: Python<'_>,
        policy: &str,
        capacity: u64,
        seed: u64,
        ticker: &Ticker,
        lru: Option<f64>,
    ) -> PyResult<(f64, f64)> {
        let policy = policy.parse().map_err(errors::of_replay)?;
        let found = py
            .detach(|| self.0.point(policy, capacity, seed, lru, &mut ticker.telling()))
            .map_err(errors::of_replay)?;
        Ok((found.object_miss_ratio, found.standard_error))
    }
}
