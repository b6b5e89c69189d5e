//! Reading through: what database 0 does not have is loaded from an upstream, once for all who ask.
//!
//! Everything here but `origin/` lives under the server's lock and does no I/O. A command that reads
//! asks first ([`asking`]): where a key is missing, a load is begun and its client waits without
//! blocking anybody. Threads of `origin/` take the orders, and what they bring is stored and told to
//! those who wait ([`arriving`]); then the command runs from its start. A write revokes loads
//! ([`flights`]). Absences, values that have ended, refresh-ahead and prefetch are beside it, each in a
//! file; [`health`] says whether the upstream is asked at all. Nothing is written to the upstream.

mod absences;
pub mod arriving;
pub mod asking;
mod counters;
pub mod failure;
pub mod flights;
mod foresight;
mod health;
pub mod origin;
mod renewal;
mod stale;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use augury_core::clock::Millis;

use crate::config::Settings;
use crate::keyspace::Keyspace;
use crate::object::Object;
use crate::server::Server;
use absences::Absences;
use counters::Counters;
pub use counters::Shown;
use flights::{Flights, LoadId, Purpose};
use foresight::{Demand, Foresight};
use health::Health;
use renewal::Renewal;
use stale::Stale;

/// The database that is read through; the others are plain caches.
pub const DB: u8 = 0;
/// Part of `--memory` that values which have ended may take.
const STALE_SHARE: u64 = 8;
/// Values kept beyond their end that are looked through at a beat.
const STALE_AT_ONCE: usize = 512;

/// A load to be made.
#[derive(Debug, Clone)]
pub struct Order {
    /// Its number.
    pub id: LoadId,
    /// The key.
    pub key: Arc<[u8]>,
    /// Whether a hash is expected under it.
    pub prefers_hash: bool,
    /// Until when.
    pub until: Instant,
    /// How long that is from when it was ordered.
    pub timeout: Duration,
}

/// See the module's head.
pub struct Upstream {
    /// Its URL without user and password.
    name: String,
    /// Where loads are ordered.
    outlet: Box<dyn Fn(Order) + Send>,
    flights: Flights,
    absences: Absences,
    stale: Stale,
    health: Health,
    renewal: Option<Renewal>,
    foresight: Option<Foresight>,
    counters: Counters,
    /// What the latest load that was not answered failed by.
    last_failure: Arc<str>,
    /// Flushes of the database that were seen.
    flushes: u64,
    /// Waits of clients so far.
    tokens: u64,
}

impl Upstream {
    /// An upstream of this name; its loads are ordered from `outlet`.
    pub fn new(
        name: String,
        settings: &Settings,
        outlet: impl Fn(Order) + Send + 'static,
    ) -> Upstream {
        let half = settings.upstream_budget as f64 / 200.0;
        let memory = settings.memory;
        Upstream {
            name,
            outlet: Box::new(outlet),
            flights: Flights::default(),
            absences: Absences::default(),
            stale: Stale::new(memory / STALE_SHARE),
            health: Health::default(),
            renewal: (half > 0.0).then(|| Renewal::new(half, memory)),
            foresight: (half > 0.0).then(|| Foresight::new(half, memory)),
            counters: Counters::default(),
            last_failure: "".into(),
            flushes: 0,
            tokens: 0,
        }
    }

    /// Its URL without user and password.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is taken to be down.
    pub fn is_down(&self) -> bool {
        self.health.is_down()
    }

    /// Counts from here on.
    pub fn reset_counters(&mut self) {
        self.counters = Counters::default();
    }

    /// Orders a load of a key of which none is under way.
    fn begin(&mut self, wanted: Wanted, purpose: Purpose, times: Times) {
        let Wanted { hash, key, prefers_hash } = wanted;
        let id = self.flights.begin(key.clone(), hash, purpose, times.now);
        match purpose {
            Purpose::Demand => self.counters.loads += 1,
            Purpose::Refresh => self.counters.refreshes += 1,
            Purpose::Prefetch => self.counters.prefetches += 1,
        }
        let Times { timeout, .. } = times;
        let until = Instant::now() + timeout;
        (self.outlet)(Order { id, key, prefers_hash, until, timeout });
    }

    /// Whether there is room for a load that nobody has asked for.
    fn has_room_ahead(&self, settings: &Settings) -> bool {
        !self.health.is_down() && self.flights.len() < settings.upstream_loads.div_ceil(2)
    }
}

/// What is to be loaded.
struct Wanted {
    hash: u64,
    key: Arc<[u8]>,
    prefers_hash: bool,
}

/// When a load begins, and how long it may take.
#[derive(Clone, Copy)]
struct Times {
    now: Millis,
    timeout: Duration,
}

/// The parts of a server that reading through is about.
struct View<'a> {
    upstream: &'a mut Upstream,
    keyspace: &'a mut Keyspace,
    settings: &'a Settings,
    now: Millis,
}

