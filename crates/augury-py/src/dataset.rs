//! Data sets, as columns of bytes that numpy takes as they are.

use augury_replay::dataset::Dataset;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

/// Rows as singles, ticks and waits as unsigned 64-bit integers, whether observed as bytes; all
/// little-endian.
pub(crate) fn columns<'py>(py: Python<'py>, found: &Dataset) -> PyResult<Bound<'py, PyDict>> {
    let samples = &found.samples;
    let column = |bytes: Vec<u8>| PyBytes::new(py, &bytes);
    let rows = samples.iter().flat_map(|sample| sample.row).flat_map(f32::to_le_bytes);
    let columns = PyDict::new(py);
    columns.set_item("rows", column(rows.collect()))?;
    let ticks = samples.iter().flat_map(|sample| sample.tick.to_le_bytes());
    columns.set_item("ticks", column(ticks.collect()))?;
    let waits = samples.iter().flat_map(|sample| sample.wait.to_le_bytes());
    columns.set_item("waits", column(waits.collect()))?;
    let observed = samples.iter().map(|sample| u8::from(sample.is_observed));
    columns.set_item("observed", column(observed.collect()))?;
    columns.set_item("requests", found.requests)?;
    columns.set_item("capacity_bytes", found.capacity)?;
    columns.set_item("residence", found.residence)?;
    Ok(columns)
}
