//! A client as the commands see it: who it is, what it has chosen, what it waits for.
//!
//! The connection (socket, buffers) is the worker's (`net/`); this is what lives under the lock of
//! the server, so that a command of one client can reach another.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use augury_core::clock::Millis;
use bitflags::bitflags;

use crate::acl::user::User;
use crate::resp::{Arguments, Protocol};
use crate::tracking::Tracking;
use crate::upstream::asking::Parked;

/// Number of a client, never used twice.
pub type ClientId = u64;

/// Where a client's connection is: the worker, and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Number of the worker.
    pub worker: usize,
    /// Number of the connection with that worker.
    pub connection: usize,
}

/// A client by its seat; its number tells whether it still sits there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Handle {
    /// The seat.
    pub seat: usize,
    /// The client's number.
    pub id: ClientId,
}

/// Whether commands are answered: CLIENT REPLY.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Answers {
    /// Always.
    #[default]
    On,
    /// Never.
    Off,
    /// Not the next one.
    SkipNext,
    /// Not this one.
    Skip,
}

bitflags! {
    /// What is special about a client. Most have none of it, and pay one look for all.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Modes: u8 {
        /// It has subscribed to something.
        const SUBSCRIBED = 1 << 0;
        /// It caches what it reads, and is told of changes.
        const TRACKING = 1 << 1;
        /// It sees all commands.
        const MONITOR = 1 << 2;
        /// Its connection is not closed for the memory it takes.
        const NO_EVICT = 1 << 3;
        /// Its reads teach the policy nothing.
        const NO_TOUCH = 1 << 4;
        /// Something that it watches has changed.
        const DIRTY = 1 << 5;
        /// It is running the commands of a transaction.
        const EXECUTING = 1 << 6;
    }
}

/// A command that waits for EXEC, as it came.
#[derive(Debug)]
pub struct Queued {
    bytes: Vec<u8>,
    ranges: Vec<Range<usize>>,
}

impl Queued {
    fn of(arguments: Arguments<'_>) -> Queued {
        let (mut bytes, mut ranges) = (Vec::new(), Vec::with_capacity(arguments.len()));
        for argument in arguments.iter() {
            let from = bytes.len();
            bytes.extend_from_slice(argument);
            ranges.push(from..bytes.len());
        }
        Queued { bytes, ranges }
    }

    /// Its arguments, its name first.
    pub fn arguments(&self) -> Arguments<'_> {
        Arguments::new(&self.bytes, &self.ranges)
    }

    /// Bytes that it takes.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Queued>() + self.bytes.len() + self.ranges.len() * size_of::<Range<usize>>()
    }
}

/// Commands that wait for EXEC.
#[derive(Debug, Default)]
pub struct Transaction {
    /// The commands, in order.
    pub commands: Vec<Queued>,
    /// Whether one of them was refused.
    pub is_broken: bool,
}

/// A key whose change makes EXEC answer null.
#[derive(Debug)]
pub struct Watched {
    /// Number of its database.
    pub db: u8,
    /// The key.
    pub key: Box<[u8]>,
}

/// What a client has subscribed to.
#[derive(Debug, Default)]
pub struct Subscriptions {
    /// Channels by name.
    pub channels: HashSet<Box<[u8]>>,
    /// Channels by pattern.
    pub patterns: HashSet<Box<[u8]>>,
    /// Channels of shards by name.
    pub shards: HashSet<Box<[u8]>>,
}

/// See the module's head.
#[derive(Debug)]
pub struct Client {
    /// Its number.
    pub id: ClientId,
    /// Its seat in the server.
    pub seat: usize,
    /// Where its connection is.
    pub place: Place,
    /// Its address, as text.
    pub address: String,
    /// The address it has connected to.
    pub local: String,
    /// The name it has given itself.
    pub name: Box<[u8]>,
    /// Name and version of its library, where it has told them.
    pub library: (Box<[u8]>, Box<[u8]>),
    /// Its user.
    pub user: Arc<User>,
    /// Whether it has shown that it is that user, or need not.
    pub is_authenticated: bool,
    /// Whether it may do everything: nothing is looked up for its commands.
    pub is_free: bool,
    /// Until when its answers are held and its commands wait.
    pub hold: Option<Millis>,
    /// Version of the protocol that it speaks.
    pub protocol: Protocol,
    /// Number of the database that it has selected.
    pub db: u8,
    /// What is special about it.
    pub modes: Modes,
    /// Whether its commands are answered.
    pub answers: Answers,
    /// What waits for EXEC, between MULTI and it.
    pub transaction: Option<Transaction>,
    /// The keys that it watches.
    pub watched: Vec<Watched>,
    /// What it has subscribed to, if it ever has.
    pub subscriptions: Option<Box<Subscriptions>>,
    /// How it is told of changes to what it has read, if it wants to.
    pub tracking: Option<Box<Tracking>>,
    /// What others have sent it: pushes, to be written behind its own answers.
    pub outbox: Vec<u8>,
    /// What it waits for from the upstream, or has waited for.
    pub parked: Option<Box<Parked>>,
    /// Whether its connection is to be closed.
    pub is_closing: bool,
    /// When it came.
    pub since: Millis,
    /// When its latest command began.
    pub active: Millis,
    /// Its latest command.
    pub latest: &'static str,
}

impl Client {
    /// A client that has just connected: nobody, until [`crate::server::Server::greet`] says who.
    pub fn new(
        handle: Handle,
        place: Place,
        address: String,
        local: String,
        now: Millis,
    ) -> Client {
        Client {
            id: handle.id,
            seat: handle.seat,
            place,
            address,
            local,
            name: Box::default(),
            library: Default::default(),
            user: nobody(),
            is_authenticated: false,
            is_free: false,
            hold: None,
            protocol: Protocol::Resp2,
            db: 0,
            modes: Modes::empty(),
            answers: Answers::On,
            transaction: None,
            watched: Vec::new(),
            subscriptions: None,
            tracking: None,
            outbox: Vec::new(),
            parked: None,
            is_closing: false,
            since: now,
            active: now,
            latest: "NULL",
        }
    }

    /// Where others find it.
    pub fn handle(&self) -> Handle {
        Handle { seat: self.seat, id: self.id }
    }

    /// From here on it is this user.
    pub fn become_user(&mut self, user: Arc<User>, is_authenticated: bool) {
        self.is_free = is_authenticated && user.is_unrestricted();
        self.is_authenticated = is_authenticated;
        self.user = user;
    }

    /// Queues a command for EXEC.
    pub fn queue(&mut self, arguments: Arguments<'_>) {
        if let Some(transaction) = &mut self.transaction {
            transaction.commands.push(Queued::of(arguments));
        }
    }

    /// Channels, patterns and shard channels subscribed to.
    pub fn subscription_counts(&self) -> (usize, usize, usize) {
        self.subscriptions
            .as_ref()
            .map_or((0, 0, 0), |it| (it.channels.len(), it.patterns.len(), it.shards.len()))
    }
}

/// A user that may do nothing.
fn nobody() -> Arc<User> {
    static NOBODY: OnceLock<Arc<User>> = OnceLock::new();
    NOBODY.get_or_init(|| Arc::new(User::new(b""))).clone()
}
