//! What all connections share, under one lock: databases, clients, settings, counters.
//!
//! A worker takes the lock for a batch of commands, not for each; sockets are read and written, and
//! bytes taken apart, without it. So a transaction is nothing more than a batch, and what one client
//! sends another arrives in order. Decision 0026 has the reasons and the measurements.

use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;
use std::sync::{Mutex, MutexGuard, mpsc};
use std::time::{SystemTime, UNIX_EPOCH};

use augury_core::clock::Millis;
use slab::Slab;

use crate::client::{Client, ClientId, Place};
use crate::config::{Setting, Settings};
use crate::keyspace::{Keyspace, Plan};
use crate::memory::{self, Measured};
use crate::snapshot::Snapshots;

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
    /// Clients by their seats; an empty seat is that of a client whose commands are running.
    clients: Slab<Option<Box<Client>>>,
    next_client: ClientId,
    /// The time, read once for each batch.
    pub now: Millis,
    /// When the server started.
    pub started: Millis,
    /// What can be set.
    pub settings: Settings,
    /// Counters.
    pub counters: Counters,
    /// Connections of other workers that have something to write.
    wakes: Vec<Place>,
    /// Whether the server is to end.
    pub is_ending: bool,
    /// Where the wish to end is told.
    ender: Option<mpsc::Sender<Ending>>,
    /// Snapshots that are written or asked for.
    pub snapshots: Snapshots,
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
        Server {
            keyspace: Keyspace::new(Plan { policy, memory, seed: now }),
            clients: Slab::new(),
            next_client: 1,
            now,
            started: now,
            settings,
            counters: Counters::default(),
            wakes: Vec::new(),
            is_ending: false,
            ender: None,
            snapshots: Snapshots::new(now),
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
        let id = self.next_client;
        self.next_client += 1;
        self.counters.connections += 1;
        let client = Client::new(id, place, address, local, self.now);
        self.clients.insert(Some(Box::new(client)))
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
        self.clients.iter_mut().filter_map(|(_, client)| client.as_deref_mut())
    }

    /// Takes a client from its seat while its commands run.
    pub fn take_client(&mut self, seat: usize) -> Option<Box<Client>> {
        self.clients.get_mut(seat)?.take()
    }

    /// Puts a client back into its seat.
    pub fn put_client(&mut self, seat: usize, client: Box<Client>) {
        if let Some(place) = self.clients.get_mut(seat) {
            *place = Some(client);
        }
    }

    /// A client has gone: its seat is free.
    pub fn unseat(&mut self, seat: usize) {
        self.clients.try_remove(seat);
    }

    /// A connection has something to write, or is to be closed: its worker is to look.
    pub fn wake(&mut self, place: Place) {
        self.wakes.push(place);
    }

    /// The connections to look at since the last call.
    pub fn take_wakes(&mut self) -> Vec<Place> {
        std::mem::take(&mut self.wakes)
    }

    /// Whether there are connections to look at.
    #[inline]
    pub fn has_wakes(&self) -> bool {
        !self.wakes.is_empty()
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
