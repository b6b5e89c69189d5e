//! The server of augury: the engine behind a socket, for Redis and memcached clients.
//!
//! Read in this order: [`net`] (bytes in, bytes out), [`resp`] (bytes to commands), [`commands`]
//! (what they do), [`memcache`] (the same for memcached clients), [`server`] (what they share),
//! [`keyspace`] (the engine), [`object`] (what is stored). What clients have to do with each other:
//! [`clients`], [`pubsub`], [`watching`], [`tracking`], [`notices`].
//! What is missing is loaded by [`upstream`], if there is one.
//! Beside that flow: [`program`] (from arguments to a server that runs, and its end), [`config`],
//! [`snapshot`], [`memory`] (the bound), [`http`] (metrics, health, the page), [`logging`].

pub mod acl;
pub mod auth;
pub mod client;
pub mod clients;
pub mod commands;
pub mod config;
pub mod events;
pub mod footprint;
pub mod glob;
pub mod http;
pub mod keyspace;
pub mod logging;
pub mod memcache;
pub mod memory;
pub mod models;
pub mod net;
pub mod notices;
pub mod object;
pub mod pausing;
pub mod program;
pub mod pubsub;
pub mod rates;
pub mod resp;
pub mod server;
pub mod slowlog;
pub mod snapshot;
pub mod tallies;
pub mod ticks;
pub mod tracking;
pub mod upstream;
pub mod watching;
