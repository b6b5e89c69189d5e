//! The engine's errors as the package's: no lower one ever reaches a caller.

use augury_core::artifact::ArtifactError;
use augury_replay::replay::ReplayError;
use augury_replay::trace::TraceError;
use pyo3::prelude::*;

mod python {
    pyo3::import_exception!(augury.errors, ArtifactError);
    pyo3::import_exception!(augury.errors, AuguryError);
    pyo3::import_exception!(augury.errors, CapacityError);
    pyo3::import_exception!(augury.errors, ConfigError);
    pyo3::import_exception!(augury.errors, SchemaMismatchError);
    pyo3::import_exception!(augury.errors, TraceError);
}

/// The trace error with its code.
pub(crate) fn of_trace(error: TraceError) -> PyErr {
    python::TraceError::new_err((error.to_string(), error.code()))
}

/// The error of the package for what is wrong with a saved model.
pub(crate) fn of_artifact(error: ArtifactError) -> PyErr {
    if error.is_schema_mismatch() {
        python::SchemaMismatchError::new_err(error.to_string())
    } else {
        python::ArtifactError::new_err(error.to_string())
    }
}

/// A key of a kind that cannot be counted.
pub(crate) fn of_key(key: &Bound<'_, PyAny>) -> PyErr {
    let shown = key.repr().map_or_else(|_| "?".to_owned(), |text| text.to_string());
    let shown: String = shown.chars().take(60).collect();
    python::ConfigError::new_err(format!(
        "key {shown}: expected str, bytes or an integer from -2^63 to 2^64 - 1"
    ))
}

/// Findings that cannot be written as JSON: a number that is none.
pub(crate) fn of_json(error: serde_json::Error) -> PyErr {
    python::AuguryError::new_err(format!("the findings cannot be written as JSON: {error}"))
}

/// The error of the package for each of a replay's.
pub(crate) fn of_replay(error: ReplayError) -> PyErr {
    match error {
        ReplayError::Trace(error) => of_trace(error),
        ReplayError::Capacity { .. } => python::CapacityError::new_err(error.to_string()),
        ReplayError::Policy { .. }
        | ReplayError::NoFuture { .. }
        | ReplayError::Predictor { .. }
        | ReplayError::Refresher { .. }
        | ReplayError::RefreshParameter { .. }
        | ReplayError::Budget { .. } => python::ConfigError::new_err(error.to_string()),
        _ => python::AuguryError::new_err(error.to_string()),
    }
}
