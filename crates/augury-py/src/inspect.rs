//! What a trace is like.

use augury_replay::inspect as laboratory;
use pyo3::prelude::*;

use crate::{errors, reading};

/// Inspects a trace; the findings as JSON.
#[pyfunction]
pub(crate) fn inspect(
    py: Python<'_>,
    source: &str,
    trace_format: Option<&str>,
    columns: Option<&str>,
    skip_bad: bool,
) -> PyResult<String> {
    let source = reading::source(source, trace_format, columns, skip_bad)?;
    let found = py.detach(|| laboratory::inspect(&source)).map_err(errors::of_trace)?;
    serde_json::to_string(&found).map_err(errors::of_json)
}
