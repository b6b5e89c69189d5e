//! What a page shows of single entries: some of what leaves, and the entries in turn.
//!
//! Nothing of it is done before somebody serves a page of the cache.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use augury_core::cache::{Cursor, Gone, Noted};
use augury_core::metrics::RemovalCause;
use augury_core::policy::explanation::Explanation;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::engine::Left;
use super::key::Asked;
use super::{Cache, Inner, Object};
use crate::explain;

/// Key, size and share of an entry.
type Shown<'py> = (Bound<'py, PyAny>, u32, Option<f64>);
/// A key that has left, and what the policy says of it.
type Told<'py> = (Bound<'py, PyAny>, Option<Bound<'py, PyDict>>);

/// What has left that is kept.
const KEPT: usize = 32;
/// And that is noted between two looks.
const AT_ONCE: u32 = 16;

/// Something that has left.
struct Leaver {
    key: Object,
    found: Option<Explanation>,
}

/// See the module's head.
#[derive(Default)]
pub(super) struct Watching {
    /// The latest last.
    leavers: Mutex<VecDeque<Leaver>>,
    room: AtomicU32,
    /// Which engine, and how far in it.
    walk: Mutex<(usize, Cursor)>,
}

impl Watching {
    /// Shows the garbage collector the keys that are held.
    pub(super) fn visit(&self, show: &mut dyn FnMut(&Object)) {
        // Whoever has the lock runs no collection under it.
        let Ok(leavers) = self.leavers.try_lock() else { return };
        leavers.iter().for_each(|leaver| show(&leaver.key));
    }

    /// Lets go of the keys.
    pub(super) fn abandon(&self) {
        let leavers =
            std::mem::take(&mut *self.leavers.lock().unwrap_or_else(PoisonError::into_inner));
        // Unlocked: a key's destructor may be anybody's code.
        drop(leavers);
    }
}

impl Inner {
    /// Notes some of what has left for room, with what was decided about it.
    #[cold]
    pub(super) fn note_left(&self, py: Python<'_>, watching: &Watching, left: &Left) {
        for removed in left.iter().filter(|removed| removed.cause == RemovalCause::Evicted) {
            let room = watching.room.load(Ordering::Relaxed);
            if room == 0 {
                return;
            }
            watching.room.store(room - 1, Ordering::Relaxed);
            let key = removed.key.bind(py);
            // A key whose hash or comparison raises is noted without reasons.
            let found = Asked::new(key).ok().and_then(|asked| {
                let mut other = Gone::new();
                let found = self.engine.explain(asked, &mut other).ok().flatten();
                self.tell(py, other);
                found
            });
            let leaver = Leaver { key: key.clone().unbind(), found };
            let mut leavers = watching.leavers.lock().unwrap_or_else(PoisonError::into_inner);
            leavers.push_back(leaver);
            let oldest = if leavers.len() > KEPT { leavers.pop_front() } else { None };
            drop(leavers);
            // A key's destructor may be anybody's code: it runs unlocked.
            drop(oldest);
        }
    }
}

#[pymethods]
impl Cache {
    /// Notes some of what leaves from now on.
    fn note_leavers(&self) -> PyResult<()> {
        self.inner()?.watching.get_or_init(Box::default);
        Ok(())
    }

    /// What has left for room lately, the latest first: key, and what the policy says of it. More is
    /// noted from now on.
    fn leavers<'py>(&self, py: Python<'py>) -> PyResult<Vec<Told<'py>>> {
        let Some(watching) = self.inner()?.watching.get() else { return Ok(Vec::new()) };
        watching.room.store(AT_ONCE, Ordering::Relaxed);
        let noted: Vec<_> = {
            let leavers = watching.leavers.lock().unwrap_or_else(PoisonError::into_inner);
            leavers.iter().rev().map(|it| (it.key.clone(), it.found.clone())).collect()
        };
        let told = noted.into_iter().map(|(key, found)| {
            let found = found.map(|found| explain::explanation(py, &found)).transpose()?;
            Ok((key.into_bound(py), found))
        });
        told.collect()
    }

    /// About so many of the entries that come next, in turn: key, size, and the share of the requests
    /// that it has had of late; and whether the round has come to its end.
    fn next_noted<'py>(&self, py: Python<'py>, count: usize) -> PyResult<(Vec<Shown<'py>>, bool)> {
        let inner = self.inner()?;
        let Some(watching) = inner.watching.get() else { return Ok((Vec::new(), true)) };
        let (mut at, mut cursor) = *watching.walk.lock().unwrap_or_else(PoisonError::into_inner);
        let mut batch: Vec<Noted<Object>> = Vec::new();
        let mut is_end = false;
        while batch.len() < count {
            let Some(engine) = inner.engines().nth(at) else {
                (at, is_end) = (0, true);
                break;
            };
            if !engine.next_noted(&mut cursor, &mut batch) {
                (at, cursor) = (at + 1, Cursor::default());
            }
        }
        *watching.walk.lock().unwrap_or_else(PoisonError::into_inner) = (at, cursor);
        let told = batch.into_iter().map(|it| (it.key.into_bound(py), it.size, it.share));
        Ok((told.collect(), is_end))
    }
}
