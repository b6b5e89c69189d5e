//! Prefetch: what waits to be asked for, beside a cache that loads.
//!
//! On a miss the predictor hears of it ([`foresight`](super::foresight)); what it wants fetched is
//! loaded by the loading layer, a Python function that [`Cache::prefetch_with`] is given. What a
//! load brings waits in a stage of its own, invisible to the policy and to all who look into the
//! cache; its room is reserved in the cache's engine. The first who asks for it takes it into the
//! cache: to the policy the miss and the insertion that it would have seen anyway, to everyone
//! else a hit.
//!
//! The state's lock is held for bookkeeping alone: under it no foreign code runs and no object is
//! dropped. A shard's lock may be taken under it, never the other way round.

use std::hash::{DefaultHasher, Hasher};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use augury_core::cache::{Gone, Newcomer, Outcome, Probe, When};
use augury_core::hash::mix;
use augury_core::request::Access;
use augury_replay::replay::PolicyName;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};

use super::engine::{Engine, Left, Plan};
use super::entry::Entry;
use super::foresight::{Foresight, Phase, Released};
use super::key::Asked;
use super::loading::Permit;
use super::{Asker, Cache, Inner, Manner, Object};
use crate::errors;

/// See the module's head.
pub(super) struct Ahead {
    foresight: Mutex<Foresight>,
    pub(super) stage: Box<dyn Engine>,
    /// Sends off what is queued, if there is time for it.
    go: Object,
}

impl Ahead {
    pub(super) fn lock(&self) -> MutexGuard<'_, Foresight> {
        self.foresight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An entry of the cache was stored with this size.
    pub(super) fn sized(&self, hash: u64, size: u32) {
        self.lock().sized(hash, size);
    }

    /// For the collector: everything that is held, if nobody is at work on it.
    pub(super) fn visit(&self, show: &mut dyn FnMut(&Object)) {
        show(&self.go);
        self.stage.visit(&mut |key, value| {
            show(key);
            show(value);
        });
        if let Ok(foresight) = self.foresight.try_lock() {
            foresight.objects().for_each(show);
        }
    }

    /// For the collector: lets go of it.
    pub(super) fn abandon(&self) {
        let _held = self.lock().take_objects();
        self.stage.clear(&mut Gone::new());
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.lock().memory_bytes() + self.stage.memory_bytes()
    }
}

