//! Sockets: listeners, workers with an event loop each, connections and their buffers.
//!
//! The one folder that knows an event loop. A worker reads what has come on a connection, takes it
//! apart, takes the lock of the server for a batch of commands, and writes the answers without it.

mod accept;
mod connection;
mod dialect;
mod limits;
mod listen;
mod memcached;
mod serve;
mod sharing;
mod tls;
mod transport;
mod worker;

pub use dialect::Dialect;
pub use listen::{Listening, Post, Running, listen};
