//! A decoded trace, and replays of it.

use std::path::Path;

use augury_replay::trace::{DecodedTrace, Footprint, Format, TraceWriter};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::{errors, reading};

/// A whole trace in memory, shared by all replays of it.
#[pyclass(frozen, module = "augury._core")]
pub(crate) struct Trace {
    decoded: DecodedTrace,
    footprint: Footprint,
    requested_bytes: u64,
}

#[pymethods]
impl Trace {
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
        py.detach(|| {
            let decoded = DecodedTrace::load(&source)?;
            let footprint = decoded.objects();
            let requested_bytes =
                decoded.requests.iter().map(|request| u64::from(request.size)).sum();
            Ok(Trace { decoded, footprint, requested_bytes })
        })
        .map_err(errors::of_trace)
    }

    /// The trace's name in results.
    #[getter]
    fn name(&self) -> &str {
        &self.decoded.name
    }

    /// Number of requests, reads and others.
    #[getter]
    fn requests(&self) -> usize {
        self.decoded.requests.len()
    }

    /// Sum of the sizes of all requests.
    #[getter]
    fn requested_bytes(&self) -> u64 {
        self.requested_bytes
    }

    /// Number of distinct objects.
    #[getter]
    fn objects(&self) -> u64 {
        self.footprint.objects
    }

    /// Sum over the distinct objects of the last size seen.
    #[getter]
    fn footprint(&self) -> u64 {
        self.footprint.bytes
    }

    /// Whether every size is 1, so that capacities count entries.
    #[getter]
    fn unit_sizes(&self) -> bool {
        self.decoded.unit_sizes
    }

    /// Malformed records that were left out.
    #[getter]
    fn skipped(&self) -> u64 {
        self.decoded.skipped.total()
    }

    /// Malformed records that were left out, by what was wrong.
    #[getter]
    fn skipped_by_reason<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let reasons = PyDict::new(py);
        for (code, count) in self.decoded.skipped.iter() {
            reasons.set_item(code, count)?;
        }
        Ok(reasons)
    }

    /// Writes the trace as uncompressed oracleGeneral.
    fn write_oracle_general(&self, py: Python<'_>, path: &str) -> PyResult<()> {
        py.detach(|| {
            let mut writer = TraceWriter::create(Path::new(path), Format::OracleGeneral)?;
            writer.write(&self.decoded.requests)?;
            writer.finish().map(drop)
        })
        .map_err(errors::of_trace)
    }
}