impl Inner {
    /// The key is no hit: the value if it has been fetched ahead. Whoever is followed by the
    /// loading layer leaves it to that to send off what is to be fetched next, after its own load.
    #[cold]
    pub(super) fn foresee<'py>(
        &self,
        ahead: &Ahead,
        asked: Asked<'_, 'py>,
        asker: Asker,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = asked.key.py();
        let is_staged = ahead.lock().phase(asked.hash) == Some(Phase::Staged);
        let found = if is_staged { self.promote(ahead, asked)? } else { None };
        let stats = self.engine.stats();
        let number = asked.number().unwrap_or(asked.hash);
        let mut access = Access::new(asked.hash, number, 1, stats.hits + stats.misses);
        (access.session, access.namespace) = (asker.session, namespace(asked.key));
        let (key, mut released) = (asked.key.clone().unbind(), Released::default());
        let has_queued = {
            let mut foresight = ahead.lock();
            let holds = |hash| self.holds(hash);
            foresight.demand(py, access, key, found.is_some(), holds, &mut released);
            foresight.has_queued()
        };
        self.release(py, ahead, released)?;
        self.foreseen.fetch_add(u64::from(found.is_some()), Ordering::Relaxed);
        if has_queued && (found.is_some() || !asker.is_followed) {
            ahead.go.bind(py).call0()?;
        }
        Ok(found)
    }

    /// Sends off what is to be fetched, where anything is.
    pub(super) fn go_ahead(&self, py: Python<'_>) -> PyResult<()> {
        let Some(ahead) = self.ahead.get() else { return Ok(()) };
        let has_queued = ahead.lock().has_queued();
        if has_queued {
            ahead.go.bind(py).call0()?;
        }
        Ok(())
    }

    /// Takes a value out of the stage and into the cache; none where it is not fresh.
    fn promote<'py>(
        &self,
        ahead: &Ahead,
        asked: Asked<'_, 'py>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let (py, mut left) = (asked.key.py(), Gone::new());
        let found = ahead.stage.peek(asked, &mut left).map_err(|error| *error)?;
        let removed = ahead.stage.remove(asked, &mut left).map_err(|error| *error)?;
        self.pushed_out(py, ahead, left)?;
        let (Some(found), Some(removed)) = (found, removed) else { return Ok(None) };
        let stored = removed.value.bind(py);
        let Some(value) = self.shown(stored) else { return Ok(None) };
        let deadline = match stored.cast_exact::<Entry>() {
            Ok(entry) if self.is_entry(stored) => entry.get().deadline(self.time.now()),
            _ => found.deadline,
        };
        let newcomer = Newcomer {
            hash: asked.hash,
            key: removed.key,
            value: stored.clone().unbind(),
            size: found.size,
            deadline,
            is_forced: false,
            namespace: 0,
            heard: 0,
        };
        let mut left = Gone::new();
        self.reserve_pins(&mut left);
        self.engine.insert(newcomer, When::Always, asked, &mut left).map_err(|error| *error)?;
        self.tell(py, left);
        self.plan(asked, 0.0)?;
        Ok(Some(value))
    }

    /// Removes from the stage what is no longer to wait there, and drops the rest.
    fn release(&self, py: Python<'_>, ahead: &Ahead, released: Released) -> PyResult<()> {
        let mut left = Gone::new();
        for key in &released.staged {
            let asked = Asked::new(key.bind(py))?;
            let removed = ahead.stage.remove(asked, &mut left).map_err(|error| *error)?;
            left.extend(removed);
        }
        self.pushed_out(py, ahead, left)
    }

    /// These have left the stage without having been asked for. No listener is told: they never
    /// were entries of the cache.
    fn pushed_out(&self, py: Python<'_>, ahead: &Ahead, left: Left) -> PyResult<()> {
        let mut released = Released::default();
        for removed in &left {
            let hash = Asked::new(removed.key.bind(py))?.hash;
            let mut foresight = ahead.lock();
            if foresight.phase(hash) == Some(Phase::Staged) {
                foresight.withdraw(hash, &mut released);
            }
        }
        Ok(())
    }

    /// The key is about to be written or removed: what was fetched ahead may be out of date.
    #[cold]
    pub(super) fn supersede(&self, ahead: &Ahead, key: &Bound<'_, PyAny>) -> PyResult<()> {
        let (asked, mut released) = (Asked::new(key)?, Released::default());
        ahead.lock().withdraw(asked.hash, &mut released);
        self.release(key.py(), ahead, released)
    }

    /// Everything is about to be removed.
    pub(super) fn supersede_all(&self, py: Python<'_>) {
        let Some(ahead) = self.ahead.get() else { return };
        let (mut released, mut staged, mut left) = (Released::default(), Gone::new(), Gone::new());
        ahead.lock().withdraw_all(&mut released);
        ahead.stage.clear(&mut staged);
        self.reserve_pins(&mut left);
        self.tell(py, left);
    }

    /// After a change of the cache's capacity.
    pub(super) fn resize_stage(&self, py: Python<'_>, capacity: u64) -> PyResult<()> {
        let Some(ahead) = self.ahead.get() else { return Ok(()) };
        let (mut pushed, mut left) = (Gone::new(), Gone::new());
        let stage = ahead.lock().resize(capacity);
        ahead.stage.resize(stage, &mut pushed);
        self.pushed_out(py, ahead, pushed)?;
        self.reserve_pins(&mut left);
        self.tell(py, left);
        Ok(())
    }

    /// Puts into the stage what a load has brought; whether it is there.
    fn put_aside(
        &self,
        ahead: &Ahead,
        asked: Asked<'_, '_>,
        value: &Bound<'_, PyAny>,
        manner: Manner<'_, '_>,
    ) -> PyResult<bool> {
        let (py, mut left) = (asked.key.py(), Gone::new());
        let size = self.size(asked.key, value)?;
        let (manner, foretold) = self.foretold(asked, value, manner)?;
        let (value, deadline) = self.life.prepare(self, value, manner)?;
        let key = asked.key.clone().unbind();
        let newcomer = Newcomer {
            hash: asked.hash,
            key,
            value,
            size,
            deadline,
            is_forced: false,
            namespace: 0,
            heard: 0,
        };
        let outcome =
            ahead.stage.insert(newcomer, When::Always, asked, &mut left).map_err(|error| *error)?;
        self.came_true(foretold, outcome);
        ahead.sized(asked.hash, size);
        self.pushed_out(py, ahead, left)?;
        let mut left = Gone::new();
        self.reserve_pins(&mut left);
        self.tell(py, left);
        Ok(matches!(outcome, Outcome::Added | Outcome::Replaced))
    }
}

