//! The verbs of a mapping, and those that only a cache has.

use augury_core::cache::{Gone, Outcome, When};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use std::sync::atomic::Ordering;

use super::iterate::Entries;
use super::key::Asked;
use super::{Asker, Cache, Manner, Object};

pub(super) fn is_resident(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Added | Outcome::Replaced)
}

#[pymethods]
impl Cache {
    /// The value under the key, or the default: a hit or a miss. ``session`` is who asks, for
    /// prefetching.
    #[pyo3(signature = (key, default=None, *, session=None))]
    fn get<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        default: Option<Bound<'py, PyAny>>,
        session: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let inner = self.inner()?;
        let asker = Asker { session: inner.session(session)?, ..Asker::default() };
        Ok(inner.look(key, asker)?.or(default))
    }

    fn __getitem__<'py>(
        slf: &Bound<'py, Self>,
        key: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let inner = slf.get().inner()?;
        let reader = inner.reader.get().filter(|reader| reader.loads_items);
        let beta = reader.map_or(0.0, |reader| reader.beta);
        if let Some(value) =
            inner.look(key, Asker { beta, session: 0, is_followed: reader.is_some() })?
        {
            return Ok(value);
        }
        match reader {
            Some(reader) => {
                let none = key.py().None();
                let asked = (slf, key, &none, &none, &none, &none, &none);
                reader.miss.bind(key.py()).call1(asked)
            }
            None => Err(PyKeyError::new_err((key.clone().unbind(),))),
        }
    }

    fn __setitem__(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.inner()?.set(key, value, Manner::default(), When::Always).map(|_| ())
    }

    fn __delitem__(&self, key: &Bound<'_, PyAny>) -> PyResult<()> {
        match self.inner()?.take(key)? {
            Some(_) => Ok(()),
            None => Err(PyKeyError::new_err((key.clone().unbind(),))),
        }
    }

    fn __contains__(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.inner()?.contains(key)
    }

    /// Entries that are fresh, once what is due has left.
    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        self.expire(py)?;
        Ok(self.inner()?.engines().map(|engine| engine.len()).sum())
    }

    fn __bool__(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.__len__(py)? > 0)
    }

    fn __iter__(slf: Bound<'_, Self>) -> Entries {
        Entries::new(slf.unbind(), false)
    }

    /// Pairs of key and value.
    fn entries(slf: Bound<'_, Self>) -> Entries {
        Entries::new(slf.unbind(), true)
    }

    /// Stores a value in place of an earlier one; whether it is resident now.
    #[allow(clippy::too_many_arguments)]
    #[pyo3(signature = (key, value, ttl=None, *, tti=None, tags=None, force=false, stale=0.0,
        load_seconds=0.0))]
    fn set<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        value: &Bound<'py, PyAny>,
        ttl: Option<f64>,
        tti: Option<f64>,
        tags: Option<Bound<'py, PyAny>>,
        force: bool,
        stale: f64,
        load_seconds: f64,
    ) -> PyResult<bool> {
        let tags = tags.as_ref();
        let manner =
            Manner { ttl, tti, tags, is_forced: force, stale, load_seconds, ..Manner::default() };
        self.inner()?.set(key, value, manner, When::Always).map(is_resident)
    }

    /// As `set`, if the key is not resident: whether this value is resident now.
    #[pyo3(signature = (key, value, ttl=None))]
    fn add(
        &self,
        key: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
        ttl: Option<f64>,
    ) -> PyResult<bool> {
        let inner = self.inner()?;
        if inner.has_entries.load(Ordering::Relaxed) {
            // What is stale or invalidated makes way.
            let stored = inner.stored(key)?;
            if stored.is_some_and(|stored| inner.shown(stored.bind(key.py())).is_none()) {
                inner.remove(Asked::new(key)?)?;
            }
        }
        let manner = Manner { ttl, ..Manner::default() };
        inner.set(key, value, manner, When::Absent).map(is_resident)
    }

    /// Whether there was such an entry.
    fn delete(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(self.inner()?.take(key)?.is_some())
    }

    /// Removes the entry and returns its value, or the default.
    #[pyo3(signature = (key, default))]
    fn take<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        default: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.inner()?.take(key)?.unwrap_or(default))
    }

    /// The value under the key, or the default. Not a request.
    #[pyo3(signature = (key, default=None))]
    fn peek<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.inner()?.peek(key)?.or(default))
    }

    /// What is stored under the key: the value, or an `Entry`. Not a request.
    #[pyo3(signature = (key, default=None))]
    fn stored(&self, key: &Bound<'_, PyAny>, default: Option<Object>) -> PyResult<Option<Object>> {
        Ok(self.inner()?.stored(key)?.or(default))
    }

    fn clear(&self, py: Python<'_>) -> PyResult<()> {
        let (inner, mut left) = (self.inner()?, Gone::new());
        inner.supersede_all(py);
        inner.engines().for_each(|engine| engine.clear(&mut left));
        inner.reserve_pins(&mut left);
        inner.tell(py, left);
        Ok(())
    }

    /// Removes what is due; how many.
    fn expire(&self, py: Python<'_>) -> PyResult<usize> {
        let (inner, mut left) = (self.inner()?, Gone::new());
        inner.time.ask(py)?;
        let count = inner.engines().map(|engine| engine.expire(usize::MAX, &mut left)).sum();
        inner.reserve_pins(&mut left);
        inner.tell(py, left);
        Ok(count)
    }

    fn change_capacity(&self, py: Python<'_>, capacity: u64) -> PyResult<()> {
        let (inner, mut left) = (self.inner()?, Gone::new());
        inner.engine.resize(capacity, &mut left);
        inner.tell(py, left);
        inner.resize_stage(py, capacity)
    }
}
