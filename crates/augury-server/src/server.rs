//! What all connections share, under one lock: databases, clients, settings, counters.
//!
//! A worker takes the lock for a batch of commands, not for each; sockets are read and written, and
//! bytes taken apart, without it. So a transaction is nothing more than a batch, and what one client
//! sends another arrives in order. Decision 0026 has the reasons and the measurements.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;
use std::sync::{Mutex, MutexGuard, mpsc};
use std::time::{SystemTime, UNIX_EPOCH};

use augury_core::clock::Millis;

use crate::acl::Acl;
use crate::client::{Client, Handle, Modes, Place};
use crate::clients::Clients;
use crate::config::{Setting, Settings};
use crate::keyspace::{Keyspace, Plan};
use crate::memcache;
use crate::memory::{self, Books, Measured};
use crate::models::Models;
use crate::pausing::Pause;
use crate::pubsub::Hub;
use crate::rates::Rates;
use crate::slowlog::SlowLog;
use crate::snapshot::Snapshots;
use crate::tallies::Tallies;
use crate::ticks::TickClock;
use crate::tracking::Table;
use crate::upstream::{self, Upstream};
use crate::watching::Watchers;

/// What protected mode tells others than this host's clients. The first sentences are Redis's, which
/// clients know.
const PROTECTED: &[u8] = b"-DENIED Redis is running in protected mode because protected mode is \
enabled and no password is set for the default user. In this mode connections are only accepted \
from the loopback interface. If you want to connect from external computers, do one of the \
following: 1) Set a password for the default user: requirepass. 2) Where nobody else can reach this \
port, disable protected mode: protected-mode no.\r\n";

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

