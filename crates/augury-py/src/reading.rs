//! How to read a trace, from the arguments that every reading function has.

use augury_replay::trace::{SourceOptions, TraceSource};
use pyo3::prelude::*;

use crate::errors;

/// The source that these arguments name.
pub(crate) fn source(
    source: &str,
    trace_format: Option<&str>,
    columns: Option<&str>,
    skip_bad: bool,
) -> PyResult<TraceSource> {
    let options = || {
        Ok(SourceOptions {
            format: trace_format.map(str::parse).transpose()?,
            columns: columns.map(str::parse).transpose()?.unwrap_or_default(),
            skip_bad,
        })
    };
    options().and_then(|options| TraceSource::new(source, options)).map_err(errors::of_trace)
}

/// A trace's name in results.
#[pyfunction]
pub(crate) fn trace_name(source: &str) -> PyResult<String> {
    TraceSource::new(source, SourceOptions::default())
        .map(|source| source.name())
        .map_err(errors::of_trace)
}
