//! How long entries live: TTL, TTI, jitter, and what is stored for it.

use std::sync::atomic::{AtomicU64, Ordering};

use augury_core::clock::Millis;
use augury_core::hash::mix;
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::entry::{Entry, NEVER, Tag};
use super::{Inner, Manner, Object};
use crate::errors;

/// Seconds.
const LONGEST: f64 = u32::MAX as f64;

/// What holds for entries of which nothing else is said.
pub(super) struct Life {
    ttl: Option<f64>,
    tti: Option<f64>,
    /// Share by which a TTL is shortened at most.
    jitter: f64,
    state: AtomicU64,
}

impl Life {
    pub(super) fn new(
        ttl: Option<f64>,
        tti: Option<f64>,
        jitter: f64,
        seed: u64,
    ) -> PyResult<Self> {
        let (ttl, tti) = (checked("ttl", ttl)?, checked("tti", tti)?);
        if !(0.0..1.0).contains(&jitter) {
            return Err(errors::of_jitter(jitter));
        }
        Ok(Life { ttl, tti, jitter, state: AtomicU64::new(seed) })
    }

    pub(super) fn ttl(&self) -> Option<f64> {
        self.ttl
    }

    /// Milliseconds that an entry with this TTL has, or with the cache's own; none for ever.
    pub(super) fn lifetime(&self, ttl: Option<f64>) -> PyResult<Option<Millis>> {
        let ttl = match ttl {
            None => self.ttl,
            some => checked("ttl", some)?,
        };
        Ok(ttl.map(|ttl| self.jittered(ttl)))
    }

    /// What is stored for this value, and its deadline.
    #[inline]
    pub(super) fn prepare(
        &self,
        inner: &Inner,
        value: &Bound<'_, PyAny>,
        manner: Manner<'_, '_>,
    ) -> PyResult<(Object, Option<Millis>)> {
        let ttl = match manner.ttl {
            None => self.ttl,
            some => checked("ttl", some)?,
        };
        let tti = match manner.tti {
            None => self.tti,
            some => checked("tti", some)?,
        };
        let is_plain = tti.is_none()
            && manner.tags.is_none()
            && manner.stale <= 0.0
            && manner.load_seconds <= 0.0;
        if is_plain {
            let Some(ttl) = ttl else { return Ok((value.clone().unbind(), None)) };
            let deadline = inner.time.now().saturating_add(self.jittered(ttl));
            return Ok((value.clone().unbind(), Some(deadline)));
        }
        self.wrap(inner, value, ttl, tti, manner)
    }

    #[cold]
    fn wrap(
        &self,
        inner: &Inner,
        value: &Bound<'_, PyAny>,
        ttl: Option<f64>,
        tti: Option<f64>,
        manner: Manner<'_, '_>,
    ) -> PyResult<(Object, Option<Millis>)> {
        let now = inner.time.now();
        let mut entry = Entry::new(value.clone().unbind());
        if let Some(tags) = manner.tags {
            if tags.is_instance_of::<PyString>() {
                return Err(errors::of_tags(tags));
            }
            let tags = tags.try_iter()?.map(|name| tag(inner, &name?));
            entry.tags = tags.collect::<PyResult<_>>()?;
        }
        entry.tti = tti.map(millis);
        entry.load_seconds = manner.load_seconds;
        if let Some(ttl) = ttl {
            entry.fresh_until = now.saturating_add(self.jittered(ttl));
            let stale = if manner.stale > 0.0 { millis(manner.stale.min(LONGEST)) } else { 0 };
            entry.expires_at = entry.fresh_until.saturating_add(stale).min(NEVER - 1);
        }
        let deadline = entry.deadline(now);
        inner.has_entries.store(true, Ordering::Relaxed);
        let stored = Bound::new(value.py(), entry)?.into_any().unbind();
        Ok((stored, deadline))
    }

    /// The TTL in milliseconds, shortened by a random share of it up to the jitter.
    #[inline]
    fn jittered(&self, ttl: f64) -> Millis {
        if self.jitter <= 0.0 {
            return millis(ttl);
        }
        millis(ttl * (1.0 - self.jitter * self.draw()))
    }

    /// From 0 to below 1, evenly.
    pub(super) fn draw(&self) -> f64 {
        let drawn = mix(self.state.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed));
        (drawn >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// The tag of this name, and its generation now. A name whose last entry has gone is forgotten; of
/// two threads that name it first at the same time both are given the same tag.
pub(super) fn tag(inner: &Inner, name: &Bound<'_, PyAny>) -> PyResult<(Py<Tag>, u64)> {
    let table = inner.tags.bind(name.py());
    let found = table.call_method1(pyo3::intern!(name.py(), "named"), (name,))?;
    let tag = found.cast_into::<Tag>()?;
    let generation = tag.get().generation();
    Ok((tag.unbind(), generation))
}

/// Whole milliseconds, at least one.
fn millis(seconds: f64) -> Millis {
    (seconds * 1e3).ceil().max(1.0) as Millis
}

/// Seconds above 0; none for ever, which infinity is too.
fn checked(name: &str, seconds: Option<f64>) -> PyResult<Option<f64>> {
    match seconds {
        None => Ok(None),
        Some(f64::INFINITY) => Ok(None),
        Some(seconds) if seconds > 0.0 && seconds <= LONGEST => Ok(Some(seconds)),
        Some(seconds) => Err(errors::of_seconds(name, seconds, LONGEST)),
    }
}
