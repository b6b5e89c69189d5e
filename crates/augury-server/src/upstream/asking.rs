//! What a command does whose keys may have to be loaded: it runs, waits, or is refused.

use std::sync::Arc;

use smallvec::SmallVec;

use super::failure::Failure;
use super::flights::{Purpose, Waiter};
use super::{DB, View, Wanted};
use crate::client::{Client, Handle, Modes};
use crate::keyspace::Asked;
use crate::object::Object;
use crate::server::Server;

/// What has become of the load of a key.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It is stored.
    Stored,
    /// There is nothing.
    Absent,
    /// It is here, and not stored.
    Passed(Arc<Object>),
    /// It failed, with this text.
    Failed(Arc<str>),
}

/// A client that waits for loads, or that has begun some for commands that follow.
#[derive(Debug, Default)]
pub struct Parked {
    /// Which of all waits this is.
    pub token: u64,
    /// Loads that its command waits for.
    pub pending: usize,
    /// Whether the reads of its command are counted already.
    is_counted: bool,
    /// What has become of loads, by the hash of the key.
    pub settled: Vec<(u64, Outcome)>,
    /// Keys whose load was begun for a command that follows.
    pub foreseen: Vec<u64>,
}

/// What a command does with its keys.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// Whether it counts as a read of them.
    pub counts: bool,
    /// Whether it expects hashes.
    pub prefers_hash: bool,
}

/// What a command is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Run, and [`done`] afterwards.
    Run,
    /// As `Run`, and its reads count no more: they did before it waited.
    RunQuietly,
    /// Wait: its client will be woken.
    Wait,
    /// Be refused, with this text.
    Fail(Arc<str>),
}

/// A key that has to be loaded.
struct Missing<'a> {
    asked: Asked<'a>,
    wants_copy: bool,
}

/// How a key is found.
enum Found {
    /// What is to be said of it is known.
    Known,
    /// It has to be loaded; whether it was before, for this very command.
    Missing(bool),
    Failed(Arc<str>),
}

