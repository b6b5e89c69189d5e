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
    /// Commands that take at least so many microseconds are logged as slow; none if negative.
    pub slowlog_threshold: i64,
    /// Slow commands that are kept.
    pub slowlog_len: usize,
    /// Keys that are remembered for clients that cache; 0: any number.
    pub tracking_keys_max: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            bind: vec![IpAddr::from([127, 0, 0, 1])],
            port: 6379,
            memcached_port: None,
            memory: 64 << 20,
            policy: PolicyName::Auto,
            threads: 1,
            clients_max: 10_000,
            bulk_max: 512 << 20,
            query_max: 1 << 30,
            slowlog_threshold: 10_000,
            slowlog_len: 128,
            tracking_keys_max: 1_000_000,
        }
    }
}
