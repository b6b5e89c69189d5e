//! The key asked for: its hash, and how it recognises a resident key.
//!
//! Numbers, text, bytes and tuples of them are compared under the shard's lock: their comparison
//! runs no foreign code, allocates no container and so starts no collection. Anything else is
//! compared outside it.

use augury_core::cache::Probe;
use augury_core::hash::mix;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt, PyString, PyTuple};

use super::Object;

/// Items of a tuple that are looked at, and how deep: memoized arguments are of this kind.
const ITEMS: usize = 32;
const DEPTH: usize = 3;

/// See the module's head.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a, 'py> {
    pub(super) key: &'a Bound<'py, PyAny>,
    /// Well-mixed.
    pub(super) hash: u64,
    /// Python's own.
    raw: isize,
}

impl<'a, 'py> Asked<'a, 'py> {
    #[inline]
    pub(super) fn new(key: &'a Bound<'py, PyAny>) -> PyResult<Self> {
        let raw = key.hash()?;
        Ok(Asked { key, hash: mix(raw as u64), raw })
    }
}

impl Probe<Object> for Asked<'_, '_> {
    type Error = Box<PyErr>;

    /// As for Python's dictionaries, identity is equality.
    #[inline]
    fn quick(&self, key: &Object) -> Option<bool> {
        if key.as_ptr() == self.key.as_ptr() {
            return Some(true);
        }
        plainly_equal(key.bind(self.key.py()), self.key)
    }

    fn matches(&mut self, key: &Object) -> Result<bool, Box<PyErr>> {
        key.bind(self.key.py()).eq(self.key).map_err(Box::new)
    }

    /// A small integer is its own hash; for a large one the hash has to do.
    #[inline]
    fn number(&self) -> Option<u64> {
        (self.raw >= 0 && self.key.is_exact_instance_of::<PyInt>()).then_some(self.raw as u64)
    }
}

/// Whether two objects are equal, where that takes no foreign code to tell.
#[inline]
fn plainly_equal(one: &Bound<'_, PyAny>, other: &Bound<'_, PyAny>) -> Option<bool> {
    if one.get_type_ptr() != other.get_type_ptr() || !is_plain(one, 0) || !is_plain(other, 0) {
        return None;
    }
    one.eq(other).ok()
}

/// Whether the object is of a built-in type, all the way down.
#[inline]
fn is_plain(object: &Bound<'_, PyAny>, depth: usize) -> bool {
    object.is_exact_instance_of::<PyString>()
        || object.is_exact_instance_of::<PyInt>()
        || is_rarely_plain(object, depth)
}

fn is_rarely_plain(object: &Bound<'_, PyAny>, depth: usize) -> bool {
    if let Ok(tuple) = object.cast_exact::<PyTuple>() {
        return depth < DEPTH
            && tuple.len() <= ITEMS
            && tuple.iter_borrowed().all(|item| is_plain(&item, depth + 1));
    }
    object.is_exact_instance_of::<PyBytes>()
        || object.is_exact_instance_of::<PyFloat>()
        || object.is_exact_instance_of::<PyBool>()
        || object.is_none()
}
