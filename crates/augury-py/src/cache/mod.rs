//! A cache of Python objects, on the engine's concurrent cache.
//!
//! Keys and values are counted references. A key's hash is Python's own, mixed; whether a resident
//! key is the one asked for is told by identity and, for plain built-in objects, by value under the
//! shard's lock, and by `==` outside it for everything else.
//!
//! **Two locks, no deadlock.** There are the interpreter's lock and the shards'. A thread may wait
//! for a shard's lock while it holds the interpreter's, so a holder of a shard's lock must never
//! wait for the interpreter's, nor give it up to run something else:
//! - Under a shard's lock the engine runs the policy, the clock, `quick` (see [`key`]), and
//!   `Clone` of references, which counts up and runs nothing. It fails where the interpreter's
//!   lock is not held instead of waiting for it (pyo3's `py-clone`); every method that looks a key
//!   up holds it.
//! - `__hash__`, `__eq__`, `sizeof`, timers, listeners and `__del__` run under no shard's lock:
//!   hashes, sizes and times before, equality between two lockings, and what leaves is in a list
//!   that is told of and dropped when the engine has returned. They may raise, switch threads and
//!   call the cache.
//! - Only [`Cache::rows`], [`Cache::set_model`], [`Cache::tell`] and [`Cache::hear`] lock shards
//!   without the interpreter's lock. They touch no Python object and therefore end; others wait for them no longer than that.
//! - The garbage collector is shown the residents under the shard's lock, and its visitor runs no
//!   code. It begins where Python code allocates, which no thread does under a shard's lock.
//!
//! **One shard.** While the interpreter runs one thread at a time a second lock would gain nothing,
//! and one shard evicts exactly as the policy says. Nothing here relies on that number.

mod account;
mod ahead;
mod bulk;
mod engine;
mod entry;
mod foresight;
mod iterate;
mod key;
mod keys;
mod lease;
mod life;
mod lifetime;
mod loading;
mod mapping;
mod memoize;
mod pins;
mod renewal;
mod revise;
mod saving;
mod sizing;
mod time;
mod together;
mod watching;
mod window;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use augury_core::cache::{Gone, Newcomer, Outcome, When};
use augury_core::metrics::RemovalCause;
use augury_replay::replay::PolicyName;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use pyo3::{PyTypeInfo, gc};

use crate::errors;
use ahead::Ahead;
use engine::{Engine, Left, Plan};
pub(crate) use entry::{Entry, Tag};
pub(crate) use iterate::Entries;
use key::Asked;
pub(crate) use lease::Leased;
use life::Life;
use lifetime::Prediction;
pub(crate) use loading::Permit;
use loading::Reader;
pub(crate) use memoize::Memoized;
use renewal::Renewal;
use sizing::Sizing;
use time::Time;
use together::Together;
pub(crate) use together::{largest_told, merge_told, read_told};
use watching::Watching;

type Object = Py<PyAny>;

/// Largest size of an entry.
const LARGEST: u32 = u32::MAX;

/// See the module's head. `__init__` of the public class calls [`Cache::begin`].
#[pyclass(frozen, subclass, weakref, module = "augury._core")]
pub(crate) struct Cache {
    inner: OnceLock<Inner>,
}

struct Inner {
    engine: Box<dyn Engine>,
    /// Pinned entries, where there ever was one.
    pins: OnceLock<Box<dyn Engine>>,
    time: Arc<Time>,
    life: Life,
    /// Entries are counted where there is none.
    sizeof: Option<Object>,
    /// Is told of what leaves.
    listener: Option<Object>,
    /// Tags by name, held weakly: entries hold them.
    tags: Object,
    /// Is told of every get, set and delete, to record them.
    recorder: OnceLock<Object>,
    /// Is told of every write while loads are in flight.
    watcher: OnceLock<Object>,
    is_watched: AtomicBool,
    /// Answers where a hit is not enough.
    reader: OnceLock<Reader>,
    /// Decides about the capacity now and then.
    sizing: OnceLock<Sizing>,
    /// What is fetched ahead, where anything is.
    ahead: OnceLock<Box<Ahead>>,
    /// What is loaded anew before it expires, where anything is.
    renewal: OnceLock<Box<Renewal>>,
    /// TTLs of what is stored without one, where they are predicted.
    prediction: OnceLock<Box<Prediction>>,
    /// What is noted for a page, where one is or was served.
    watching: OnceLock<Box<Watching>>,
    /// What caches of other processes are told and have told, where there are any.
    together: OnceLock<Box<Together>>,
    /// Address of the type of entries that are more than a value.
    entry_type: usize,
    /// Whether there ever was one.
    has_entries: AtomicBool,
    /// Entries that were pinned or unpinned: no insertions.
    transfers: AtomicU64,
    /// Hits of the engine that were misses: stale, or invalidated.
    turned: AtomicU64,
    /// Misses of the engine that were hits: fetched ahead.
    foreseen: AtomicU64,
}

