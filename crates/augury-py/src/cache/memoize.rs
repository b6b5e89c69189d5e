//! Memoized functions: a function in front of which a cache stands.
//!
//! A call whose arguments are known costs little more than the look-up: arguments become a key as
//! `functools.lru_cache` makes one, a single number or text as it is and a tuple for anything else, and what
//! is not known is left to a function of the package.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyString, PyTuple};

use super::{Asker, Cache, Object};

/// See the module's head. Has a `__dict__`, for `functools.update_wrapper`.
#[pyclass(frozen, dict, weakref, subclass, module = "augury._core")]
pub(crate) struct Memoized {
    cache: Py<Cache>,
    /// Called with the key, positional and named arguments where the key is not known.
    load: Object,
    /// Stands between positional and named arguments.
    mark: Object,
    is_typed: bool,
    /// Makes bound methods.
    method: Object,
}

#[pymethods]
impl Memoized {
    #[new]
    fn new(
        py: Python<'_>,
        cache: Py<Cache>,
        load: Object,
        mark: Object,
        is_typed: bool,
    ) -> PyResult<Self> {
        let method = py.import("types")?.getattr("MethodType")?.unbind();
        Ok(Memoized { cache, load, mark, is_typed, method })
    }

    #[pyo3(signature = (*arguments, **named))]
    fn __call__<'py>(
        &self,
        arguments: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let key = self.key(arguments, named)?;
        if let Some(value) =
            self.cache.get().inner()?.look(&key, Asker { is_followed: true, ..Asker::default() })?
        {
            return Ok(value);
        }
        self.load.bind(arguments.py()).call1((key, arguments, named))
    }

    /// The key of a call.
    #[pyo3(signature = (*arguments, **named))]
    fn cache_key<'py>(
        &self,
        arguments: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.key(arguments, named)
    }

    /// As a function among the attributes of a class does: bound to the object.
    fn __get__<'py>(
        slf: &Bound<'py, Self>,
        owned: &Bound<'py, PyAny>,
        owner: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let _ = owner;
        if owned.is_none() {
            return Ok(slf.clone().into_any());
        }
        slf.get().method.bind(slf.py()).call1((slf, owned))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let name: String = slf.getattr("__qualname__")?.extract()?;
        Ok(format!("<augury.memoize of {name}>"))
    }

    /// By its name, as a function is: where it is found under it, a copy is the function itself.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.getattr("__qualname__")
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.cache)?;
        visit.call(&self.load)?;
        visit.call(&self.mark)
    }
}

impl Memoized {
    #[inline]
    fn key<'py>(
        &self,
        arguments: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        // A call through `f(*args, **kwargs)` may come with names of which there are none.
        let named = named.filter(|named| !named.is_empty());
        if named.is_none() && !self.is_typed {
            if arguments.len() == 1 {
                let only = arguments.get_borrowed_item(0)?;
                if only.is_exact_instance_of::<PyInt>() || only.is_exact_instance_of::<PyString>() {
                    return Ok(only.to_owned());
                }
            }
            return Ok(arguments.clone().into_any());
        }
        self.full_key(arguments, named)
    }

    #[cold]
    fn full_key<'py>(
        &self,
        arguments: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = arguments.py();
        let mut parts: Vec<Bound<'py, PyAny>> = arguments.iter().collect();
        let named: Vec<_> = named.into_iter().flat_map(|named| named.iter()).collect();
        if !named.is_empty() {
            parts.push(self.mark.bind(py).clone());
            parts.extend(named.iter().flat_map(|(name, value)| [name.clone(), value.clone()]));
        }
        if self.is_typed {
            parts.push(self.mark.bind(py).clone());
            parts.extend(arguments.iter().map(|part| part.get_type().into_any()));
            parts.extend(named.iter().map(|(_, value)| value.get_type().into_any()));
        }
        Ok(PyTuple::new(py, parts)?.into_any())
    }
}
