//! Reading through: what a hit of a cache that loads needs, and what a load may store.
//!
//! A hit is answered here. Everything else (who loads, who waits, what is served meanwhile) is up
//! to the loading layer, a Python function that [`Cache::load_with`] is given; it is called under
//! no lock. A load stores by its [`Permit`], which a later write of the key takes away.

use augury_core::cache::{self, Outcome, When};
use pyo3::prelude::*;

use super::ahead::session_of;
use super::entry::{Entry, NEVER};
use super::key::Asked;
use super::mapping::is_resident;
use super::{Asker, Cache, Inner, Manner, Object};
use crate::errors;

/// Who is asked where a hit is not enough.
pub(super) struct Reader {
    /// Called with the cache, key, loader, TTL, tags, timeout and namespace; returns the value.
    pub(super) miss: Object,
    /// Whether `cache[key]` loads too.
    pub(super) loads_items: bool,
    /// How early entries are loaded anew, as XFetch's beta; 0 for not before their TTL.
    pub(super) beta: f64,
}

/// A load's right to store what it has found. A write of the key while the load is under way
/// takes it away: the load may have read what was there before.
#[pyclass(frozen, module = "augury._core")]
#[derive(Default)]
pub(crate) struct Permit {
    held: cache::Permit,
}

impl Permit {
    /// The condition under which its load stores.
    pub(super) fn when(&self) -> When<'_, Object> {
        When::Permitted(&self.held)
    }
}

#[pymethods]
impl Permit {
    #[new]
    fn new() -> Self {
        Permit::default()
    }

    /// Takes it away.
    fn revoke(&self) {
        self.held.revoke();
    }

    #[getter]
    pub(super) fn is_revoked(&self) -> bool {
        self.held.is_revoked()
    }
}

impl Inner {
    /// As `get`, but none where the entry should be loaded anew before its time: its `is_due` is
    /// set then, and a hit was counted.
    #[inline]
    pub(super) fn ready<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        session: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let beta = self.reader.get().map_or(0.0, |reader| reader.beta);
        self.look(key, Asker { beta, session: self.session(session)?, is_followed: true })
    }

    /// The number of who asks, which counts for predictions alone.
    #[inline]
    pub(super) fn session(&self, session: Option<&Bound<'_, PyAny>>) -> PyResult<u32> {
        let is_wanted = session.is_some() && self.ahead.get().is_some();
        if is_wanted { session_of(session) } else { Ok(0) }
    }

    /// Whether to load the entry before its TTL has passed: the earlier the longer a load takes
    /// and the larger beta is, and at random, so that the callers of one moment do not all do it.
    ///
    /// Vattani, Chierichetti, Lowenstein, "Optimal probabilistic cache stampede prevention",
    /// VLDB 2015: XFetch. Who draws it is served what there is, and others draw no more once a
    /// load is claimed.
    pub(super) fn is_early(&self, entry: &Entry, beta: f64, now: u64) -> bool {
        if beta <= 0.0 || entry.load_seconds <= 0.0 || entry.fresh_until == NEVER {
            return false;
        }
        if entry.is_claimed() {
            return false;
        }
        let lead = -(1.0 - self.life.draw()).ln() * beta * entry.load_seconds * 1e3;
        lead >= entry.fresh_until.saturating_sub(now) as f64
    }
}

#[pymethods]
impl Cache {
    /// Makes this function answer where a hit is not enough.
    fn load_with(&self, miss: Object, loads_items: bool, beta: f64) -> PyResult<()> {
        let reader = Reader { miss, loads_items, beta };
        self.inner()?.reader.set(reader).map_err(|_| errors::of_second_start())
    }

    /// The value under the key; where there is none, what ``loader(key)`` returns, which is
    /// stored. Of many callers at once one loads, and the others wait for it.
    ///
    /// ``loader`` is the cache's own where it is None. ``ttl`` in seconds and ``tags`` are those of
    /// the stored entry, ``timeout`` the seconds that this caller waits at most (the cache's
    /// ``load_timeout`` by default), ``namespace`` the name that the load's time is accounted
    /// to (by default a text key up to its first ``:`` or ``/``). ``session`` is who asks, any
    /// hashable object: prefetching learns what follows what within a session.
    ///
    /// Raises what the loader raises; ``NotFound`` without a load where the key's absence is
    /// remembered; ``LoadError`` where the time is up, or where loads wait for each other.
    #[pyo3(signature = (key, loader=None, *, ttl=None, tags=None, timeout=None, namespace=None,
        session=None))]
    #[allow(clippy::too_many_arguments)]
    fn get_or_load<'py>(
        slf: &Bound<'py, Self>,
        key: &Bound<'py, PyAny>,
        loader: Option<&Bound<'py, PyAny>>,
        ttl: Option<&Bound<'py, PyAny>>,
        tags: Option<&Bound<'py, PyAny>>,
        timeout: Option<&Bound<'py, PyAny>>,
        namespace: Option<&Bound<'py, PyAny>>,
        session: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let inner = slf.get().inner()?;
        if let Some(value) = inner.ready(key, session)? {
            return Ok(value);
        }
        let reader = inner.reader.get().ok_or_else(errors::of_uninitialised)?;
        reader.miss.bind(key.py()).call1((slf, key, loader, ttl, tags, timeout, namespace))
    }

    /// The value if it is fresh and not to be loaded anew before its time, else the default.
    #[pyo3(signature = (key, default, session=None))]
    fn ready<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        default: Bound<'py, PyAny>,
        session: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.inner()?.ready(key, session)?.unwrap_or(default))
    }

    /// The entry under the key with the seconds since its TTL has passed, negative while it has
    /// not; none where it has no `Entry` or was invalidated. Not a request.
    fn past<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Option<(Bound<'py, Entry>, f64)>> {
        let inner = self.inner()?;
        let Some(stored) = inner.stored(key)? else { return Ok(None) };
        let stored = stored.into_bound(key.py());
        if !inner.is_entry(&stored) {
            return Ok(None);
        }
        let entry = stored.cast_into_exact::<Entry>()?;
        if !entry.get().is_valid() {
            return Ok(None);
        }
        let seconds = (inner.time.now() as f64 - entry.get().fresh_until as f64) / 1e3;
        Ok(Some((entry, seconds)))
    }

    /// As `set`, for a load: whether the value is resident, or None where its permit is gone.
    #[allow(clippy::too_many_arguments)]
    fn store<'py>(
        &self,
        permit: &Bound<'py, Permit>,
        key: &Bound<'py, PyAny>,
        value: &Bound<'py, PyAny>,
        ttl: Option<f64>,
        tags: Option<&Bound<'py, PyAny>>,
        stale: f64,
        load_seconds: f64,
        namespace: u16,
    ) -> PyResult<Option<bool>> {
        let inner = self.inner()?;
        // How long the load took is of use for early loads only, and costs a hit an `Entry`.
        let is_told = inner.reader.get().is_some_and(|reader| reader.beta > 0.0);
        let manner = Manner {
            ttl,
            tags,
            stale,
            load_seconds: if is_told { load_seconds } else { 0.0 },
            namespace,
            ..Manner::default()
        };
        let outcome = inner.set(key, value, manner, permit.get().when())?;
        Ok((outcome != Outcome::Declined).then(|| is_resident(outcome)))
    }

    /// Removes what a load has found to be gone, if it still may.
    fn discard(&self, permit: &Bound<'_, Permit>, key: &Bound<'_, PyAny>) -> PyResult<()> {
        if !permit.get().is_revoked() {
            self.inner()?.remove(Asked::new(key)?)?;
        }
        Ok(())
    }
}