#[pymethods]
impl Cache {
    /// Fetches ahead from now on, up to this share of additional loads. `go` is called without
    /// arguments where there is something to fetch: see `launch`.
    fn prefetch_with(&self, go: Object, budget: f64) -> PyResult<()> {
        let inner = self.inner()?;
        let foresight = Foresight::new(inner.engine.capacity(), budget);
        let (capacity, time) = (foresight.stage(), Arc::clone(&inner.time));
        let plan = Plan {
            policy: PolicyName::Fifo,
            capacity,
            seed: 0,
            journal: 0,
            samples: 0,
            curve: false,
            time,
        };
        let ahead = Ahead { foresight: Mutex::new(foresight), stage: plan.build(), go };
        inner.ahead.set(Box::new(ahead)).map_err(|_| errors::of_second_start())
    }

    /// Up to so many keys that are to be fetched now. Of each `stage`, `unfetched` or `recall` has
    /// to be said.
    fn launch(&self, py: Python<'_>, limit: usize) -> PyResult<Vec<Object>> {
        let ahead = self.inner()?.ahead.get();
        Ok(ahead.map_or_else(Vec::new, |ahead| ahead.lock().launch(py, limit)))
    }

    /// Where nothing is known of the key, what a prefetch has brought is put aside for who asks for
    /// it first. Where somebody waits for it, it is stored in the cache.
    #[pyo3(signature = (permit, key, value, ttl, tags, stale, load_seconds))]
    #[allow(clippy::too_many_arguments)]
    fn stage<'py>(
        &self,
        permit: &Bound<'py, Permit>,
        key: &Bound<'py, PyAny>,
        value: &Bound<'py, PyAny>,
        ttl: Option<f64>,
        tags: Option<&Bound<'py, PyAny>>,
        stale: f64,
        load_seconds: f64,
    ) -> PyResult<()> {
        let inner = self.inner()?;
        let Some(ahead) = inner.ahead.get() else { return Ok(()) };
        inner.time.ask(key.py())?;
        let (asked, mut released) = (Asked::new(key)?, Released::default());
        let is_told = inner.reader.get().is_some_and(|reader| reader.beta > 0.0);
        let told_seconds = if is_told { load_seconds } else { 0.0 };
        let manner = Manner { ttl, tags, stale, load_seconds: told_seconds, ..Manner::default() };
        let phase = ahead.lock().phase(asked.hash);
        match phase {
            Some(Phase::Awaited) => {
                if inner.set(key, value, manner, permit.get().when())? != Outcome::Declined {
                    inner.plan(asked, load_seconds)?;
                }
                ahead.lock().used_late(asked.hash, &mut released);
            }
            Some(Phase::Flying) if !permit.get().is_revoked() && !inner.holds(asked.hash) => {
                let is_there = inner.put_aside(ahead, asked, value, manner)?;
                // Anything may have happened meanwhile, as keys were compared.
                let mut foresight = ahead.lock();
                match foresight.phase(asked.hash) {
                    Some(Phase::Flying) if is_there && !permit.get().is_revoked() => {
                        foresight.set_phase(asked.hash, Phase::Staged);
                    }
                    Some(Phase::Awaited) => {
                        foresight.used_late(asked.hash, &mut released);
                        drop(foresight);
                        if !permit.get().is_revoked() {
                            inner.promote(ahead, asked)?;
                        }
                    }
                    _ => {
                        foresight.withdraw(asked.hash, &mut released);
                        released.staged.push(key.clone().unbind());
                    }
                }
            }
            _ => ahead.lock().withdraw(asked.hash, &mut released),
        }
        inner.release(key.py(), ahead, released)
    }

    /// A prefetch of the key has failed, or found that there is nothing.
    fn unfetched(&self, key: &Bound<'_, PyAny>, is_absent: bool) -> PyResult<()> {
        let (inner, mut released) = (self.inner()?, Released::default());
        let Some(ahead) = inner.ahead.get() else { return Ok(()) };
        ahead.lock().failed(Asked::new(key)?.hash, is_absent, &mut released);
        inner.release(key.py(), ahead, released)
    }

    /// The key is not fetched after all: no load was begun for it.
    fn recall(&self, key: &Bound<'_, PyAny>) -> PyResult<()> {
        let (inner, mut released) = (self.inner()?, Released::default());
        let Some(ahead) = inner.ahead.get() else { return Ok(()) };
        ahead.lock().recall(Asked::new(key)?.hash, &mut released);
        Ok(())
    }

    /// Nothing that was to be fetched will be: in the child of a fork.
    fn recall_all(&self) -> PyResult<()> {
        let mut released = Released::default();
        if let Some(ahead) = self.inner()?.ahead.get() {
            ahead.lock().recall_all(&mut released);
        }
        Ok(())
    }

    /// What prefetching has come to; none where it is off.
    fn foresights<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let Some(ahead) = self.inner()?.ahead.get() else { return Ok(None) };
        let (counts, (in_flight, staged)) = {
            let foresight = ahead.lock();
            (foresight.counts, foresight.pending())
        };
        let told = PyDict::new(py);
        told.set_item("demands", counts.demands)?;
        told.set_item("issued", counts.issued)?;
        told.set_item("in_time", counts.in_time)?;
        told.set_item("late", counts.late)?;
        told.set_item("failed", counts.failed)?;
        told.set_item("dropped", counts.dropped)?;
        told.set_item("in_flight", in_flight)?;
        told.set_item("staged", staged)?;
        Ok(Some(told))
    }
}

/// Who asks, from any hashable object; 0 for nobody.
pub(super) fn session_of(session: Option<&Bound<'_, PyAny>>) -> PyResult<u32> {
    match session.filter(|session| !session.is_none()) {
        None => Ok(0),
        Some(session) => Ok((mix(session.hash()? as u64) >> 32) as u32 | 1),
    }
}

/// The number of a key's namespace, by its text up to the first `:` or `/`, or that of the first
/// item of a tuple; 0 for none. As `namespace_of` of the loading layer.
fn namespace(key: &Bound<'_, PyAny>) -> u16 {
    let first = key.cast::<PyTuple>().ok().and_then(|tuple| tuple.get_item(0).ok());
    let key = first.as_ref().unwrap_or(key);
    let text = if let Ok(text) = key.cast::<PyString>() {
        text.to_str().unwrap_or_default().as_bytes()
    } else if let Ok(bytes) = key.cast::<PyBytes>() {
        bytes.as_bytes()
    } else {
        return 0;
    };
    let name = text.split(|byte| matches!(byte, b':' | b'/')).next().unwrap_or_default();
    let mut hasher = DefaultHasher::new();
    hasher.write(name);
    hasher.finish() as u16
}
