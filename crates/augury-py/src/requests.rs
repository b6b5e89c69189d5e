//! A trace's requests, chunk by chunk.

use std::sync::Mutex;

use augury_replay::trace::{Request, TraceReader};
use pyo3::prelude::*;

use crate::{errors, reading};

/// Time, key, size, operation, TTL, session, namespace.
type Record = (u64, u64, u32, &'static str, u32, u32, u16);

/// A trace being read.
#[pyclass(frozen, module = "augury._core")]
pub(crate) struct Requests {
    reader: Mutex<TraceReader>,
}

#[pymethods]
impl Requests {
    #[new]
    #[pyo3(signature = (source, trace_format=None, columns=None, skip_bad=false))]
    fn new(
        py: Python<'_>,
        source: &str,
        trace_format: Option<&str>,
        columns: Option<&str>,
        skip_bad: bool,
    ) -> PyResult<Self> {
        let source = reading::source(source, trace_format, columns, skip_bad)?;
        let reader = py.detach(|| source.open()).map_err(errors::of_trace)?;
        Ok(Requests { reader: Mutex::new(reader) })
    }

    /// The next requests; none at the end.
    fn next_chunk(&self, py: Python<'_>) -> PyResult<Vec<Record>> {
        let mut chunk = Vec::new();
        py.detach(|| {
            self.reader.lock().unwrap_or_else(|broken| broken.into_inner()).next_chunk(&mut chunk)
        })
        .map_err(errors::of_trace)?;
        Ok(chunk
            .iter()
            .map(|request| {
                let Request { time, key, size, ttl, session, namespace, .. } = *request;
                (time, key, size, request.op.name(), ttl, session, namespace)
            })
            .collect())
    }

    /// Malformed records left out so far.
    #[getter]
    fn skipped(&self) -> u64 {
        self.reader.lock().unwrap_or_else(|broken| broken.into_inner()).skipped().total()
    }
}