/// Looks whether all keys of a command can be answered; where not, loads them. The answer of a load that
/// is not stored is lent to the command that then runs.
pub fn ask<'a>(
    server: &mut Server,
    client: &mut Client,
    keys: impl Iterator<Item = &'a [u8]> + Clone,
    reading: Reading,
) -> Verdict {
    if client.db != DB {
        return Verdict::Run;
    }
    let parked = client.parked.take();
    if parked.as_ref().is_some_and(|it| it.pending > 0) {
        // It was woken for something else.
        client.parked = parked;
        return Verdict::Wait;
    }
    let Some(mut view) = View::of(server) else { return Verdict::Run };
    let mut missing = SmallVec::<[Missing<'a>; 4]>::new();
    for key in keys.clone() {
        let asked = view.keyspace.asked(DB, key);
        match view.look(asked, parked.as_deref(), client.id) {
            Found::Known => {}
            Found::Missing(wants_copy) => missing.push(Missing { asked, wants_copy }),
            Found::Failed(text) => {
                view.keyspace.take_back();
                return Verdict::Fail(text);
            }
        }
    }
    let token = match &parked {
        Some(parked) => parked.token,
        None => view.token(),
    };
    let pending = match view.load(&missing, client, token, reading) {
        Ok(pending) => pending,
        Err(failure) => {
            view.keyspace.take_back();
            view.upstream.counters.refused += 1;
            return Verdict::Fail(failure.text);
        }
    };
    if pending == 0 {
        let Some(mut parked) = parked else { return Verdict::Run };
        let is_quiet = view.leave(&mut parked, keys);
        if !parked.foreseen.is_empty() {
            client.parked = Some(parked);
        }
        return if is_quiet { Verdict::RunQuietly } else { Verdict::Run };
    }
    view.keyspace.take_back();
    let mut parked = parked.unwrap_or_else(|| Box::new(Parked { token, ..Parked::default() }));
    parked.pending = pending;
    if reading.counts && !parked.is_counted && !client.modes.contains(Modes::NO_TOUCH) {
        for key in keys {
            let asked = view.keyspace.asked(DB, key);
            if !parked.foreseen.contains(&asked.hash) {
                view.keyspace.read(asked, view.now);
            }
        }
        parked.is_counted = true;
    }
    view.upstream.counters.waits += 1;
    client.parked = Some(parked);
    Verdict::Wait
}

/// A command that [`ask`] let run has run.
pub fn done(server: &mut Server) {
    server.keyspace.take_back();
}

/// Begins the load of a key that a command asks for which follows one that waits, where that is needed
/// and there is room.
pub fn foresee(server: &mut Server, client: &mut Client, key: &[u8], reading: Reading) {
    let Some(parked) = client.parked.as_mut().filter(|_| client.db == DB) else { return };
    let waiter = Waiter {
        handle: Handle { seat: client.seat, id: client.id },
        token: parked.token,
        is_parked: false,
        wants_copy: false,
    };
    let Some(mut view) = View::of(server) else { return };
    let asked = view.keyspace.asked(DB, key);
    let is_known = view.upstream.flights.holds(key)
        || view.keyspace.find(asked, view.now).is_some()
        || view.upstream.absences.holds(asked.hash, view.now)
        || view.upstream.foresight.as_ref().is_some_and(|it| it.is_expected(asked.hash));
    if is_known || !view.upstream.has_room_ahead(view.settings) {
        return;
    }
    parked.foreseen.push(asked.hash);
    if reading.counts && !client.modes.contains(Modes::NO_TOUCH) {
        view.keyspace.read(asked, view.now);
    }
    view.begin(asked, waiter, client.id, reading);
}

impl View<'_> {
    /// How a key is found.
    fn look(&mut self, asked: Asked<'_>, parked: Option<&Parked>, client: u64) -> Found {
        if self.keyspace.find(asked, self.now).is_some() {
            if let Some(renewal) = &mut self.upstream.renewal {
                renewal.hit(asked.hash, self.now);
            }
            return Found::Known;
        }
        let mut settled = parked.into_iter().flat_map(|it| it.settled.iter().rev());
        match settled.find(|it| it.0 == asked.hash) {
            Some((_, Outcome::Absent)) => return Found::Known,
            Some((_, Outcome::Passed(object))) => {
                self.keyspace.lend(object.clone());
                return Found::Known;
            }
            Some((_, Outcome::Failed(text))) => {
                let is_served = self.serve_stale(asked);
                return if is_served { Found::Known } else { Found::Failed(text.clone()) };
            }
            Some((_, Outcome::Stored)) => return Found::Missing(true),
            None => {}
        }
        if self.use_prefetched(asked, client) {
            return Found::Known;
        }
        if self.upstream.absences.holds(asked.hash, self.now) {
            self.upstream.counters.absences_served += 1;
            return Found::Known;
        }
        Found::Missing(false)
    }

    /// Takes what was prefetched into the databases, or lends it where it is turned away.
    fn use_prefetched(&mut self, asked: Asked<'_>, client: u64) -> bool {
        let Some(foresight) = &mut self.upstream.foresight else { return false };
        let Some(staged) = foresight.take(asked.hash, asked.key, self.now) else { return false };
        let key: Arc<[u8]> = asked.key.into();
        let ttl = staged.deadline.map(|at| at.saturating_sub(self.now));
        match self.keyspace.put_loaded(asked, staged.object, staged.deadline, None) {
            Err(turned_away) => self.keyspace.lend(Arc::new(turned_away)),
            Ok(()) => {
                if let Some(renewal) = &mut self.upstream.renewal {
                    renewal.loaded(asked.hash, &key, self.now, ttl, 0);
                }
            }
        }
        self.demand(&key, asked.hash, client, true);
        true
    }

    /// Lends what has ended, if it is kept; whether it is.
    fn serve_stale(&mut self, asked: Asked<'_>) -> bool {
        let Some(object) = self.upstream.stale.get(asked.hash, asked.key, self.now) else {
            return false;
        };
        self.upstream.counters.stale_served += 1;
        self.keyspace.lend(object);
        true
    }

    /// Begins the load of a key, for somebody who waits for it.
    fn begin(&mut self, asked: Asked<'_>, waiter: Waiter, client: u64, reading: Reading) {
        let (hash, key, times) = (asked.hash, Arc::<[u8]>::from(asked.key), self.times());
        let wanted = Wanted { hash, key: key.clone(), prefers_hash: reading.prefers_hash };
        self.upstream.begin(wanted, Purpose::Demand, times);
        self.upstream.flights.join(&key, waiter);
        self.demand(&key, hash, client, false);
    }

    /// A number for a client's wait.
    fn token(&mut self) -> u64 {
        self.upstream.tokens += 1;
        self.upstream.tokens
    }

    /// Begins or joins the loads of keys; for how many its client waits. As many as there is room for:
    /// the others are begun when these have ended.
    fn load(
        &mut self,
        missing: &[Missing<'_>],
        client: &Client,
        token: u64,
        reading: Reading,
    ) -> Result<usize, Failure> {
        let mut pending = 0;
        for &Missing { asked, wants_copy } in missing {
            let handle = client.handle();
            let waiter = Waiter { handle, token, is_parked: true, wants_copy };
            let hash = asked.hash;
            let is_prefetched =
                self.upstream.foresight.as_ref().is_some_and(|it| it.is_expected(hash));
            if self.upstream.flights.join(asked.key, waiter) {
                pending += 1;
                if is_prefetched {
                    self.demand(&asked.key.into(), hash, client.id, true);
                }
                continue;
            }
            let most = self.settings.upstream_loads;
            let failure = if self.upstream.flights.len() >= most {
                if pending > 0 {
                    break;
                }
                Failure::busy(&self.upstream.name, most)
            } else if !self.upstream.health.admits(self.now) {
                let pause = self.upstream.health.pause(self.now);
                Failure::down(&self.upstream.name, pause, &self.upstream.last_failure)
            } else {
                self.begin(asked, waiter, client.id, reading);
                pending += 1;
                continue;
            };
            if !self.serve_stale(asked) {
                if pending > 0 {
                    // It is refused when what it waits for has come.
                    break;
                }
                return Err(failure);
            }
        }
        Ok(pending)
    }

    /// The command of a client that has waited runs now; whether its reads are counted already.
    fn leave<'a>(&mut self, parked: &mut Parked, keys: impl Iterator<Item = &'a [u8]>) -> bool {
        let mut is_quiet = std::mem::take(&mut parked.is_counted);
        for key in keys {
            let hash = self.keyspace.asked(DB, key).hash;
            let count = parked.foreseen.len();
            parked.foreseen.retain(|it| *it != hash);
            is_quiet |= parked.foreseen.len() < count;
        }
        let foreseen = &parked.foreseen;
        parked.settled.retain(|it| foreseen.contains(&it.0));
        is_quiet
    }
}
