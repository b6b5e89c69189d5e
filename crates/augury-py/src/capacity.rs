//! Capacities between Python and the engine.

use augury_replay::replay::Capacity;
use pyo3::prelude::*;

use crate::errors;

/// A capacity as Python holds it: a share of the footprint, or a number of bytes or entries.
pub(crate) type Asked = (Option<f64>, Option<u64>);

/// The engine's capacity. Python gives one of the two; the share decides.
pub(crate) fn of((share, number): Asked) -> Capacity {
    share.map_or(Capacity::Absolute(number.unwrap_or(0)), Capacity::Fraction)
}

/// Reads a capacity from text.
#[pyfunction]
pub(crate) fn read_capacity(text: &str) -> PyResult<Asked> {
    match text.parse().map_err(errors::of_replay)? {
        Capacity::Fraction(share) => Ok((Some(share), None)),
        Capacity::Absolute(number) => Ok((None, Some(number))),
    }
}
