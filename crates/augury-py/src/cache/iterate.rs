//! Iteration over keys or entries, safe under mutation: see `augury_core::cache::Cursor`.

use std::sync::Mutex;

use augury_core::cache::Cursor;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::{Cache, Object};

/// Every entry that is resident throughout is seen exactly once; one that comes, goes or comes back meanwhile
/// may or may not be.
#[pyclass(frozen, module = "augury._core")]
pub(crate) struct Entries {
    cache: Py<Cache>,
    with_values: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Which engine, and how far in it.
    engine: usize,
    cursor: Cursor,
    batch: Vec<(Object, Object)>,
}

impl Entries {
    pub(super) fn new(cache: Py<Cache>, with_values: bool) -> Self {
        Entries { cache, with_values, state: Mutex::default() }
    }

    /// The next entry as it is stored.
    fn next_stored(&self) -> PyResult<Option<(Object, Object)>> {
        // Nothing that runs under this lock runs foreign code or waits for the interpreter.
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let State { engine: at, cursor, batch } = &mut *state;
        while batch.is_empty() {
            let Some(engine) = self.cache.get().inner()?.engines().nth(*at) else {
                return Ok(None);
            };
            if !engine.next_entries(cursor, batch) {
                (*at, *cursor) = (*at + 1, Cursor::default());
            }
        }
        Ok(batch.pop())
    }
}

#[pymethods]
impl Entries {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let inner = self.cache.get().inner()?;
        inner.time.ask(py)?;
        while let Some((key, stored)) = self.next_stored()? {
            let Some(value) = inner.shown(stored.bind(py)) else { continue };
            let key = key.into_bound(py);
            return Ok(Some(if self.with_values {
                PyTuple::new(py, [key, value])?.into_any()
            } else {
                key
            }));
        }
        Ok(None)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.cache)?;
        let Ok(state) = self.state.try_lock() else { return Ok(()) };
        state.batch.iter().try_for_each(|(key, value)| {
            visit.call(key)?;
            visit.call(value)
        })
    }
}
