//! Entries that stay whatever comes: pinned ones are kept in an engine of their own.
//!
//! The policy neither sees nor evicts them; the room that they take is reserved in the cache's
//! own engine. A cache that has never pinned anything has no second engine, and pays one look at
//! whether there is one.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use augury_core::cache::{Gone, Newcomer, Outcome, When};
use augury_core::shard::Removed;
use augury_replay::replay::PolicyName;
use pyo3::prelude::*;

use super::engine::{Engine, Left, Plan};
use super::key::Asked;
use super::{Cache, Inner, Object};
use crate::errors;

/// Never reached: what is pinned was resident before, within the cache's own capacity.
const ROOM: u64 = u64::MAX / 2;

impl Inner {
    /// The engine that this key's entry is in, or would come to.
    #[inline]
    pub(super) fn engine_of(&self, asked: Asked<'_, '_>, left: &mut Left) -> PyResult<&dyn Engine> {
        match self.pins.get() {
            None => Ok(&*self.engine),
            Some(pins) => {
                let is_pinned = pins.contains(asked, left).map_err(|error| *error)?;
                Ok(if is_pinned { &**pins } else { &*self.engine })
            }
        }
    }

    /// Both engines.
    pub(super) fn engines(&self) -> impl Iterator<Item = &dyn Engine> {
        let pins = self.pins.get().map(|pins| &**pins);
        std::iter::once(&*self.engine).chain(pins)
    }

    /// Whether there is an entry of this hash, pinned or not.
    pub(super) fn holds(&self, hash: u64) -> bool {
        self.engines().any(|engine| engine.holds(hash))
    }

    /// Removes what another engine than this one holds under the key: where an entry was pinned or
    /// unpinned while a write compared keys, the write is the newer one.
    pub(super) fn remove_elsewhere(
        &self,
        asked: Asked<'_, '_>,
        engine: &dyn Engine,
        left: &mut Left,
    ) -> PyResult<Option<Removed<Object, Object>>> {
        let Some(pins) = self.pins.get() else { return Ok(None) };
        let other = if std::ptr::addr_eq(engine, &**pins) { &*self.engine } else { &**pins };
        other.remove(asked, left).map_err(|error| *error)
    }

    /// Stores an entry in the engine that has its key, or in the cache's own.
    #[cold]
    pub(super) fn insert_beside_pins(
        &self,
        newcomer: Newcomer<Object, Object>,
        when: When<'_, Object>,
        asked: Asked<'_, '_>,
        left: &mut Left,
    ) -> PyResult<Outcome> {
        let engine = self.engine_of(asked, left)?;
        self.check_pinned(asked, engine, newcomer.size, left)?;
        let outcome = engine.insert(newcomer, when, asked, left).map_err(|error| *error)?;
        if outcome != Outcome::Declined {
            let older = self.remove_elsewhere(asked, engine, left)?;
            left.extend(older);
        }
        self.reserve_pins(left);
        Ok(outcome)
    }

    /// Refuses to let a pinned entry grow beyond what the others leave it.
    fn check_pinned(
        &self,
        asked: Asked<'_, '_>,
        engine: &dyn Engine,
        size: u32,
        left: &mut Left,
    ) -> PyResult<()> {
        let Some(pins) = self.pins.get() else { return Ok(()) };
        if !std::ptr::addr_eq(engine, &**pins) {
            return Ok(());
        }
        let old = engine.peek(asked, left).map_err(|error| *error)?;
        let old = old.map_or(0, |old| u64::from(old.size));
        let (others, capacity) = (pins.used().saturating_sub(old), self.engine.capacity());
        if u64::from(size) > old && others + u64::from(size) > capacity {
            return Err(errors::of_pins(asked.key, size, others, capacity));
        }
        Ok(())
    }

    /// After something may have come to the pinned ones or to what was fetched ahead, or left them.
    #[inline]
    pub(super) fn reserve_pins(&self, left: &mut Left) {
        let (pins, ahead) = (self.pins.get(), self.ahead.get());
        if pins.is_some() || ahead.is_some() {
            let staged = ahead.map_or(0, |ahead| ahead.stage.used());
            self.engine.reserve(pins.map_or(0, |pins| pins.used()) + staged, left);
        }
    }

    pub(super) fn pins(&self) -> &dyn Engine {
        &**self.pins.get_or_init(|| {
            let time = Arc::clone(&self.time);
            let policy = PolicyName::Fifo;
            let (seed, journal, samples, curve) = (0, 0, 0, false);
            Plan { policy, capacity: ROOM, seed, journal, samples, curve, time }.build()
        })
    }

    /// Moves an entry from one engine to the other; whether it was there. Not told of, nor a
    /// request.
    fn transfer(
        &self,
        asked: Asked<'_, '_>,
        from: &dyn Engine,
        to: &dyn Engine,
        left: &mut Left,
    ) -> PyResult<bool> {
        let Some(found) = from.peek(asked, left).map_err(|error| *error)? else {
            return Ok(false);
        };
        let Some(removed) = from.remove(asked, left).map_err(|error| *error)? else {
            return Ok(false);
        };
        let newcomer = Newcomer {
            hash: asked.hash,
            key: removed.key,
            value: removed.value,
            size: found.size,
            deadline: found.deadline,
            is_forced: true,
            namespace: 0,
            heard: 0,
        };
        self.transfers.fetch_add(1, Ordering::Relaxed);
        self.reserve_pins(left);
        to.insert(newcomer, When::Always, asked, left).map_err(|error| *error)?;
        if from.contains(asked, left).map_err(|error| *error)? {
            // Written meanwhile, while keys were compared: that is the newer one.
            to.remove(asked, left).map_err(|error| *error)?;
        }
        self.reserve_pins(left);
        Ok(true)
    }
}

#[pymethods]
impl Cache {
    /// Keeps the entry until it is unpinned, removed or due; whether there is one. Room for it is
    /// taken from the other entries.
    fn pin(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        let (py, inner, mut left) = (key.py(), self.inner()?, Gone::new());
        inner.time.ask(py)?;
        let (asked, pins) = (Asked::new(key)?, inner.pins());
        if pins.contains(asked, &mut left).map_err(|error| *error)? {
            return Ok(true);
        }
        let was_there = inner.transfer(asked, &*inner.engine, pins, &mut left)?;
        inner.tell(py, left);
        Ok(was_there)
    }

    /// Lets a pinned entry compete with the others again; whether it was pinned.
    fn unpin(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        let (py, inner, mut left) = (key.py(), self.inner()?, Gone::new());
        let Some(pins) = inner.pins.get() else { return Ok(false) };
        inner.time.ask(py)?;
        let was_there = inner.transfer(Asked::new(key)?, &**pins, &*inner.engine, &mut left)?;
        inner.tell(py, left);
        Ok(was_there)
    }
}
