//! What changes of an entry that stays: its deadline, or its value.
//!
//! An [`Entry`] is frozen, so a changed copy of it is put in its place if it is still there, by its
//! address: compare and set. A listener is not told of a copy with the same value.

use augury_core::cache::{Gone, Newcomer, Outcome, Peeked, When};
use augury_core::clock::Millis;
use augury_core::metrics::RemovalCause;
use pyo3::prelude::*;

use super::entry::{Entry, NEVER};
use super::key::Asked;
use super::{Cache, Inner, Object};

#[pymethods]
impl Cache {
    /// Gives the entry a TTL from now on, in seconds: the cache's own, or this one. Whether there
    /// was an entry. Tags, TTI and the time of being stale stay. Not a request.
    #[pyo3(signature = (key, ttl=None))]
    fn touch(&self, key: &Bound<'_, PyAny>, ttl: Option<f64>) -> PyResult<bool> {
        let inner = self.inner()?;
        let lifetime = inner.life.lifetime(ttl)?;
        let asked = Asked::new(key)?;
        loop {
            let Some(found) = inner.found(asked)? else { return Ok(false) };
            let stored = found.value.bind(key.py());
            if inner.is_entry(stored) {
                let entry = stored.cast_exact::<Entry>()?.get();
                let value = entry.value.clone_ref(key.py());
                let renewed = entry.renewed(key.py(), value, lifetime, inner.time.now());
                let deadline = renewed.deadline(inner.time.now());
                if inner.exchange(asked, &found, deadline, renewed, true)? {
                    return Ok(true);
                }
            } else {
                let deadline = lifetime.map(|lifetime| inner.time.now().saturating_add(lifetime));
                let mut left = Gone::new();
                let engine = inner.engine_of(asked, &mut left)?;
                let was_there =
                    engine.set_deadline(asked, deadline, &mut left).map_err(|error| *error)?;
                inner.tell(key.py(), left);
                return Ok(was_there);
            }
        }
    }

    /// Puts `new` in the place of `old`, if that very object is the key's value: compare and set.
    /// Whether `new` is resident now. Deadline and tags stay. A use of the entry and no request.
    fn replace(
        &self,
        key: &Bound<'_, PyAny>,
        old: &Bound<'_, PyAny>,
        new: &Bound<'_, PyAny>,
    ) -> PyResult<bool> {
        let (inner, py) = (self.inner()?, key.py());
        let size = inner.size(key, new)?;
        let asked = Asked::new(key)?;
        let Some(mut found) = inner.found(asked)? else { return Ok(false) };
        let stored = found.value.bind(py);
        let is_same = inner.shown(stored).is_some_and(|value| value.is(old));
        if !is_same {
            return Ok(false);
        }
        inner.written(key)?;
        found.size = size;
        let is_resident = if inner.is_entry(stored) {
            let copy = stored.cast_exact::<Entry>()?.get().with_value(py, new.clone().unbind());
            inner.exchange(asked, &found, copy.deadline(inner.time.now()), copy, false)?
        } else {
            inner.swap(asked, &found, found.deadline, new.clone().unbind(), false)?
        };
        if is_resident && let Some(recorder) = inner.recorder.get() {
            recorder.bind(py).call1((key, "set", size, None::<f64>))?;
        }
        Ok(is_resident)
    }
}

impl Inner {
    /// What is resident under the key, if it is fresh and valid.
    fn found(&self, asked: Asked<'_, '_>) -> PyResult<Option<Peeked<Object>>> {
        let py = asked.key.py();
        self.time.ask(py)?;
        let mut left = Gone::new();
        let engine = self.engine_of(asked, &mut left)?;
        let found = engine.peek(asked, &mut left).map_err(|error| *error)?;
        self.tell(py, left);
        Ok(found.filter(|found| self.shown(found.value.bind(py)).is_some()))
    }

    fn exchange(
        &self,
        asked: Asked<'_, '_>,
        found: &Peeked<Object>,
        deadline: Option<Millis>,
        entry: Entry,
        is_same_value: bool,
    ) -> PyResult<bool> {
        let entry = Bound::new(asked.key.py(), entry)?.into_any().unbind();
        self.swap(asked, found, deadline, entry, is_same_value)
    }

    /// Stores in place of what was found, if it is still there; whether it is resident now.
    fn swap(
        &self,
        asked: Asked<'_, '_>,
        found: &Peeked<Object>,
        deadline: Option<Millis>,
        value: Object,
        is_same_value: bool,
    ) -> PyResult<bool> {
        let mut left = Gone::new();
        let newcomer = Newcomer {
            hash: asked.hash,
            key: asked.key.clone().unbind(),
            value,
            size: found.size,
            deadline,
            is_forced: false,
            namespace: 0,
            heard: 0,
        };
        let is_found = |resident: &Object| resident.as_ptr() == found.value.as_ptr();
        let engine = self.engine_of(asked, &mut left)?;
        let when = When::Matching(&is_found);
        let outcome = engine.insert(newcomer, when, asked, &mut left).map_err(|error| *error)?;
        self.reserve_pins(&mut left);
        if is_same_value {
            left.retain(|removed| removed.cause != RemovalCause::Replaced);
        }
        self.tell(asked.key.py(), left);
        Ok(outcome == Outcome::Replaced)
    }
}

impl Entry {
    /// A copy with another value.
    fn with_value(&self, py: Python<'_>, value: Object) -> Entry {
        let mut copy = Entry::new(value);
        copy.tags = self.tags.iter().map(|(tag, made)| (tag.clone_ref(py), *made)).collect();
        (copy.fresh_until, copy.expires_at) = (self.fresh_until, self.expires_at);
        (copy.tti, copy.load_seconds) = (self.tti, self.load_seconds);
        copy
    }

    /// A copy with the TTL anew; it stays stale as long as before.
    fn renewed(
        &self,
        py: Python<'_>,
        value: Object,
        lifetime: Option<Millis>,
        now: Millis,
    ) -> Entry {
        let mut copy = self.with_value(py, value);
        let stale = self.expires_at.saturating_sub(self.fresh_until);
        copy.fresh_until = lifetime.map_or(NEVER, |lifetime| now.saturating_add(lifetime));
        copy.expires_at = copy.fresh_until.saturating_add(stale);
        copy
    }
}
