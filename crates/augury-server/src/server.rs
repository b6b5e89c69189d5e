//! What all connections share, under one lock: databases, clients, settings, counters.
//!
//! A worker takes the lock for a batch of commands, not for each; sockets are read and written, and
//! bytes taken apart, without it. So a transaction is nothing more than a batch, and what one client
//! sends another arrives in order. Decision 0026 has the reasons and the measurements.

use std::sync::{Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use augury_core::clock::Millis;
use slab::Slab;

use crate::client::{Client, ClientId, Place};
use crate::config::Settings;
use crate::keyspace::{Keyspace, Plan};
use crate::memcache;

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
    /// What memcached clients share.
    pub memcache: memcache::State,
    /// Connections of other workers that have something to write.
    wakes: Vec<Place>,
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
            clients: Slab::new(),
            next_client: 1,
            now,
            started: now,
            settings,
            counters: Counters::default(),
            memcache: memcache::State::new(now),
            wakes: Vec::new(),
            is_ending: false,
        }
    }

    /// A seat for a client that has just connected.
    pub fn seat(&mut self, place: Place, address: String, local: String) -> usize {
        let id = self.next_client;
        self.next_client += 1;
        self.counters.connections += 1;
        let client = Client::new(id, place, address, local, self.now);
        self.clients.insert(Some(Box::new(client)))
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