impl<'a> View<'a> {
    /// Of a server that has an upstream.
    fn of(server: &'a mut Server) -> Option<View<'a>> {
        let Server { upstream, keyspace, settings, now, .. } = server;
        let upstream = upstream.as_deref_mut()?;
        let mut view = View { upstream, keyspace, settings, now: *now };
        view.sync();
        Some(view)
    }

    fn times(&self) -> Times {
        Times { now: self.now, timeout: self.settings.upstream_timeout }
    }

    /// Takes over what has happened to the databases since the last look.
    fn sync(&mut self) {
        let flushes = self.keyspace.flushes();
        if self.upstream.flushes != flushes {
            self.upstream.flushes = flushes;
            self.upstream.counters.revoked += self.upstream.flights.revoke_all() as u64;
            self.upstream.absences.clear();
            self.upstream.stale.clear();
            if let Some(renewal) = &mut self.upstream.renewal {
                renewal.clear(self.now);
            }
            if let Some(foresight) = &mut self.upstream.foresight {
                foresight.clear();
            }
        }
        let stale = self.settings.upstream_stale.saturating_mul(1000);
        self.keyspace.keep_expired(stale > 0);
        if stale == 0 {
            return;
        }
        for object in self.keyspace.take_expired() {
            let hash = self.keyspace.asked(DB, object.key()).hash;
            self.upstream.stale.keep(hash, object, self.now.saturating_add(stale));
        }
    }

    /// Something is asked for that the databases do not have: what is expected next is loaded too.
    fn demand(&mut self, key: &Arc<[u8]>, hash: u64, session: u64, was_brought: bool) {
        let Some(foresight) = &mut self.upstream.foresight else { return };
        self.upstream.counters.prefetches_used += u64::from(was_brought);
        let (tick, now) = (self.keyspace.ticks(), self.now);
        let demand = Demand { hash, key, tick, session: session as u32, now };
        let mut next = Vec::new();
        foresight.demand(demand, was_brought, |hash| self.keyspace.holds(hash), &mut next);
        for (hash, key) in next {
            let is_known =
                self.upstream.flights.holds(&key) || self.upstream.absences.holds(hash, self.now);
            if is_known || !self.upstream.has_room_ahead(self.settings) {
                if let Some(foresight) = &mut self.upstream.foresight {
                    foresight.recalled(hash);
                }
            } else {
                let times = self.times();
                let wanted = Wanted { hash, key, prefers_hash: false };
                self.upstream.begin(wanted, Purpose::Prefetch, times);
            }
        }
    }

    /// The key was written or removed here: nothing that is older comes back.
    fn forget(&mut self, key: &[u8]) {
        let hash = self.keyspace.asked(DB, key).hash;
        let Upstream { flights, absences, stale, renewal, foresight, counters, .. } =
            &mut *self.upstream;
        counters.revoked += u64::from(flights.revoke(key));
        absences.forget(hash);
        stale.remove(hash);
        if let Some(renewal) = renewal {
            renewal.gone(hash, self.now);
        }
        if let Some(foresight) = foresight {
            foresight.forget(hash);
        }
    }

    /// Begins the loads that are due ahead of their entries' ends.
    fn renew(&mut self) {
        let Some(renewal) = &mut self.upstream.renewal else { return };
        for ahead in renewal.due(self.now) {
            let asked = self.keyspace.asked(DB, &ahead.key);
            let found = self.keyspace.find(asked, self.now);
            let is_ours = found.map(|id| self.keyspace.object(id).is_some_and(Object::is_loaded));
            if self.upstream.flights.holds(&ahead.key) {
                // It is on its way already, because somebody has asked.
                continue;
            }
            if is_ours.unwrap_or(ahead.is_held) && self.upstream.has_room_ahead(self.settings) {
                let is_hash = found
                    .and_then(|id| self.keyspace.object(id))
                    .is_some_and(|object| object.as_hash().is_some());
                let times = self.times();
                let wanted = Wanted { hash: ahead.hash, key: ahead.key, prefers_hash: is_hash };
                self.upstream.begin(wanted, Purpose::Refresh, times);
            } else if let Some(renewal) = &mut self.upstream.renewal {
                renewal.gone(ahead.hash, self.now);
            }
        }
    }
}

/// A key of database 0 was written or removed by a client, or may have been.
#[cold]
pub fn written<'a>(server: &mut Server, keys: impl Iterator<Item = &'a [u8]>) {
    if let Some(mut view) = View::of(server) {
        keys.for_each(|key| view.forget(key));
    }
}

/// A beat of the clock.
pub fn beat(server: &mut Server) {
    let Some(mut view) = View::of(server) else { return };
    let now = view.now;
    view.upstream.stale.expire(now, STALE_AT_ONCE);
    view.renew();
    arriving::give_up(server);
}
