//! Sockets: listeners, workers with an event loop each, connections and their buffers.
//!
//! The one folder that knows an event loop. A worker reads what has come on a connection, takes it
//! apart, takes the lock of the server for a batch of commands, and writes the answers without it.

mod connection;
mod listen;
mod worker;

pub use listen::{Listening, Post, Running, listen};
