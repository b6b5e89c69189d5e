//! What can be set.

use std::net::IpAddr;

use augury_replay::replay::PolicyName;

/// Everything that can be set, with its defaults.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Addresses to listen on.
    pub bind: Vec<IpAddr>,
    /// Port for Redis clients; 0 lets the system choose.
    pub port: u16,
    /// Port for memcached clients, if any.
    pub memcached_port: Option<u16>,
    /// Longest item of memcached clients in bytes, as memcached counts it: with key and header.
    pub memcached_item_max: usize,
    /// Bytes that everything stored may take.
    pub memory: u64,
    /// What decides who stays.
    pub policy: PolicyName,
    /// Threads that serve clients.
    pub threads: usize,
    /// Most clients at a time.
    pub clients_max: usize,
    /// Longest argument in bytes.
    pub bulk_max: usize,
    /// Bytes that a client may have sent before a command is complete.
    pub query_max: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            bind: vec![IpAddr::from([127, 0, 0, 1])],
            port: 6379,
            memcached_port: None,
            memcached_item_max: 1 << 20,
            memory: 64 << 20,
            policy: PolicyName::Auto,
            threads: 1,
            clients_max: 10_000,
            bulk_max: 512 << 20,
            query_max: 1 << 30,
        }
    }
}
