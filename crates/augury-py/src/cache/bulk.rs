//! Several keys in one call: as many calls for one key, without a step of Python between them.

use augury_core::cache::When;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use super::mapping::is_resident;
use super::{Asker, Cache, Manner};

#[pymethods]
impl Cache {
    /// Keys and values of those that are there: a hit or a miss each. ``session`` is who asks, for
    /// prefetching.
    #[pyo3(signature = (keys, *, session=None))]
    fn get_many<'py>(
        &self,
        keys: &Bound<'py, PyAny>,
        session: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let found = self.known_many(keys, session)?;
        self.inner()?.go_ahead(keys.py())?;
        Ok(found)
    }

    /// As `get_many`, for the loading layer, which sends off what is to be fetched ahead later.
    #[pyo3(signature = (keys, session=None))]
    fn known_many<'py>(
        &self,
        keys: &Bound<'py, PyAny>,
        session: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let (inner, found) = (self.inner()?, PyDict::new(keys.py()));
        let asker =
            Asker { session: inner.session(session)?, is_followed: true, ..Asker::default() };
        for key in keys.try_iter()? {
            let key = key?;
            if let Some(value) = inner.look(&key, asker)? {
                found.set_item(key, value)?;
            }
        }
        Ok(found)
    }

    /// Stores the entries of a mapping; the keys of those that are not resident now.
    #[pyo3(signature = (entries, ttl=None, *, tags=None))]
    fn set_many<'py>(
        &self,
        entries: &Bound<'py, PyAny>,
        ttl: Option<f64>,
        tags: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let (inner, refused) = (self.inner()?, PyList::empty(entries.py()));
        // Of tags that can be gone through once, too, every entry gets all.
        let tags = tags.map(|tags| tags.try_iter()?.collect::<PyResult<Vec<_>>>()).transpose()?;
        let tags = tags.map(|tags| PyList::new(entries.py(), tags)).transpose()?;
        let tags = tags.as_ref().map(|tags| tags.as_any());
        for entry in entries.call_method0("items")?.try_iter()? {
            let (key, value) = entry?.extract::<(Bound<'py, PyAny>, Bound<'py, PyAny>)>()?;
            let manner = Manner { ttl, tags, ..Manner::default() };
            if !is_resident(inner.set(&key, &value, manner, When::Always)?) {
                refused.append(key)?;
            }
        }
        Ok(refused)
    }

    /// Removes the entries under these keys; how many there were.
    fn delete_many(&self, keys: &Bound<'_, PyAny>) -> PyResult<usize> {
        let (inner, mut count) = (self.inner()?, 0);
        for key in keys.try_iter()? {
            count += usize::from(inner.take(&key?)?.is_some());
        }
        Ok(count)
    }
}
