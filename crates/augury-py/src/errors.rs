//! The engine's errors as the package's: no lower one ever reaches a caller.

use augury_replay::trace::TraceError;
use pyo3::prelude::*;

pyo3::import_exception!(augury.errors, CapacityError);
pyo3::import_exception!(augury.errors, ConfigError);

mod python {
    pyo3::import_exception!(augury.errors, TraceError);
}

/// The trace error with its code.
pub(crate) fn of_trace(error: TraceError) -> PyErr {
    python::TraceError::new_err((error.to_string(), error.code()))
}
