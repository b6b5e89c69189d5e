//! The server of augury: the engine behind a socket, for Redis and memcached clients.
//!
//! Read in this order: [`net`] (bytes in, bytes out), [`resp`] (bytes to commands), [`commands`]
//! (what they do), [`memcache`] (the same for memcached clients), [`server`] (what they share), [`keyspace`] (the engine), [`object`] (what is
//! stored).

pub mod client;
pub mod commands;
pub mod config;
pub mod keyspace;
pub mod memcache;
pub mod net;
pub mod object;
pub mod resp;
pub mod server;
