//! The engine's errors as the package's: no lower one ever reaches a caller.

use augury_core::artifact::ArtifactError;
use augury_core::saved::SavedError;
use augury_replay::replay::ReplayError;
use augury_replay::trace::TraceError;
use pyo3::prelude::*;

mod python {
    pyo3::import_exception!(augury.errors, ArtifactError);
    pyo3::import_exception!(augury.errors, AuguryError);
    pyo3::import_exception!(augury.errors, CapacityError);
    pyo3::import_exception!(augury.errors, ConfigError);
    pyo3::import_exception!(augury.errors, PersistenceError);
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

/// A host that is none.
pub(crate) fn of_host(host: &str) -> PyErr {
    let host: String = host.chars().take(60).collect();
    python::ConfigError::new_err(format!(
        "host {host:?} cannot be: expected an IP address of this machine, or localhost"
    ))
}

/// A page that others than this machine could see.
pub(crate) fn of_open_page(host: &str) -> PyErr {
    python::ConfigError::new_err(format!(
        "host {host}: others than this machine's users could see keys there; set a password, or keep \
         to 127.0.0.1"
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

/// A cache whose `__init__` has not been called.
#[cold]
pub(crate) fn of_uninitialised() -> PyErr {
    python::ConfigError::new_err(
        "this cache has no capacity yet: a subclass that has an __init__ of its own calls super().__init__(capacity, ...) first",
    )
}

/// What is to be done once was done before.
pub(crate) fn of_second_start() -> PyErr {
    python::ConfigError::new_err(
        "a cache begins once: make another one instead of calling __init__ again",
    )
}

/// It learns together with others already.
pub(crate) fn of_second_together() -> PyErr {
    python::ConfigError::new_err(
        "this cache learns together already: one augury.Together for each cache, made once",
    )
}

/// A size that cannot be.
pub(crate) fn of_size(size: &Bound<'_, PyAny>, largest: u32) -> PyErr {
    let shown = size.repr().map_or_else(|_| "?".to_owned(), |text| text.to_string());
    let shown: String = shown.chars().take(60).collect();
    python::ConfigError::new_err(format!(
        "an entry of size {shown}: expected a whole number from 1 to {largest}; have sizeof count \
         in a larger unit, and the capacity too"
    ))
}

/// A TTL or TTI that cannot be.
pub(crate) fn of_seconds(name: &str, seconds: f64, longest: f64) -> PyErr {
    python::ConfigError::new_err(format!(
        "{name} {}: expected seconds above 0, at most {longest}, or None for ever",
        seconds.to_string().to_lowercase()
    ))
}

/// A jitter that cannot be.
pub(crate) fn of_jitter(jitter: f64) -> PyErr {
    python::ConfigError::new_err(format!(
        "jitter {jitter}: expected a share from 0 (none) to below 1 by which TTLs are shortened at most"
    ))
}

/// A policy that cannot say why.
pub(crate) fn of_unexplained() -> PyErr {
    python::ConfigError::new_err(
        "this policy explains nothing: make the cache with policy=\"auto\" or \"survival\"",
    )
}

/// One name where several are expected.
pub(crate) fn of_tags(tags: &Bound<'_, PyAny>) -> PyErr {
    python::ConfigError::new_err(format!("tags {tags:?}: expected several names; one is (name,)"))
}

/// What was learned by another version, or is damaged.
pub(crate) fn of_saved(error: SavedError) -> PyErr {
    python::PersistenceError::new_err(format!("what it has learned cannot be used: {error}"))
}

/// A pinned entry that would grow beyond the capacity.
pub(crate) fn of_pins(key: &Bound<'_, PyAny>, size: u32, pinned: u64, capacity: u64) -> PyErr {
    let shown = key.repr().map_or_else(|_| "?".to_owned(), |text| text.to_string());
    let shown: String = shown.chars().take(60).collect();
    python::CapacityError::new_err(format!(
        "key {shown} is pinned and cannot grow to a size of {size}: other pinned entries take {pinned} \
         of a capacity of {capacity}; unpin something or make the cache larger"
    ))
}
