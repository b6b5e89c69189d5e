//! Access probabilities of a stream of keys.

use std::sync::{Mutex, MutexGuard};

use augury_core::frequency::{Decayed, Precision, Window};
use augury_core::hash::mix;
use augury_replay::trace::object_id;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt, PyString};

use crate::errors;

/// A key as it was first seen.
#[derive(Clone, IntoPyObject)]
pub(crate) enum Key {
    Unsigned(u64),
    Signed(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// The key with its hash: as in traces, an integer is its own object id, however it is written.
fn hashed(key: &Bound<'_, PyAny>) -> PyResult<(u64, Key)> {
    let (id, key) = if let Ok(text) = key.cast::<PyString>() {
        let text = text.to_str()?;
        (object_id(text.as_bytes()), Key::Text(text.to_owned()))
    } else if let Ok(bytes) = key.cast::<PyBytes>() {
        (object_id(bytes.as_bytes()), Key::Bytes(bytes.as_bytes().to_vec()))
    } else if let (true, Ok(number)) = (key.is_instance_of::<PyInt>(), key.extract::<u64>()) {
        (number, Key::Unsigned(number))
    } else if let (true, Ok(number)) = (key.is_instance_of::<PyInt>(), key.extract::<i64>()) {
        (object_id(number.to_string().as_bytes()), Key::Signed(number))
    } else {
        return Err(errors::of_key(key));
    };
    Ok((mix(id), key))
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(|broken| broken.into_inner())
}

/// Counts of the last so many requests.
#[pyclass(frozen, module = "augury._core")]
pub(crate) struct WindowFrequency {
    window: Mutex<Window<Key>>,
}

#[pymethods]
impl WindowFrequency {
    #[new]
    fn new(width: u64, panes: u64, sketch_width: usize, heavy_hitters: usize) -> Self {
        let window = Window::new(width, panes, Precision { sketch_width, heavy_hitters });
        WindowFrequency { window: Mutex::new(window) }
    }

    fn record(&self, key: &Bound<'_, PyAny>) -> PyResult<()> {
        let (hash, key) = hashed(key)?;
        lock(&self.window).record(hash, &key);
        Ok(())
    }

    fn probability(&self, key: &Bound<'_, PyAny>) -> PyResult<f64> {
        let (hash, _) = hashed(key)?;
        Ok(lock(&self.window).probability(hash))
    }

    fn heavy_hitters(&self) -> Vec<(Key, f64)> {
        lock(&self.window).heavy_hitters()
    }

    #[getter]
    fn requests(&self) -> u64 {
        lock(&self.window).requests()
    }

    #[getter]
    fn memory_bytes(&self) -> usize {
        lock(&self.window).memory_bytes()
    }
}

/// Counts that halve with every half-life.
#[pyclass(frozen, module = "augury._core")]
pub(crate) struct DecayedFrequency {
    decayed: Mutex<Decayed<Key>>,
}

#[pymethods]
impl DecayedFrequency {
    #[new]
    fn new(half_life: f64, sketch_width: usize, heavy_hitters: usize) -> Self {
        let decayed = Decayed::new(half_life, Precision { sketch_width, heavy_hitters });
        DecayedFrequency { decayed: Mutex::new(decayed) }
    }

    fn record(&self, key: &Bound<'_, PyAny>, time: f64) -> PyResult<()> {
        let (hash, key) = hashed(key)?;
        lock(&self.decayed).record(hash, &key, time);
        Ok(())
    }

    fn probability(&self, key: &Bound<'_, PyAny>) -> PyResult<f64> {
        let (hash, _) = hashed(key)?;
        Ok(lock(&self.decayed).probability(hash))
    }

    fn heavy_hitters(&self) -> Vec<(Key, f64)> {
        lock(&self.decayed).heavy_hitters()
    }

    #[getter]
    fn requests(&self) -> f64 {
        lock(&self.decayed).requests()
    }

    #[getter]
    fn memory_bytes(&self) -> usize {
        lock(&self.decayed).memory_bytes()
    }
}