/// Who looks a key up.
#[derive(Clone, Copy, Default)]
struct Asker {
    /// How early entries are loaded anew; 0 for not before their TTL.
    beta: f64,
    /// Number of the client or session; 0 for nobody in particular.
    session: u32,
    /// Whether the loading layer is asked next where nothing is found.
    is_followed: bool,
}

/// How an entry is to be stored.
#[derive(Default)]
struct Manner<'a, 'py> {
    /// Seconds.
    ttl: Option<f64>,
    tti: Option<f64>,
    tags: Option<&'a Bound<'py, PyAny>>,
    is_forced: bool,
    /// Seconds after the TTL during which it is served to those who take what is stale.
    stale: f64,
    load_seconds: f64,
    /// Place of its namespace among the costs of misses.
    namespace: u16,
}

impl Cache {
    #[inline]
    fn inner(&self) -> PyResult<&Inner> {
        self.inner.get().ok_or_else(errors::of_uninitialised)
    }
}

impl Inner {
    /// The value, if the key is resident, fresh and valid: a hit, else a miss. With a beta above 0
    /// none, too, where the entry is to be loaded before its time.
    #[inline]
    fn look<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        asker: Asker,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = key.py();
        self.time.ask(py)?;
        let mut left = Gone::new();
        let asked = Asked::new(key)?;
        let engine = self.engine_of(asked, &mut left)?;
        let found = engine.get(asked, &mut left).map_err(|error| *error)?;
        if !left.is_empty() {
            self.tell(py, left);
        }
        let found = match found {
            Some(stored) if self.is_entry(stored.bind(py)) => {
                self.open(asked, stored, asker.beta)?
            }
            Some(value) => Some(value.into_bound(py)),
            None => match self.ahead.get() {
                Some(ahead) => self.foresee(ahead, asked, asker)?,
                None => None,
            },
        };
        if let Some(together) = self.together.get() {
            together.noted.note(asked.hash);
        }
        if let Some(renewal) = self.renewal.get() {
            self.pass(renewal, asked, found.is_some(), asker.is_followed)?;
        }
        if let Some(recorder) = self.recorder.get() {
            recorder.bind(py).call1((key, "get"))?;
        }
        Ok(found)
    }

    /// The value of an entry that was found: a miss after all where it is stale or invalidated.
    #[cold]
    fn open<'py>(
        &self,
        asked: Asked<'_, 'py>,
        stored: Object,
        beta: f64,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = asked.key.py();
        let entry = stored.bind(py).cast_exact::<Entry>()?.get();
        let now = self.time.now();
        if !entry.is_valid() {
            self.turned.fetch_add(1, Ordering::Relaxed);
            self.remove(asked)?;
            return Ok(None);
        }
        if entry.fresh_until <= now {
            self.turned.fetch_add(1, Ordering::Relaxed);
            return Ok(None);
        }
        if entry.tti.is_some() {
            let mut left = Gone::new();
            self.engine_of(asked, &mut left)?
                .set_deadline(asked, entry.deadline(now), &mut left)
                .map_err(|error| *error)?;
            self.tell(py, left);
        }
        if self.is_early(entry, beta, now) {
            entry.set_due();
            return Ok(None);
        }
        Ok(Some(entry.value.bind(py).clone()))
    }

    /// The value under a key as iteration and `in` see it; none where it is stale or invalidated.
    fn shown<'py>(&self, stored: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
        if !self.is_entry(stored) {
            return Some(stored.clone());
        }
        let entry = stored.cast_exact::<Entry>().ok()?.get();
        let is_shown = entry.is_valid() && entry.fresh_until > self.time.now();
        is_shown.then(|| entry.value.bind(stored.py()).clone())
    }

    #[inline]
    fn is_entry(&self, stored: &Bound<'_, PyAny>) -> bool {
        stored.get_type_ptr() as usize == self.entry_type
    }

    /// What is stored under a key, without recording an access.
    fn stored(&self, key: &Bound<'_, PyAny>) -> PyResult<Option<Object>> {
        self.time.ask(key.py())?;
        let mut left = Gone::new();
        let asked = Asked::new(key)?;
        let engine = self.engine_of(asked, &mut left)?;
        let found = engine.peek(asked, &mut left).map_err(|error| *error)?;
        self.tell(key.py(), left);
        Ok(found.map(|found| found.value))
    }

    fn peek<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let stored = self.stored(key)?;
        Ok(stored.and_then(|stored| self.shown(stored.bind(key.py()))))
    }

    fn contains(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        if self.has_entries.load(Ordering::Relaxed) {
            return Ok(self.peek(key)?.is_some());
        }
        self.time.ask(key.py())?;
        let mut left = Gone::new();
        let asked = Asked::new(key)?;
        let engine = self.engine_of(asked, &mut left)?;
        let found = engine.contains(asked, &mut left).map_err(|error| *error)?;
        self.tell(key.py(), left);
        Ok(found)
    }

    fn set(
        &self,
        key: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
        manner: Manner<'_, '_>,
        when: When<'_, Object>,
    ) -> PyResult<Outcome> {
        let py = key.py();
        self.time.ask(py)?;
        let (asked, mut left) = (Asked::new(key)?, Gone::new());
        let size = self.size(key, value)?;
        let ttl = manner.ttl;
        let (is_forced, namespace) = (manner.is_forced, manner.namespace);
        let is_load = matches!(when, When::Permitted(_));
        let (manner, foretold) = self.foretold(asked, value, manner)?;
        let (stored, deadline) = self.life.prepare(self, value, manner)?;
        let newcomer = Newcomer {
            hash: asked.hash,
            key: key.clone().unbind(),
            value: stored,
            size,
            deadline,
            is_forced,
            namespace,
            heard: self.together.get().map_or(0, |together| together.came(asked)),
        };
        if !is_load {
            // Loads of the key lose their permits before the value is there: none can follow it.
            self.written(key)?;
        }
        let outcome = if self.pins.get().is_some() {
            self.insert_beside_pins(newcomer, when, asked, &mut left)?
        } else {
            self.engine.insert(newcomer, when, asked, &mut left).map_err(|error| *error)?
        };
        self.came_true(foretold, outcome);
        if !is_load {
            // Those that began while keys were compared have read what was there before.
            self.written(key)?;
        }
        if let Some(ahead) = self.ahead.get() {
            ahead.sized(asked.hash, size);
            self.reserve_pins(&mut left);
        }
        if !left.is_empty() {
            self.tell(py, left);
        }
        if is_load && outcome == Outcome::Declined {
            return Ok(outcome);
        }
        if let Some(recorder) = self.recorder.get() {
            recorder.bind(py).call1((key, "set", size, ttl))?;
        }
        if let Some(sizing) = self.sizing.get() {
            sizing.tend(py, self.time.now());
        }
        Ok(outcome)
    }

    /// Takes the entry out.
    fn take<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = key.py();
        self.time.ask(py)?;
        let asked = Asked::new(key)?;
        self.written(key)?;
        let taken = self.remove(asked)?;
        if let Some(recorder) = self.recorder.get() {
            recorder.bind(py).call1((key, "delete"))?;
        }
        Ok(taken)
    }

    fn remove<'py>(&self, asked: Asked<'_, 'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let (py, mut left) = (asked.key.py(), Gone::new());
        let engine = self.engine_of(asked, &mut left)?;
        let mut removed = engine.remove(asked, &mut left).map_err(|error| *error)?;
        if removed.is_none() {
            removed = self.remove_elsewhere(asked, engine, &mut left)?;
        }
        self.reserve_pins(&mut left);
        let mut shown = None;
        if let Some(removed) = removed {
            shown = self.shown(removed.value.bind(py));
            left.push(removed);
        }
        self.tell(py, left);
        Ok(shown)
    }

    /// Tells the listener of what has left, and lets go of it.
    #[cold]
    fn tell(&self, py: Python<'_>, left: Left) {
        if self.renewal.get().is_some() {
            self.unplan_all(py, &left);
        }
        if let Some(watching) = self.watching.get() {
            self.note_left(py, watching, &left);
        }
        let Some(listener) = &self.listener else { return };
        for removed in left {
            let stored = removed.value.bind(py);
            let value = match stored.cast_exact::<Entry>() {
                Ok(entry) if self.is_entry(stored) => entry.get().value.bind(py).clone(),
                _ => stored.clone(),
            };
            let cause = match removed.cause {
                RemovalCause::Expired => "expired",
                RemovalCause::Explicit => "explicit",
                RemovalCause::Replaced => "replaced",
                RemovalCause::Evicted => "evicted",
            };
            if let Err(error) = listener.bind(py).call1((removed.key, value, cause)) {
                error.write_unraisable(py, Some(listener.bind(py)));
            }
        }
    }

    /// Tells whoever loads that this key is about to be written or removed.
    #[inline]
    fn written(&self, key: &Bound<'_, PyAny>) -> PyResult<()> {
        if self.is_watched.load(Ordering::Relaxed) {
            self.tell_watcher(key)?;
        }
        if let Some(ahead) = self.ahead.get() {
            self.supersede(ahead, key)?;
        }
        if self.renewal.get().is_some() {
            self.unplan(key, false)?;
        }
        Ok(())
    }

    #[cold]
    fn tell_watcher(&self, key: &Bound<'_, PyAny>) -> PyResult<()> {
        if let Some(watcher) = self.watcher.get() {
            watcher.bind(key.py()).call1((key,))?;
        }
        Ok(())
    }

    #[inline]
    fn size(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<u32> {
        match &self.sizeof {
            None => Ok(1),
            Some(sizeof) => {
                let size = sizeof.bind(key.py()).call1((key, value))?;
                let counted = size.extract::<u64>().ok().and_then(|size| u32::try_from(size).ok());
                counted.filter(|&size| size > 0).ok_or_else(|| errors::of_size(&size, LARGEST))
            }
        }
    }
}

