//! What is kept of an entry that has more than a key and a value: tags, a TTI, freshness.
//!
//! Most have no more, and their value is stored as it is. One that has is stored as an [`Entry`]
//! object in the value's place; nobody outside is ever given it, so a look at the type tells.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use augury_core::clock::Millis;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use super::Object;

/// No such time.
pub(super) const NEVER: Millis = Millis::MAX;

/// A name for entries that are invalidated together. Their number of generations tells whether
/// an entry is older than the latest invalidation.
#[pyclass(frozen, weakref, module = "augury._core")]
#[derive(Default)]
pub(crate) struct Tag {
    generation: AtomicU64,
}

#[pymethods]
impl Tag {
    #[new]
    fn new() -> Self {
        Tag::default()
    }

    /// Every entry that has the tag now is gone.
    fn invalidate(&self) {
        self.generation.fetch_add(1, Ordering::Relaxed);
    }
}

impl Tag {
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }
}

/// See the module's head.
#[pyclass(frozen, module = "augury._core")]
pub(crate) struct Entry {
    pub(super) value: Object,
    /// Tags, and their generations when the entry was made.
    pub(super) tags: Box<[(Py<Tag>, u64)]>,
    /// From then on it is served only to those who take what is stale.
    pub(super) fresh_until: Millis,
    /// From then on it is not served at all, whenever it was last asked for.
    pub(super) expires_at: Millis,
    /// Time since the latest access after which it expires.
    pub(super) tti: Option<Millis>,
    /// Seconds that its load took; 0 where it was not loaded.
    #[pyo3(get)]
    pub(super) load_seconds: f64,
    /// Whether somebody is loading it anew.
    refreshing: AtomicBool,
    /// Whether it was drawn to be loaded anew before its time.
    due: AtomicBool,
}

impl Entry {
    pub(super) fn new(value: Object) -> Self {
        Entry {
            value,
            tags: Box::default(),
            fresh_until: NEVER,
            expires_at: NEVER,
            tti: None,
            load_seconds: 0.0,
            refreshing: AtomicBool::new(false),
            due: AtomicBool::new(false),
        }
    }

    /// Whether none of its tags has been invalidated.
    pub(super) fn is_valid(&self) -> bool {
        self.tags.iter().all(|(tag, generation)| tag.get().generation() == *generation)
    }

    pub(super) fn is_claimed(&self) -> bool {
        self.refreshing.load(Ordering::Relaxed)
    }

    pub(super) fn set_due(&self) {
        self.due.store(true, Ordering::Relaxed);
    }

    /// The deadline after an access.
    pub(super) fn deadline(&self, now: Millis) -> Option<Millis> {
        let idle = self.tti.map_or(NEVER, |tti| now.saturating_add(tti));
        let deadline = idle.min(self.expires_at);
        (deadline != NEVER).then_some(deadline)
    }
}

#[pymethods]
impl Entry {
    #[getter]
    fn value(&self, py: Python<'_>) -> Object {
        self.value.clone_ref(py)
    }

    /// Claims the right to load it anew: true for the first who asks.
    fn claim(&self) -> bool {
        !self.refreshing.swap(true, Ordering::AcqRel)
    }

    /// Whether it was drawn to be loaded anew before its time.
    #[getter]
    fn is_due(&self) -> bool {
        self.due.load(Ordering::Relaxed)
    }

    /// Gives the right back.
    fn release(&self) {
        self.due.store(false, Ordering::Relaxed);
        self.refreshing.store(false, Ordering::Release);
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.tags.iter().try_for_each(|(tag, _)| visit.call(tag))?;
        visit.call(&self.value)
    }
}
