//! What a file keeps of a cache, and its way back; the file itself is the package's business.
//!
//! Times leave and come as milliseconds from now: the clock is another one after a restart.

use std::sync::atomic::Ordering;

use augury_core::cache::{Export, Gone, Kept, Memory};
use augury_core::clock::Millis;
use augury_core::history::{SAVED_BYTES, SavedHistory};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use super::entry::{Entry, NEVER};
use super::key::Asked;
use super::life::tag;
use super::{Cache, Inner, Object};
use crate::errors;

/// What an entry has beside key and value: milliseconds that it is fresh, that it may be served
/// and of its TTI, seconds that its load took, and its tags.
type Extra<'py> = (Option<Millis>, Option<Millis>, Option<Millis>, f64, Vec<Bound<'py, PyAny>>);
/// A shard's tick, and what it has learned.
type Learned<'py> = (u64, Option<Bound<'py, PyBytes>>);

fn remaining(until: Millis, now: Millis) -> Option<Millis> {
    (until != NEVER).then(|| until.saturating_sub(now))
}

fn from_now(left: Option<Millis>, now: Millis) -> Millis {
    left.map_or(NEVER, |left| now.saturating_add(left).min(NEVER - 1))
}

impl Inner {
    /// An entry as the package sees it; none where it is no longer valid.
    fn exported<'py>(
        &self,
        py: Python<'py>,
        kept: Kept<Object, Object>,
        is_pinned: bool,
    ) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let now = self.time.now();
        let left = kept.deadline.and_then(|at| remaining(at, now));
        let history = kept.history.map(|history| PyBytes::new(py, &history.to_bytes()));
        let stored = kept.value.into_bound(py);
        let (value, extra) = if self.is_entry(&stored) {
            let entry = stored.cast_exact::<Entry>()?.get();
            if !entry.is_valid() {
                return Ok(None);
            }
            let tags: Vec<_> = entry.tags.iter().map(|(tag, _)| tag.bind(py).clone()).collect();
            let (fresh, expires) =
                (remaining(entry.fresh_until, now), remaining(entry.expires_at, now));
            let extra = (fresh, expires, entry.tti, entry.load_seconds, tags);
            (entry.value.bind(py).clone(), Some(extra))
        } else {
            (stored, None)
        };
        let told = (kept.key, value, kept.size, is_pinned, left, history, extra);
        told.into_pyobject(py).map(Some)
    }
}

#[pymethods]
impl Cache {
    /// The memories of the shards, and the entries about in the order in which they would leave.
    fn export<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Vec<Learned<'py>>, Vec<Bound<'py, PyTuple>>)> {
        let inner = self.inner()?;
        inner.time.ask(py)?;
        let Export { entries, memories } = inner.engine.export();
        let pinned = inner.pins.get().map(|pins| pins.export().entries).unwrap_or_default();
        let entries = entries.into_iter().map(|kept| (kept, false));
        let all = entries.chain(pinned.into_iter().map(|kept| (kept, true)));
        let told =
            all.filter_map(|(kept, is_pinned)| inner.exported(py, kept, is_pinned).transpose());
        let learned = memories.into_iter().map(|Memory { tick, learned }| {
            (tick, learned.map(|learned| PyBytes::new(py, &learned)))
        });
        Ok((learned.collect(), told.collect::<PyResult<_>>()?))
    }

    /// Goes on with what another cache has learned; before anything is stored.
    fn restore_memory(&self, memories: Vec<(u64, Option<Vec<u8>>)>) -> PyResult<()> {
        let memory = |(tick, learned)| Memory { tick, learned };
        let memories: Vec<Memory> = memories.into_iter().map(memory).collect();
        self.inner()?.engine.restore_memory(&memories).map_err(errors::of_saved)
    }

    /// The size of an entry.
    fn measure(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<u32> {
        self.inner()?.size(key, value)
    }

    /// Adds an entry of another cache; whether it is resident now. Its size is measured anew where
    /// none is given.
    #[allow(clippy::too_many_arguments)]
    fn restore<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        value: &Bound<'py, PyAny>,
        size: Option<u32>,
        is_pinned: bool,
        left: Option<Millis>,
        history: Option<[u8; SAVED_BYTES]>,
        extra: Option<Extra<'py>>,
    ) -> PyResult<bool> {
        let (py, inner, mut gone) = (key.py(), self.inner()?, Gone::new());
        inner.time.ask(py)?;
        let asked = Asked::new(key)?;
        let size = size.map_or_else(|| inner.size(key, value), Ok)?;
        let now = inner.time.now();
        let value = match extra {
            None => value.clone().unbind(),
            Some((fresh, expires, tti, load_seconds, tags)) => {
                let mut entry = Entry::new(value.clone().unbind());
                entry.fresh_until = from_now(fresh, now);
                entry.expires_at = from_now(expires, now);
                entry.tti = tti;
                entry.load_seconds = load_seconds;
                entry.tags = tags.iter().map(|name| tag(inner, name)).collect::<PyResult<_>>()?;
                inner.has_entries.store(true, Ordering::Relaxed);
                Bound::new(py, entry)?.into_any().unbind()
            }
        };
        let kept = Kept {
            key: key.clone().unbind(),
            value,
            size,
            deadline: left.map(|left| from_now(Some(left), now)),
            history: history.map(|bytes| SavedHistory::from_bytes(&bytes)),
        };
        let engine = if is_pinned { inner.pins() } else { inner.engine_of(asked, &mut gone)? };
        let is_resident = engine.restore(asked, kept, &mut gone).map_err(|error| *error)?;
        inner.reserve_pins(&mut gone);
        inner.tell(py, gone);
        Ok(is_resident)
    }
}
