//! Sockets: listeners, workers with an event loop each, connections and their buffers.
//!
//! The one folder that knows an event loop. A worker reads what has come on a connection, takes it
//! apart, takes the lock of the server for a batch of commands, and writes the answers without it.

mod connection;
mod dialect;
mod listen;
mod memcached;
mod worker;

pub use dialect::Dialect;
pub use listen::{Listening, Running, listen};
