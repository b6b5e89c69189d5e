//! What loads bring: stored, remembered as absent, or told as a failure; and whoever waits is woken.

use std::sync::Arc;

use augury_core::clock::Millis;
use augury_core::refresh::early::jittered;

use super::asking::Outcome;
use super::failure::{Failure, Where};
use super::flights::{Load, LoadId, Purpose};
use super::{DB, View};
use crate::clients::Clients;
use crate::config::Settings;
use crate::notices;
use crate::object::{Content, Object};
use crate::server::Server;

/// Beyond the timeout that loads keep themselves: then whoever waits is told without an answer.
const GRACE: Millis = 2_000;

/// How long a value may be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// So many milliseconds.
    For(Millis),
    /// The upstream does not say.
    Unsaid,
    /// To those who have asked for it, and no longer.
    Passing,
}

/// What a load has brought.
#[derive(Debug)]
pub enum Brought {
    /// A value under its key, and how long it may be served.
    Value(Object, Lifetime),
    /// There is no such key.
    Nothing,
}

/// The end of a load.
#[derive(Debug)]
pub struct Arrival {
    /// Its number.
    pub id: LoadId,
    /// What it has brought.
    pub brought: Result<Brought, Failure>,
    /// How long it took.
    pub took: Millis,
}

/// Takes over what loads have brought, and wakes whoever has waited for nothing else.
pub fn settle(server: &mut Server, arrivals: impl IntoIterator<Item = Arrival>) {
    for arrival in arrivals {
        settle_one(server, arrival);
    }
    if server.keyspace.has_changes() {
        notices::tell(server, None);
    }
}

/// Ends the loads whose time is long over: nobody waits for ever, whatever has become of them.
pub(super) fn give_up(server: &mut Server) {
    let Some(view) = View::of(server) else { return };
    if view.upstream.flights.is_empty() {
        return;
    }
    let timeout = view.settings.upstream_timeout;
    let most = Millis::try_from(timeout.as_millis()).unwrap_or(Millis::MAX).saturating_add(GRACE);
    let overdue = view.upstream.flights.begun_before(view.now.saturating_sub(most));
    let failure = Failure::timeout(&view.upstream.name, timeout);
    let ended = |id| Arrival { id, brought: Err(failure.clone()), took: most };
    settle(server, overdue.into_iter().map(ended).collect::<Vec<_>>());
}

fn settle_one(server: &mut Server, arrival: Arrival) {
    if let Ok(Brought::Value(object, _)) = &arrival.brought {
        server.bring(object.memory_bytes() as u64);
    }
    let Some(mut view) = View::of(server) else { return };
    let Some(load) = view.upstream.flights.end(arrival.id) else { return };
    let outcome = match arrival.brought {
        Ok(brought) => {
            view.upstream.health.answered();
            match brought {
                Brought::Value(object, lifetime) => {
                    view.value(&load, object, lifetime, arrival.took)
                }
                Brought::Nothing => view.nothing(&load),
            }
        }
        Err(failure) => view.failure(&load, failure),
    };
    tell(&mut server.clients, &load, &outcome);
}

/// Tells those who wait for a load what has become of it.
fn tell(clients: &mut Clients, load: &Load, outcome: &Outcome) {
    let hash = load.hash;
    for waiter in &load.waiters {
        let Some(client) = clients.reach(None, waiter.handle) else { continue };
        let Some(parked) = client.parked.as_mut().filter(|it| it.token == waiter.token) else {
            continue;
        };
        if waiter.is_parked {
            parked.pending = parked.pending.saturating_sub(1);
        } else if !parked.foreseen.contains(&hash) {
            continue;
        }
        parked.settled.push((hash, outcome.clone()));
        if waiter.is_parked && parked.pending == 0 {
            let place = client.place;
            clients.wake(place);
        }
    }
}

