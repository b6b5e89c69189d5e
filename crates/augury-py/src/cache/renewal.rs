//! Refresh-ahead: entries with a TTL that are loaded anew before they expire.
//!
//! `augury_core::refresh` decides which and when, from loads, hits and removals; the loading layer,
//! a Python function that [`Cache::refresh_with`] is given, loads them. Nothing here has a thread:
//! whoever passes looks whether anything is due, a twentieth of the shortest TTL apart and at most a
//! second. Where nobody passes nothing is reloaded. The planner's slots are numbers of this module's
//! own, so a key whose entry has expired may keep its slot until its reload is due.
//!
//! As in [`ahead`](super::ahead), no foreign code runs under the lock, nor is an object dropped.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use augury_core::cache::Gone;
use augury_core::clock::Millis;
use augury_core::metrics::RemovalCause;
use augury_core::refresh::{Due, Planner};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::engine::Left;
use super::entry::{Entry, NEVER};
use super::key::Asked;
use super::{Cache, Inner, Object};
use crate::errors;

/// Keys planned for at most.
const KEYS: u32 = 65_536;
/// Parts of the shortest TTL between two looks at what is due, and their bounds.
const LOOKS: Millis = 20;
const SOONEST: Millis = 10;
const LATEST: Millis = 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Resident, and nothing to do.
    Fresh,
    /// To be reloaded after its deadline, just before it is asked for.
    Held,
    /// To be reloaded as soon as there is time.
    Queued,
    Loading,
}

struct Planned {
    slot: u32,
    key: Object,
    phase: Phase,
    /// Reloaded, and not asked for since.
    is_unused: bool,
}

#[derive(Default, Clone, Copy)]
struct Counts {
    issued: u64,
    used: u64,
    failed: u64,
}

struct Plan {
    planner: Planner,
    planned: HashMap<u64, Planned>,
    hashes: Vec<u64>,
    free: Vec<u32>,
    queue: VecDeque<u64>,
    due: Vec<Due>,
    interval: Millis,
    next_look: Millis,
    counts: Counts,
}

impl Plan {
    /// Somebody passes, asking for the key of this hash if it is a hit; whether it is time to look
    /// what is to be reloaded, and there is something.
    #[inline]
    fn pass(&mut self, hit: Option<u64>, now: Millis) -> bool {
        if let Some(planned) = hit.and_then(|hash| self.planned.get_mut(&hash)) {
            self.planner.hit(planned.slot, now);
            self.counts.used += u64::from(std::mem::take(&mut planned.is_unused));
        }
        if now < self.next_look {
            return false;
        }
        self.look(now)
    }

    #[cold]
    fn look(&mut self, now: Millis) -> bool {
        self.next_look = now + self.interval;
        let mut due = std::mem::take(&mut self.due);
        self.planner.due(now, &mut due);
        for what in due.drain(..) {
            let (slot, phase) = match what {
                Due::Reload(slot) => (slot, Phase::Queued),
                Due::Hold(slot, _) => (slot, Phase::Held),
            };
            let hash = self.hashes[slot as usize];
            if let Some(planned) = self.planned.get_mut(&hash) {
                planned.phase = phase;
                if phase == Phase::Queued {
                    self.queue.push_back(hash);
                }
            }
        }
        self.due = due;
        if self.queue.len() > 2 * self.planned.len() {
            let planned = &self.planned;
            self.queue
                .retain(|hash| planned.get(hash).is_some_and(|one| one.phase == Phase::Queued));
        }
        !self.queue.is_empty()
    }

