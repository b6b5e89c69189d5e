//! A trace written as another format.

use std::path::Path;

use augury_replay::trace;
use pyo3::prelude::*;

use crate::{errors, reading};

/// Writes a trace to `target` in the format `to`; the requests written and the records left out.
#[pyfunction]
pub(crate) fn convert(
    py: Python<'_>,
    source: &str,
    trace_format: Option<&str>,
    columns: Option<&str>,
    skip_bad: bool,
    target: &str,
    to: &str,
) -> PyResult<(u64, u64)> {
    let source = reading::source(source, trace_format, columns, skip_bad)?;
    py.detach(|| {
        let (written, skipped) = trace::convert(&source, Path::new(target), to.parse()?)?;
        Ok((written, skipped.total()))
    })
    .map_err(errors::of_trace)
}