impl View<'_> {
    fn value(&mut self, load: &Load, object: Object, lifetime: Lifetime, took: Millis) -> Outcome {
        let asked = self.keyspace.asked(DB, &load.key);
        if let Some(foresight) = &mut self.upstream.foresight {
            foresight.weigh(&object);
        }
        let lifetime = lasts(self.settings, lifetime, fastrand::f64());
        let lifetime = lifetime.filter(|_| !load.is_revoked);
        let wants_copy = load.waiters.iter().any(|it| it.wants_copy);
        let Some(ttl) = lifetime else {
            self.given_up(load);
            self.upstream.counters.passed += u64::from(!load.waiters.is_empty());
            return Outcome::Passed(Arc::new(object));
        };
        self.upstream.stale.remove(asked.hash);
        let deadline = ttl.map(|ttl| self.now.saturating_add(ttl));
        if load.purpose == Purpose::Prefetch {
            if let Some(foresight) = &mut self.upstream.foresight {
                foresight.brought(asked.hash, object, deadline);
            }
            return Outcome::Stored;
        }
        let found = self.keyspace.find(asked, self.now);
        if let Some(id) = found
            && let Some(held) = self.keyspace.object(id)
        {
            if !held.is_loaded() {
                // It was written here, by a way that names no key of its own.
                self.given_up(load);
                return Outcome::Stored;
            }
            if is_same(held, &object) {
                self.keyspace.prolong(id, deadline);
                self.plan(load, ttl, took);
                return Outcome::Stored;
            }
        }
        let copy = wants_copy.then(|| Arc::new(object.clone()));
        if let Err(turned_away) = self.keyspace.put_loaded(asked, object, deadline, found) {
            self.given_up(load);
            self.upstream.counters.passed += u64::from(!load.waiters.is_empty());
            return Outcome::Passed(Arc::new(turned_away));
        }
        self.plan(load, ttl, took);
        copy.map_or(Outcome::Stored, Outcome::Passed)
    }

    fn nothing(&mut self, load: &Load) -> Outcome {
        self.upstream.counters.absent += 1;
        self.given_up(load);
        if load.is_revoked {
            return Outcome::Absent;
        }
        let asked = self.keyspace.asked(DB, &load.key);
        let seconds = self.settings.upstream_negative_ttl;
        if seconds > 0 {
            let until = self.now.saturating_add(seconds.saturating_mul(1000));
            self.upstream.absences.add(asked.hash, until);
        }
        self.upstream.stale.remove(asked.hash);
        let found = self.keyspace.find(asked, self.now);
        let held = found.filter(|&id| self.keyspace.object(id).is_some_and(Object::is_loaded));
        if let Some(id) = held {
            self.keyspace.remove(id);
        }
        Outcome::Absent
    }

    fn failure(&mut self, load: &Load, failure: Failure) -> Outcome {
        self.upstream.counters.errors += 1;
        self.upstream.counters.timeouts += u64::from(failure.is_timeout);
        self.given_up(load);
        if failure.at == Where::Silence {
            self.upstream.health.failed(self.now, fastrand::f64());
            self.upstream.last_failure = failure.text.clone();
        } else {
            self.upstream.health.answered();
        }
        Outcome::Failed(failure.text)
    }

    /// A load has brought nothing that is kept: what was planned for it is void.
    fn given_up(&mut self, load: &Load) {
        let hash = load.hash;
        if load.is_revoked {
            // The plans were dropped when it was revoked; what was begun since is not this load's.
            return;
        }
        if let Some(renewal) = &mut self.upstream.renewal {
            renewal.gone(hash, self.now);
        }
        if let Some(foresight) = &mut self.upstream.foresight
            && load.purpose == Purpose::Prefetch
        {
            foresight.recalled(hash);
        }
    }

    /// An entry was stored: when it is loaded again is planned.
    fn plan(&mut self, load: &Load, ttl: Option<Millis>, took: Millis) {
        let hash = load.hash;
        let Some(renewal) = &mut self.upstream.renewal else { return };
        match load.purpose {
            Purpose::Refresh => renewal.refreshed(hash, self.now, ttl),
            _ => renewal.loaded(hash, &load.key, self.now, ttl, took),
        }
    }
}

/// How long a value is served, if it is to be kept at all; in it none where it has no end.
fn lasts(settings: &Settings, lifetime: Lifetime, chance: f64) -> Option<Option<Millis>> {
    let limited = |seconds: u64| (seconds > 0).then(|| seconds.saturating_mul(1000));
    let ttl = match lifetime {
        Lifetime::Passing | Lifetime::For(0) => return None,
        Lifetime::For(ttl) => Some(ttl),
        Lifetime::Unsaid => limited(settings.upstream_ttl),
    };
    let most = limited(settings.upstream_ttl_max);
    let ttl = match (ttl, most) {
        (Some(ttl), Some(most)) => Some(ttl.min(most)),
        (ttl, most) => ttl.or(most),
    };
    let spread = settings.upstream_jitter as f64 / 100.0;
    Some(ttl.map(|ttl| jittered(ttl, spread, chance)))
}

/// Whether two objects hold the same. Hashes are taken to differ.
fn is_same(held: &Object, brought: &Object) -> bool {
    match (held.content(), brought.content()) {
        (Content::Text(held), Content::Text(brought)) => held == brought,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_the_upstreams_or_the_rule_and_never_longer() {
        let settings = |ttl, most, jitter| Settings {
            upstream_ttl: ttl,
            upstream_ttl_max: most,
            upstream_jitter: jitter,
            ..Settings::default()
        };
        for (settings, lifetime, expected) in [
            (settings(60, 0, 0), Lifetime::For(7), Some(Some(7))),
            (settings(60, 0, 0), Lifetime::For(0), None),
            (settings(60, 0, 0), Lifetime::Passing, None),
            (settings(60, 0, 0), Lifetime::Unsaid, Some(Some(60_000))),
            (settings(0, 0, 50), Lifetime::Unsaid, Some(None)),
            (settings(0, 5, 0), Lifetime::Unsaid, Some(Some(5_000))),
            (settings(60, 5, 0), Lifetime::For(9_000), Some(Some(5_000))),
            (settings(60, 5, 50), Lifetime::For(4_000), Some(Some(3_000))),
        ] {
            assert_eq!(expected, lasts(&settings, lifetime, 0.5));
        }
    }
}