/// How the server is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ending {
    /// Whether a snapshot is written; none: as the settings say.
    pub saves: Option<bool>,
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
    /// Name of this run: 40 hexadecimal digits.
    pub run_id: String,
    /// Users, and what was denied to them.
    pub acl: Acl,
    /// The time, read once for each batch.
    pub now: Millis,
    /// When the server started.
    pub started: Millis,
    /// What can be set.
    pub settings: Settings,
    /// Bytes of the bound that are to be left to others.
    pub reserve_wanted: u64,
    /// Bytes that have come from clients and from upstream.
    pub brought: u64,
    /// Bytes to be evicted by those who have brought some.
    pub owed: u64,
    /// Workers that serve clients at present.
    pub serving: usize,
    /// Counters.
    pub counters: Counters,
    /// How often which command runs, and how long it takes.
    pub tallies: Tallies,
    /// Trained models that are loaded.
    pub models: Models,
    /// What memcached clients share.
    pub memcache: memcache::State,
    /// Errors by their codes.
    pub errors: Errors,
    /// Whether the server is to end.
    pub is_ending: bool,
    /// Where the wish to end is told.
    ender: Option<mpsc::Sender<Ending>>,
    /// Snapshots that are written or asked for.
    pub snapshots: Snapshots,
    /// What database 0 is read through to, if it is.
    pub upstream: Option<Box<Upstream>>,
    /// What the process takes, measured some times a second.
    pub measured: Measured,
    /// The bound of memory at the start.
    pub memory_at_start: u64,
    /// What CONFIG SET has changed.
    pub changed: Vec<&'static Setting>,
    /// The file that the settings came from.
    pub config_file: Option<PathBuf>,
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
        let mut keyspace = Keyspace::new(Plan { policy, memory, seed: now });
        keyspace.simulate(settings.simulate);
        keyspace.watch(settings.notified.is_on());
        Server {
            keyspace,
            clients: Clients::default(),
            pubsub: Hub::default(),
            tracking: Table::new(settings.tracking_max as usize),
            watchers: Watchers::default(),
            monitors: Vec::new(),
            slowlog: SlowLog::new(settings.slowlog_slower_than, settings.slowlog_max as usize),
            pause: None,
            rates: Rates::default(),
            ticks: TickClock::default(),
            run_id: (0..40).map(|_| fastrand::digit(16)).collect(),
            acl: Acl::new(settings.requirepass(), settings.acl_path()),
            now,
            started: now,
            settings,
            reserve_wanted: 0,
            brought: 0,
            owed: 0,
            serving: 1,
            counters: Counters::default(),
            tallies: Tallies::new(now),
            models: Models::default(),
            memcache: memcache::State::new(now),
            errors: Errors::default(),
            is_ending: false,
            ender: None,
            snapshots: Snapshots::new(now),
            upstream: None,
            measured: Measured::default(),
            memory_at_start: memory,
            changed: Vec::new(),
            config_file: None,
        }
    }

    /// How its databases are made.
    pub fn plan(&self) -> Plan {
        let (policy, memory) = (self.settings.policy, self.settings.memory);
        Plan { policy, memory, seed: self.started }
    }

    /// A seat for a client that has just connected.
    pub fn seat(&mut self, place: Place, address: String, local: String) -> usize {
        self.counters.connections += 1;
        let now = self.now;
        let user = self.acl.default_user().clone();
        self.clients.seat(|handle| {
            let mut client = Client::new(handle, place, address, local, now);
            let is_open = user.is_open();
            client.become_user(user, is_open);
            client
        })
    }

    /// Makes the client the default user, authenticated if that needs no password: a client that has
    /// just connected, or that starts anew.
    pub fn greet(&self, client: &mut Client) {
        let user = self.acl.default_user();
        client.become_user(user.clone(), user.is_open());
    }

    /// What to tell a peer that is not to be seated, if it is not. Where no password is needed only
    /// this host's clients are served, unless that is wanted: protected mode. A protocol without
    /// passwords (memcached's) is in that case always.
    pub fn turn_away(&mut self, peer: IpAddr, has_passwords: bool) -> Option<&'static [u8]> {
        let refusal: &[u8] = if self.client_count() >= self.settings.clients_max {
            b"-ERR max number of clients reached\r\n"
        } else if self.settings.protected_mode
            && (!has_passwords || self.acl.default_user().is_nopass)
            && !peer.to_canonical().is_loopback()
        {
            PROTECTED
        } else {
            return None;
        };
        self.counters.rejected += 1;
        Some(refusal)
    }

    /// The client in a seat, unless its commands are running.
    pub fn client(&self, seat: usize) -> Option<&Client> {
        self.clients.get(seat)
    }

    /// Where the wish to end is told from now on.
    pub fn set_ender(&mut self, ender: mpsc::Sender<Ending>) {
        self.ender = Some(ender);
    }

    /// Asks whoever runs the server to end it.
    pub fn end(&mut self, ending: Ending) {
        if let Some(ender) = &self.ender {
            // Where nobody listens any more it ends already.
            let _ = ender.send(ending);
        }
    }

    /// Counts what a connection has read and written.
    #[inline]
    pub fn account(&mut self, read: u64, written: u64) {
        self.counters.read_bytes += read;
        self.counters.written_bytes += written;
        self.bring(read);
    }

    /// So many bytes have come from outside. While room is still to be made for what the process takes
    /// besides, whoever brings more makes some first.
    #[inline]
    pub fn bring(&mut self, bytes: u64) {
        self.brought += bytes;
        if self.reserve_wanted > self.keyspace.reserved() {
            memory::help(self, bytes);
        }
    }

    /// Takes over the bound that is set. A much smaller one is approached in steps: evicting all
    /// of the difference at once would make every client wait.
    pub fn bound_memory(&mut self) {
        if self.settings.memory + memory::STEP >= self.keyspace.capacity() {
            self.keyspace.resize(self.settings.memory);
        }
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

    /// A client's connection is somewhere else now: there it is woken.
    pub fn move_client(&mut self, seat: usize, place: Place) {
        if let Some(client) = self.clients.get_mut(seat) {
            client.place = place;
        }
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
        let is_waited_for = !self.watchers.is_empty() || self.tracking.has_clients();
        self.keyspace.watch(is_waited_for || self.settings.notified.is_on());
    }

    /// What the process takes at this moment; as it was at the latest look where that is not told.
    pub fn measure(&mut self) -> Measured {
        if let Ok(measured) = memory::measure(self.measured.buffers) {
            self.measured = measured.after(&self.measured, self.keyspace.counted());
        }
        self.measured
    }

    /// What is in use and by what, by this measurement.
    pub fn books(&self, seen: &Measured) -> Books {
        seen.books(self.keyspace.counted(), self.keyspace.overhead_bytes() as u64)
    }

    /// A beat of the clock: rates are sampled, a pause ends.
    pub fn beat(&mut self) {
        self.rates.sample(self.now, &self.counters);
        self.keyspace.beat(self.now);
        self.ticks.note(self.keyspace.ticks(), self.keyspace.dirty(), self.now);
        if let Some(pause) = self.pause.take_if(|pause| pause.until <= self.now) {
            pause.end(&mut self.clients);
        }
        if self.upstream.is_some() {
            upstream::beat(self);
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
pub struct Shared {
    server: Mutex<Server>,
    /// Bytes of all connections' buffers.
    pub buffers: AtomicUsize,
}

impl Shared {
    /// Puts a server under a lock.
    pub fn new(server: Server) -> Shared {
        Shared { server: Mutex::new(server), buffers: AtomicUsize::new(0) }
    }

    /// The server, with its time read anew. A command that has panicked while it held the lock has
    /// left the server whole: what it did is done in part, as after an eviction.
    #[inline]
    pub fn lock(&self) -> MutexGuard<'_, Server> {
        let mut server = self.server.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        server.now = unix_millis().max(server.now);
        server
    }
}