#[pymethods]
impl Cache {
    /// Not yet a cache: `begin` makes it one, so that subclasses may choose their arguments.
    #[new]
    #[pyo3(signature = (*_arguments, **_options))]
    fn new(_arguments: &Bound<'_, PyTuple>, _options: Option<&Bound<'_, PyDict>>) -> Self {
        Cache { inner: OnceLock::new() }
    }

    /// Makes it a cache. Times are in seconds.
    #[allow(clippy::too_many_arguments)]
    #[pyo3(signature = (*, capacity, policy, sizeof, ttl, tti, jitter, timer, listener, tags,
        journal, samples, curve, seed))]
    fn begin(
        &self,
        py: Python<'_>,
        capacity: u64,
        policy: &str,
        sizeof: Option<Object>,
        ttl: Option<f64>,
        tti: Option<f64>,
        jitter: f64,
        timer: Option<Object>,
        listener: Option<Object>,
        tags: Object,
        journal: usize,
        samples: usize,
        curve: bool,
        seed: u64,
    ) -> PyResult<()> {
        let policy: PolicyName = policy.parse().map_err(errors::of_replay)?;
        let time = Arc::new(Time::new(timer));
        time.ask(py)?;
        let plan = Plan { policy, capacity, seed, journal, samples, curve, time: time.clone() };
        let inner = Inner {
            engine: plan.build(),
            pins: OnceLock::new(),
            time,
            life: Life::new(ttl, tti, jitter, seed)?,
            sizeof,
            listener,
            tags,
            recorder: OnceLock::new(),
            watcher: OnceLock::new(),
            sizing: OnceLock::new(),
            is_watched: AtomicBool::new(false),
            reader: OnceLock::new(),
            ahead: OnceLock::new(),
            renewal: OnceLock::new(),
            prediction: OnceLock::new(),
            watching: OnceLock::new(),
            together: OnceLock::new(),
            entry_type: Entry::type_object_raw(py) as usize,
            has_entries: AtomicBool::new(false),
            transfers: AtomicU64::new(0),
            turned: AtomicU64::new(0),
            foreseen: AtomicU64::new(0),
        };
        self.inner.set(inner).map_err(|_| errors::of_second_start())
    }

    fn __traverse__(&self, visit: gc::PyVisit<'_>) -> Result<(), gc::PyTraverseError> {
        let Some(inner) = self.inner.get() else { return Ok(()) };
        let fields = [&inner.sizeof, &inner.listener];
        fields.into_iter().flatten().try_for_each(|field| visit.call(field))?;
        visit.call(&inner.tags)?;
        let miss = inner.reader.get().map(|reader| &reader.miss);
        let sizing = inner.sizing.get().map(Sizing::decide);
        let print = inner.prediction.get().map(|prediction| prediction.fingerprint());
        let told =
            [inner.recorder.get(), inner.watcher.get(), inner.time.timer(), miss, sizing, print];
        told.into_iter().flatten().try_for_each(|field| visit.call(field))?;
        let mut outcome = Ok(());
        if let Some(ahead) = inner.ahead.get() {
            ahead.visit(&mut |object| {
                if outcome.is_ok() {
                    outcome = visit.call(object);
                }
            });
        }
        if let Some(watching) = inner.watching.get() {
            watching.visit(&mut |object| {
                if outcome.is_ok() {
                    outcome = visit.call(object);
                }
            });
        }
        if let Some(renewal) = inner.renewal.get() {
            renewal.visit(&mut |object| {
                if outcome.is_ok() {
                    outcome = visit.call(object);
                }
            });
        }
        for engine in inner.engines() {
            engine.visit(&mut |key, value| {
                if outcome.is_ok() {
                    outcome = visit.call(key).and_then(|()| visit.call(value));
                }
            });
        }
        outcome
    }

    /// Lets go of the residents, which breaks most cycles. No listener is told: the collector
    /// calls this, and whatever it would run may be half taken apart.
    fn __clear__(&self) {
        if let Some(inner) = self.inner.get() {
            inner.engines().for_each(|engine| engine.clear(&mut Gone::new()));
            if let Some(ahead) = inner.ahead.get() {
                ahead.abandon();
            }
            if let Some(renewal) = inner.renewal.get() {
                renewal.abandon();
            }
            if let Some(watching) = inner.watching.get() {
                watching.abandon();
            }
        }
    }
}
