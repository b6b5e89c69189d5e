//! A cache of Python objects, on the engine's concurrent cache.
//!
//! Keys and values are counted references. A key's hash is Python's own, mixed; whether a resident
//! key is the one asked for is told by identity under the shard's lock and by `==` outside it.
//!
//! **Two locks, no deadlock.** There are the interpreter's lock and the shards'. A thread may wait
//! for a shard's lock while it holds the interpreter's, so a holder of a shard's lock must never
//! wait for the interpreter's, nor give it up to run something else:
//! - Under a shard's lock the engine runs the policy, `quick` (two addresses), and `Clone` of
//!   references, which counts up and runs nothing. It fails where the interpreter's lock is not
//!   held instead of waiting for it (pyo3's `py-clone`); every method that looks a key up holds it.
//! - `__hash__`, `__eq__`, `sizeof` and `__del__` run under no shard's lock: hashes and sizes
//!   before, equality between two lockings, and what leaves is in a list that is dropped when the
//!   engine has returned. They may raise, switch threads and call the cache.
//! - Only [`Cache::sampled`] and [`Cache::set_model`] lock shards without the interpreter's lock.
//!   They touch no Python object and therefore end; others wait for them no longer than that.
//! - The garbage collector is shown the residents under the shard's lock, and its visitor runs no
//!   code. It begins where Python code allocates, which no thread does under a shard's lock.
//!
//! **One shard.** While the interpreter runs one thread at a time a second lock would gain nothing,
//! and one shard evicts exactly as the policy says. Nothing here relies on that number.

use std::time::Instant;

use augury_core::cache::{self, Gone, Newcomer, Outcome, Probe, When};
use augury_core::clock::{Clock, Millis};
use augury_core::guard::{Auto, Guard};
use augury_core::hash::mix;
use augury_replay::dataset::Dataset;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt};

use crate::artifact::Artifact;
use crate::{dataset, explain};

type Object = Py<PyAny>;

/// Milliseconds since the cache was made; never decreasing.
struct Monotonic(Instant);

impl Clock for Monotonic {
    #[inline]
    fn now(&self) -> Millis {
        self.0.elapsed().as_millis() as Millis
    }
}

/// The key asked for.
struct Asked<'a, 'py>(&'a Bound<'py, PyAny>);

impl Asked<'_, '_> {
    fn hash(&self) -> PyResult<u64> {
        Ok(mix(self.0.hash()? as u64))
    }
}

impl Probe<Object> for Asked<'_, '_> {
    type Error = PyErr;

    /// As for Python's dictionaries, identity is equality; anything else takes foreign code.
    #[inline]
    fn quick(&self, key: &Object) -> Option<bool> {
        (key.as_ptr() == self.0.as_ptr()).then_some(true)
    }

    fn matches(&mut self, key: &Object) -> PyResult<bool> {
        key.bind(self.0.py()).eq(self.0)
    }

    fn number(&self) -> Option<u64> {
        self.0.is_exact_instance_of::<PyInt>().then(|| self.0.extract().ok())?
    }
}

/// See the module's head.
#[pyclass(frozen, module = "augury._core")]
pub(crate) struct Cache {
    inner: cache::Cache<Object, Object, Auto, Monotonic>,
}

#[pymethods]
impl Cache {
    #[new]
    fn new(capacity: u64, journal: usize, samples: usize, seed: u64) -> Self {
        let policy = move |at| Auto::with_chooser(mix(seed ^ at as u64), Guard::default());
        let inner = cache::Cache::new(capacity, 1, Monotonic(Instant::now()), policy);
        inner.keep_journal(journal);
        inner.keep_samples(samples, seed);
        Cache { inner }
    }

    /// The value, or `default`.
    fn get(&self, key: &Bound<'_, PyAny>, default: Object) -> PyResult<Object> {
        let (asked, mut gone) = (Asked(key), Gone::new());
        let found = self.inner.get(asked.hash()?, asked, &mut gone)?;
        Ok(found.unwrap_or(default))
    }

    /// Whether the entry is resident now. `ttl` is in seconds.
    fn set(
        &self,
        key: &Bound<'_, PyAny>,
        value: Object,
        size: u32,
        ttl: Option<f64>,
    ) -> PyResult<bool> {
        let (asked, mut gone) = (Asked(key), Gone::new());
        let hash = asked.hash()?;
        let later = |ttl: f64| self.inner.clock().now().saturating_add((ttl * 1e3).ceil() as u64);
        let key = key.clone().unbind();
        let newcomer = Newcomer { hash, key, value, size, deadline: ttl.map(later) };
        let outcome = self.inner.insert(newcomer, When::Always, asked, &mut gone)?;
        Ok(matches!(outcome, Outcome::Added | Outcome::Replaced))
    }

    /// Whether there was such an entry.
    fn delete(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        let (asked, mut gone) = (Asked(key), Gone::new());
        Ok(self.inner.remove(asked.hash()?, asked, &mut gone)?.is_some())
    }

    fn contains(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        let (asked, mut gone) = (Asked(key), Gone::new());
        self.inner.contains(asked.hash()?, asked, &mut gone)
    }

    fn clear(&self) {
        self.inner.clear(&mut Gone::new());
    }

    /// Entries that are fresh, once what is due has left.
    fn count(&self) -> usize {
        self.inner.expire(usize::MAX, &mut Gone::new());
        self.inner.len()
    }

    #[getter]
    fn capacity(&self) -> u64 {
        self.inner.capacity()
    }

    /// Sum of the sizes.
    #[getter]
    fn used(&self) -> u64 {
        self.inner.used()
    }

    #[getter]
    fn memory_bytes(&self) -> usize {
        self.inner.memory_bytes()
    }

    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (stats, told) = (self.inner.stats(), PyDict::new(py));
        told.set_item("hits", stats.hits)?;
        told.set_item("misses", stats.misses)?;
        told.set_item("insertions", stats.insertions)?;
        told.set_item("evictions", stats.evicted)?;
        told.set_item("rejections", stats.rejections + stats.oversized)?;
        told.set_item("expired", stats.expired)?;
        Ok(told)
    }

    /// Why the key is, or is not, resident.
    fn explain<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
        let (asked, mut gone) = (Asked(key), Gone::new());
        let found = self.inner.explain(asked.hash()?, asked, &mut gone)?;
        explain::explanation(key.py(), &found.expect("auto explains itself"))
    }

    fn set_model(&self, py: Python<'_>, model: Option<&Artifact>) {
        let predictor = model.map(|model| model.serving.clone());
        py.detach(|| self.inner.set_predictor(predictor));
    }

    /// The feature rows that are kept, with what has become of them.
    fn sampled<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let Some(found) = py.detach(|| self.inner.sampled()) else { return Ok(None) };
        let (requests, residence) = (found.requests, found.residence());
        let capacity = self.inner.capacity();
        let samples = found.samples;
        dataset::columns(py, &Dataset { samples, requests, capacity, residence }).map(Some)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let mut outcome = Ok(());
        self.inner.visit(|key, value| {
            if outcome.is_ok() {
                outcome = visit.call(key).and_then(|()| visit.call(value));
            }
        });
        outcome
    }

    fn __clear__(&self) {
        self.clear();
    }
}
