//! A client as the commands see it: who it is, what it has chosen, what it waits for.
//!
//! The connection (socket, buffers) is the worker's (`net/`); this is what lives under the lock of
//! the server, so that a command of one client can reach another.

use std::sync::{Arc, OnceLock};

use augury_core::clock::Millis;

use crate::acl::user::User;
use crate::resp::{Arguments, Protocol};

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

/// Commands that wait for EXEC.
#[derive(Debug, Default)]
pub struct Transaction {
    /// The commands, each with its arguments.
    pub commands: Vec<Vec<Box<[u8]>>>,
    /// Whether one of them was refused.
    pub is_broken: bool,
}

/// See the module's head.
#[derive(Debug)]
pub struct Client {
    /// Its number.
    pub id: ClientId,
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
    /// Whether its commands are answered.
    pub answers: Answers,
    /// What waits for EXEC, between MULTI and it.
    pub transaction: Option<Transaction>,
    /// What others have sent it: pushes, to be written behind its own answers.
    pub outbox: Vec<u8>,
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
    pub fn new(id: ClientId, place: Place, address: String, local: String, now: Millis) -> Client {
        Client {
            id,
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
            answers: Answers::On,
            transaction: None,
            outbox: Vec::new(),
            is_closing: false,
            since: now,
            active: now,
            latest: "NULL",
        }
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
            transaction.commands.push(arguments.iter().map(Box::from).collect());
        }
    }
}

/// A user that may do nothing.
fn nobody() -> Arc<User> {
    static NOBODY: OnceLock<Arc<User>> = OnceLock::new();
    NOBODY.get_or_init(|| Arc::new(User::new(b""))).clone()
}