    /// A load has stored the key's entry, to live for `ttl`; the key, if it is not wanted.
    fn loaded(
        &mut self,
        hash: u64,
        key: Object,
        (now, ttl, took): (Millis, Millis, Millis),
    ) -> Option<Object> {
        self.interval = self.interval.min((ttl / LOOKS).clamp(SOONEST, LATEST));
        // A reload has to come before its time by as much as nobody looks.
        let lead = took.saturating_add(2 * self.interval);
        if let Some(planned) = self.planned.get_mut(&hash) {
            if planned.phase == Phase::Loading {
                self.planner.refreshed(planned.slot, now, ttl);
                planned.is_unused = true;
            } else {
                self.planner.loaded(planned.slot, hash, now, ttl, lead);
                planned.is_unused = false;
            }
            planned.phase = Phase::Fresh;
            return Some(key);
        }
        if self.planned.len() >= KEYS as usize {
            return Some(key);
        }
        let slot = self.free.pop().unwrap_or(self.hashes.len() as u32);
        match self.hashes.get_mut(slot as usize) {
            Some(place) => *place = hash,
            None => self.hashes.push(hash),
        }
        self.planner.loaded(slot, hash, now, ttl, lead);
        let planned = Planned { slot, key, phase: Phase::Fresh, is_unused: false };
        self.planned.insert(hash, planned);
        None
    }

    /// The entry has left, or could not be loaded; its key, to be dropped.
    fn removed(&mut self, hash: u64, now: Millis, has_expired: bool) -> Option<Object> {
        let phase = self.planned.get(&hash)?.phase;
        if has_expired && phase != Phase::Fresh {
            // It will come back.
            return None;
        }
        let planned = self.planned.remove(&hash)?;
        self.planner.removed(planned.slot, now);
        self.free.push(planned.slot);
        Some(planned.key)
    }

    fn take(&mut self, py: Python<'_>, limit: usize) -> Vec<Object> {
        let mut keys = Vec::new();
        while keys.len() < limit {
            let Some(hash) = self.queue.pop_front() else { break };
            let Some(planned) = self.planned.get_mut(&hash) else { continue };
            if planned.phase == Phase::Queued {
                planned.phase = Phase::Loading;
                self.counts.issued += 1;
                keys.push(planned.key.clone_ref(py));
            }
        }
        keys
    }
}

/// See the module's head.
pub(super) struct Renewal {
    plan: Mutex<Plan>,
    go: Object,
}

impl Renewal {
    fn lock(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For the collector.
    pub(super) fn visit(&self, show: &mut dyn FnMut(&Object)) {
        show(&self.go);
        if let Ok(plan) = self.plan.try_lock() {
            plan.planned.values().for_each(|planned| show(&planned.key));
        }
    }

    /// For the collector: lets go of the keys.
    pub(super) fn abandon(&self) {
        let _held = std::mem::take(&mut self.lock().planned);
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let plan = self.lock();
        plan.planner.memory_bytes()
            + plan.planned.capacity() * (size_of::<(u64, Planned)>() + 1) * 8 / 7
            + plan.hashes.capacity() * size_of::<u64>()
    }
}

impl Inner {
    /// Somebody passes, and is followed by the loading layer or not.
    pub(super) fn pass(
        &self,
        renewal: &Renewal,
        asked: Asked<'_, '_>,
        is_hit: bool,
        is_followed: bool,
    ) -> PyResult<()> {
        let is_due = renewal.lock().pass(is_hit.then_some(asked.hash), self.time.now());
        if is_due && (is_hit || !is_followed) {
            renewal.go.bind(asked.key.py()).call0()?;
        }
        Ok(())
    }

    /// A load has stored the key's entry, and took so many seconds.
    pub(super) fn plan(&self, asked: Asked<'_, '_>, seconds: f64) -> PyResult<()> {
        let Some(renewal) = self.renewal.get() else { return Ok(()) };
        let (py, mut left) = (asked.key.py(), Gone::new());
        let engine = self.engine_of(asked, &mut left)?;
        let found = engine.peek(asked, &mut left).map_err(|error| *error)?;
        self.tell(py, left);
        let Some(found) = found else { return self.unplan(asked.key, false) };
        let stored = found.value.bind(py);
        let fresh_until = match stored.cast_exact::<Entry>() {
            Ok(entry) if self.is_entry(stored) => entry.get().fresh_until,
            _ => found.deadline.unwrap_or(NEVER),
        };
        let now = self.time.now();
        if fresh_until == NEVER || fresh_until <= now {
            return self.unplan(asked.key, false);
        }
        let took = (seconds.max(0.0) * 1e3) as Millis;
        let key = asked.key.clone().unbind();
        let _held = renewal.lock().loaded(asked.hash, key, (now, fresh_until - now, took));
        Ok(())
    }

