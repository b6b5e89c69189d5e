//! Requests from Python to a trace file.

use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use augury_core::request::Op;
use augury_replay::trace::{self, Request, TraceError};
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};

use crate::errors;

/// Time, key, size, operation, TTL.
type Record = (u64, PyBackedBytes, u32, PyBackedStr, u32);

/// A trace being written; it takes its name when it is finished, and leaves nothing if it is not.
#[pyclass(frozen, module = "augury._core")]
pub(crate) struct TraceWriter {
    writer: Mutex<Option<trace::TraceWriter>>,
}

impl TraceWriter {
    fn lock(&self) -> MutexGuard<'_, Option<trace::TraceWriter>> {
        self.writer.lock().unwrap_or_else(|broken| broken.into_inner())
    }
}

#[pymethods]
impl TraceWriter {
    #[new]
    fn new(py: Python<'_>, path: &str, to: &str) -> PyResult<Self> {
        let writer = py
            .detach(|| trace::TraceWriter::create(Path::new(path), to.parse()?))
            .map_err(errors::of_trace)?;
        Ok(TraceWriter { writer: Mutex::new(Some(writer)) })
    }

    /// Writes the next requests.
    fn write(&self, py: Python<'_>, requests: Vec<Record>) -> PyResult<()> {
        py.detach(|| {
            let keyed: Vec<_> = requests.iter().map(keyed).collect::<Result<_, _>>()?;
            self.lock().as_mut().ok_or_else(closed)?.write_keyed(keyed)
        })
        .map_err(errors::of_trace)
    }

    /// Completes the file and gives it its name; the number of requests written.
    fn finish(&self, py: Python<'_>) -> PyResult<u64> {
        py.detach(|| self.lock().take().ok_or_else(closed)?.finish()).map_err(errors::of_trace)
    }

    /// Leaves nothing behind.
    fn discard(&self, py: Python<'_>) {
        py.detach(|| drop(self.lock().take()));
    }
}

fn keyed((time, key, size, op, ttl): &Record) -> Result<(&[u8], Request), TraceError> {
    let op = Op::from_name(op).ok_or_else(|| TraceError::InvalidOption {
        option: "operation to write".to_owned(),
        found: op.to_string(),
        expected: Op::ALL.map(Op::name).join(", "),
    })?;
    let (time, size, ttl) = (*time, (*size).max(1), *ttl);
    Ok((key, Request { key: 0, next: None, time, size, ttl, op, session: 0, namespace: 0 }))
}

fn closed() -> TraceError {
    TraceError::InvalidOption {
        option: "trace to write".to_owned(),
        found: "one that was finished or discarded".to_owned(),
        expected: "a new TraceWriter".to_owned(),
    }
}
