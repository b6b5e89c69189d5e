//! Commands: what each is (data), and what it does (a function).
//!
//! [`dispatch::run`] is where a command enters. A family of commands is one file, with its table at the top;
//! COMMAND and the documentation are made of the tables.

pub mod acl;
pub mod augury;
pub mod auth;
pub mod client;
pub mod config;
pub mod connection;
pub mod dispatch;
pub mod expiry;
pub mod extended;
pub mod guard;
pub mod hashes;
pub mod help;
pub mod info;
pub mod introspection;
pub mod keys;
pub mod latency;
pub mod lookup;
pub mod memory;
pub mod moment;
pub mod monitor;
pub mod node;
pub mod number;
pub mod object;
pub mod page;
pub mod persistence;
pub mod pubsub;
pub mod refusal;
pub mod scan;
pub mod scripting;
pub mod secrets;
pub mod slowlog;
pub mod spec;
pub mod strings;
pub mod table;
pub mod through;
pub mod transactions;
pub mod unsupported;

use crate::client::Client;
use crate::resp::{Arguments, Reply};
use crate::server::Server;

pub use refusal::{Refusal, Stop};
pub use spec::{Categories, Command, Flags, Keys, Through};

/// What a command's function answers: its answer is written, or it stops.
pub type Done = Result<(), Stop>;

/// A command that runs.
pub struct Call<'a, 'b> {
    /// Everything shared.
    pub server: &'a mut Server,
    /// Whose command it is.
    pub client: &'a mut Client,
    /// Its arguments, its name first.
    pub arguments: Arguments<'a>,
    /// Where its answer goes.
    pub reply: &'a mut Reply<'b>,
    /// What it is.
    pub command: &'static Command,
}
