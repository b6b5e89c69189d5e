//! The server of augury: the engine behind a socket, for Redis and memcached clients.
//!
//! Read in this order: [`net`] (bytes in, bytes out), [`resp`] (bytes to commands), [`commands`]
//! (what they do), [`server`] (what they share), [`keyspace`] (the engine), [`object`] (what is
//! stored). Beside that flow: [`program`] (from arguments to a server that runs, and its end),
//! [`config`], [`snapshot`], [`memory`] (the bound), [`logging`].

pub mod client;
pub mod commands;
pub mod config;
pub mod glob;
mod http;
pub mod keyspace;
pub mod logging;
pub mod memory;
pub mod net;
pub mod object;
pub mod program;
pub mod resp;
pub mod server;
pub mod snapshot;