    /// The key's entry is no longer one that was loaded.
    pub(super) fn unplan(&self, key: &Bound<'_, PyAny>, has_expired: bool) -> PyResult<()> {
        let Some(renewal) = self.renewal.get() else { return Ok(()) };
        let hash = Asked::new(key)?.hash;
        let _held = renewal.lock().removed(hash, self.time.now(), has_expired);
        Ok(())
    }

    /// These entries have left. A key whose `__hash__` raises by now is planned for in vain.
    pub(super) fn unplan_all(&self, py: Python<'_>, left: &Left) {
        for removed in left.iter().filter(|removed| removed.cause != RemovalCause::Replaced) {
            let key = removed.key.bind(py);
            if let Err(error) = self.unplan(key, removed.cause == RemovalCause::Expired) {
                error.write_unraisable(py, Some(key));
            }
        }
    }
}

#[pymethods]
impl Cache {
    /// Plans reloads from now on, for up to this share of additional loads. `go` is called without
    /// arguments where there is something to reload: see `take_due`.
    fn refresh_with(&self, go: Object, budget: f64) -> PyResult<()> {
        let plan = Plan {
            planner: Planner::new(budget, KEYS),
            planned: HashMap::new(),
            hashes: Vec::new(),
            free: Vec::new(),
            queue: VecDeque::new(),
            due: Vec::new(),
            interval: LATEST,
            next_look: 0,
            counts: Counts::default(),
        };
        let renewal = Renewal { plan: Mutex::new(plan), go };
        self.inner()?.renewal.set(Box::new(renewal)).map_err(|_| errors::of_second_start())
    }

    /// Up to so many keys that are to be reloaded now. Of each `planned` or `unplanned` has to be
    /// said.
    fn take_due(&self, py: Python<'_>, limit: usize) -> PyResult<Vec<Object>> {
        let renewal = self.inner()?.renewal.get();
        Ok(renewal.map_or_else(Vec::new, |renewal| renewal.lock().take(py, limit)))
    }

    /// The key's entry was stored by a load that took so many seconds; or, by None, by one that
    /// cannot be repeated.
    fn planned(&self, key: &Bound<'_, PyAny>, seconds: Option<f64>) -> PyResult<()> {
        match seconds {
            Some(seconds) => self.inner()?.plan(Asked::new(key)?, seconds),
            None => self.inner()?.unplan(key, false),
        }
    }

    /// The key was not reloaded, if it still was to be: its load has failed, or never began.
    fn unplanned(&self, key: &Bound<'_, PyAny>, has_begun: bool) -> PyResult<()> {
        let inner = self.inner()?;
        let Some(renewal) = inner.renewal.get() else { return Ok(()) };
        let hash = Asked::new(key)?.hash;
        let mut plan = renewal.lock();
        if plan.planned.get(&hash).is_none_or(|planned| planned.phase != Phase::Loading) {
            return Ok(());
        }
        if has_begun {
            plan.counts.failed += 1;
        } else {
            plan.counts.issued -= 1;
        }
        let held = plan.removed(hash, inner.time.now(), false);
        drop(plan);
        drop(held);
        Ok(())
    }

    /// What refresh-ahead has come to; none where it is off.
    fn renewals<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let Some(renewal) = self.inner()?.renewal.get() else { return Ok(None) };
        let Counts { issued, used, failed } = renewal.lock().counts;
        let told = PyDict::new(py);
        told.set_item("issued", issued)?;
        told.set_item("used", used)?;
        told.set_item("failed", failed)?;
        Ok(Some(told))
    }
}
