//! What all connections share, under one lock: databases, clients, settings, counters.
//!
//! A worker takes the lock for a batch of commands, not for each; sockets are read and written, and
//! bytes taken apart, without it. So a transaction is nothing more than a batch, and what one client
//! sends another arrives in order. Decision 0026 has the reasons and the measurements.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use augury_core::clock::Millis;

use crate::client::{Client, Handle, Modes, Place};
use crate::clients::Clients;
use crate::config::Settings;
use crate::footprint::Footprint;
use crate::keyspace::{Keyspace, Plan};
use crate::pausing::Pause;
use crate::pubsub::Hub;
use crate::rates::Rates;
use crate::slowlog::SlowLog;
use crate::ticks::TickClock;
use crate::tracking::Table;
use crate::watching::Watchers;

/// Time between looks at the memory of the process.
const LOOK_MILLIS: Millis = 1_000;

/// Counters that INFO and metrics show.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counters {
    /// Connections accepted.
    pub connections: u64,
    /// Connections refused for their number.
    pub rejected: u64,
    /// Commands run.
    pub commands: u64,
    /// Bytes read from clients.
    pub read_bytes: u64,
    /// Bytes written to clients.
    pub written_bytes: u64,
    /// Answers that were errors.
    pub errors: u64,
}

/// Kinds of errors that are counted apart.
const ERROR_CODES_MAX: usize = 128;

/// Errors answered, by their code: the first word of their text.
#[derive(Debug, Default)]
pub struct Errors(BTreeMap<Box<[u8]>, u64>);

impl Errors {
    /// Counts an error of this text; a new code only while there are few.
    pub fn count(&mut self, text: &[u8]) {
        let code = text.split(|&byte| byte == b' ').next().unwrap_or_default();
        if let Some(count) = self.0.get_mut(code) {
            *count += 1;
        } else if self.0.len() < ERROR_CODES_MAX {
            self.0.insert(code.into(), 1);
        }
    }

    /// Codes with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], u64)> {
        self.0.iter().map(|(code, &count)| (&**code, count))
    }
}

/// See the module's head.
pub struct Server {
    /// The databases.
    pub keyspace: Keyspace,
    /// The clients.
    pub clients: Clients,
    /// Who has subscribed to what.
    pub pubsub: Hub,
    /// Who is told of changes to what.
    pub tracking: Table,
    /// Who watches what.
    pub watchers: Watchers,
    /// Clients that see all commands.
    pub monitors: Vec<Handle>,
    /// Slow commands.
    pub slowlog: SlowLog,
    /// Commands are held back, if they are.
    pub pause: Option<Pause>,
    /// What happens per second.
    pub rates: Rates,
    /// When which request was served.
    pub ticks: TickClock,
    /// Memory of the process.
    pub footprint: Footprint,
    /// Name of this run: 40 hexadecimal digits.
    pub run_id: String,
    next_look: Millis,
    /// The time, read once for each batch.
    pub now: Millis,
    /// When the server started.
    pub started: Millis,
    /// What can be set.
    pub settings: Settings,
    /// Counters.
    pub counters: Counters,
    /// Errors by their codes.
    pub errors: Errors,
    /// Whether the server is to end.
    pub is_ending: bool,
}

/// Milliseconds of Unix time.
pub fn unix_millis() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis().try_into().unwrap_or(Millis::MAX)
}

impl Server {
    /// A server with empty databases.
    pub fn new(settings: Settings) -> Server {
        let now = unix_millis();
        let (policy, memory) = (settings.policy, settings.memory);
        let plan = Plan { policy, memory, seed: now };
        Server {
            keyspace: Keyspace::new(plan),
            clients: Clients::default(),
            pubsub: Hub::default(),
            tracking: Table::new(settings.tracking_keys_max),
            watchers: Watchers::default(),
            monitors: Vec::new(),
            slowlog: SlowLog::new(settings.slowlog_threshold, settings.slowlog_len),
            pause: None,
            rates: Rates::default(),
            ticks: TickClock::default(),
            footprint: Footprint::default(),
            run_id: (0..40).map(|_| fastrand::digit(16)).collect(),
            next_look: 0,
            now,
            started: now,
            settings,
            counters: Counters::default(),
            errors: Errors::default(),
            is_ending: false,
        }
    }

    /// A seat for a client that has just connected.
    pub fn seat(&mut self, place: Place, address: String, local: String) -> usize {
        self.counters.connections += 1;
        let now = self.now;
        self.clients.seat(|handle| Client::new(handle, place, address, local, now))
    }

    /// Number of clients.
    pub fn client_count(&self) -> usize {
        self.clients.len()
    }

    /// All clients but the one whose commands are running.
    pub fn others(&mut self) -> impl Iterator<Item = &mut Client> {
        self.clients.seated_mut()
    }

    /// Takes a client from its seat while its commands run.
    #[inline]
    pub fn take_client(&mut self, seat: usize) -> Option<Box<Client>> {
        self.clients.take(seat)
    }

    /// Puts a client back into its seat.
    #[inline]
    pub fn put_client(&mut self, seat: usize, client: Box<Client>) {
        self.clients.put(seat, client);
    }

    /// A client has gone: its seat is free, and nobody waits for it any more.
    pub fn unseat(&mut self, seat: usize) {
        if let Some(mut client) = self.clients.unseat(seat) {
            self.forget(&mut client);
        }
    }

    /// Ends everything that others could reach the client by: subscriptions, tracking, watches,
    /// MONITOR.
    pub fn forget(&mut self, client: &mut Client) {
        self.pubsub.unsubscribe_all(client);
        self.tracking.disable(client);
        self.watchers.unwatch(client);
        if client.modes.contains(Modes::MONITOR) {
            client.modes.remove(Modes::MONITOR);
            self.monitors.retain(|handle| handle.id != client.id);
        }
        self.settle_watch();
    }

    /// Has the keyspace tell of changes while somebody waits for one, and only then.
    pub fn settle_watch(&mut self) {
        self.keyspace.watch(!self.watchers.is_empty() || self.tracking.has_clients());
    }

    /// A beat of the clock: rates are sampled, a pause ends.
    pub fn beat(&mut self) {
        self.rates.sample(self.now, &self.counters);
        self.ticks.note(self.keyspace.ticks(), self.keyspace.dirty(), self.now);
        if self.now >= self.next_look {
            self.next_look = self.now + LOOK_MILLIS;
            self.footprint.look();
        }
        if let Some(pause) = self.pause.take_if(|pause| pause.until <= self.now) {
            pause.end(&mut self.clients);
        }
    }

    /// A connection has something to write, or is to be closed: its worker is to look.
    pub fn wake(&mut self, place: Place) {
        self.clients.wake(place);
    }

    /// The connections to look at since the last call.
    pub fn take_wakes(&mut self) -> Vec<Place> {
        self.clients.take_wakes()
    }

    /// Whether there are connections to look at.
    #[inline]
    pub fn has_wakes(&self) -> bool {
        self.clients.has_wakes()
    }
}

/// The server under its lock.
pub struct Shared(Mutex<Server>);

impl Shared {
    /// Puts a server under a lock.
    pub fn new(server: Server) -> Shared {
        Shared(Mutex::new(server))
    }

    /// The server, with its time read anew. A command that has panicked while it held the lock has
    /// left the server whole: what it did is done in part, as after an eviction.
    #[inline]
    pub fn lock(&self) -> MutexGuard<'_, Server> {
        let mut server = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        server.now = unix_millis().max(server.now);
        server
    }
}
