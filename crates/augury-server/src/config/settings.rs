//! The settings as values, with their defaults.

use std::net::IpAddr;
use std::path::PathBuf;

use std::time::Duration;

use augury_replay::replay::PolicyName;

use super::notify::Notified;
use super::output::OutputLimits;
use crate::object::hash::Listed;

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// A snapshot is due so many seconds after the one before, once so much has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SaveRule {
    /// Seconds.
    pub seconds: u64,
    /// Changes.
    pub changes: u64,
}

/// Everything that can be set. What each is for, and its range, is in [`super::table`].
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Settings {
    /// Addresses to listen on.
    pub bind: Vec<IpAddr>,
    /// Port for Redis clients; 0 lets the system choose.
    pub port: u16,
    /// Port for memcached clients, if any.
    pub memcached_port: Option<u16>,
    /// Port for metrics and health, if any.
    pub http_port: Option<u16>,
    /// Bytes that everything stored may take.
    pub memory: u64,
    /// What decides who stays.
    pub policy: PolicyName,
    /// The name that Redis's clients read: it decides nothing.
    pub maxmemory_policy: String,
    /// Threads that serve clients.
    pub threads: usize,
    /// Most clients at a time.
    pub clients_max: usize,
    /// Seconds after which an idle client is disconnected; 0: never.
    pub timeout: u64,
    /// Seconds between probes of a silent connection; 0: none.
    pub tcp_keepalive: u64,
    /// Longest argument in bytes.
    pub bulk_max: usize,
    /// Bytes that a client may have sent before a command is complete.
    pub query_max: usize,
    /// Bytes that may wait for clients to read them.
    pub output_limits: OutputLimits,
    /// Longest item of memcached clients in bytes, as memcached counts it: with key and header.
    pub memcached_item_max: usize,
    /// How long a command may take to come whole, and the last answers to be read.
    pub command_timeout: Duration,
    /// How long a client may take for the TLS handshake, and to authenticate where it has to.
    pub greeting_timeout: Duration,
    /// Folder of the snapshot; empty: none is read or written unasked.
    pub dir: PathBuf,
    /// The snapshot's name in the folder.
    pub snapshot_file: String,
    /// Seconds from one snapshot to the next; 0: by `save` alone.
    pub snapshot_interval: u64,
    /// When else a snapshot is due.
    pub save: Vec<SaveRule>,
    pub log_level: String,
    pub log_format: LogFormat,
    /// The log's file; empty: standard error.
    pub log_file: PathBuf,
    /// Password of the default user; empty: none is asked for.
    pub password: String,
    /// Users as `ACL SETUSER` has them, a line each.
    pub users: Vec<String>,
    pub acl_file: PathBuf,
    pub acl_log_max: u64,
    /// Whether strangers from other machines are refused while there is no password.
    pub protected_mode: bool,
    pub tls_port: Option<u16>,
    pub tls_cert_file: PathBuf,
    pub tls_key_file: PathBuf,
    pub tls_ca_file: PathBuf,
    /// Whether clients must have, may have, or need no certificate.
    pub tls_auth_clients: String,
    /// Microseconds from which on a command is logged; negative: none is.
    pub slowlog_slower_than: i64,
    pub slowlog_max: u64,
    /// Most fields of a hash that Redis would keep as a list.
    pub hash_listed_fields: u64,
    /// Longest field or value of such a hash, in bytes.
    pub hash_listed_bytes: u64,
    /// Keys that are tracked for clients' own caches.
    pub tracking_max: u64,
    /// URL of what is read through to; empty: nothing is. It may carry a password.
    pub upstream: String,
    /// Seconds that a value stays of which the upstream does not say how long; 0: until it is evicted.
    pub upstream_ttl: u64,
    /// Most seconds that a loaded value stays, whatever the upstream says; 0: as it says.
    pub upstream_ttl_max: u64,
    /// Hundredths of a lifetime that chance may take off.
    pub upstream_jitter: u64,
    /// Seconds that it is remembered that the upstream has no such key.
    pub upstream_negative_ttl: u64,
    /// Seconds that a loaded value is kept beyond its end, to be served where a load fails.
    pub upstream_stale: u64,
    /// How long a load may take, from when it was asked for.
    pub upstream_timeout: Duration,
    pub upstream_connections: usize,
    /// Loads under way or waiting at a time.
    pub upstream_loads: usize,
    /// Loads ahead of time for a hundred that are asked for.
    pub upstream_budget: u64,
    /// Longest value that is loaded, in bytes.
    pub upstream_value_max: usize,
    /// Authorities of the upstream's certificate, in place of the system's.
    pub upstream_ca_file: PathBuf,
    /// Which changes are published to subscribers.
    pub notified: Notified,
    /// Whether other capacities and policies are simulated.
    pub simulate: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            bind: vec![IpAddr::from([127, 0, 0, 1])],
            port: 6379,
            memcached_port: None,
            http_port: None,
            memory: 64 << 20,
            policy: PolicyName::Auto,
            maxmemory_policy: "allkeys-lru".to_owned(),
            threads: 1,
            clients_max: 10_000,
            timeout: 0,
            tcp_keepalive: 300,
            bulk_max: 512 << 20,
            query_max: 1 << 30,
            output_limits: OutputLimits::default(),
            memcached_item_max: 1 << 20,
            command_timeout: Duration::from_secs(300),
            greeting_timeout: Duration::from_secs(30),
            dir: PathBuf::new(),
            snapshot_file: "augury.snapshot".to_owned(),
            snapshot_interval: 0,
            save: Vec::new(),
            log_level: "notice".to_owned(),
            log_format: LogFormat::Text,
            log_file: PathBuf::new(),
            password: String::new(),
            users: Vec::new(),
            acl_file: PathBuf::new(),
            acl_log_max: 128,
            protected_mode: true,
            tls_port: None,
            tls_cert_file: PathBuf::new(),
            tls_key_file: PathBuf::new(),
            tls_ca_file: PathBuf::new(),
            tls_auth_clients: "yes".to_owned(),
            slowlog_slower_than: 10_000,
            slowlog_max: 128,
            hash_listed_fields: 512,
            hash_listed_bytes: 64,
            tracking_max: 1_000_000,
            upstream: String::new(),
            upstream_ttl: 60,
            upstream_ttl_max: 0,
            upstream_jitter: 10,
            upstream_negative_ttl: 1,
            upstream_stale: 0,
            upstream_timeout: Duration::from_secs(1),
            upstream_connections: 8,
            upstream_loads: 1024,
            upstream_budget: 10,
            upstream_value_max: 16 << 20,
            upstream_ca_file: PathBuf::new(),
            notified: Notified::empty(),
            simulate: false,
        }
    }
}

impl Settings {
    /// What a hash has that Redis would keep as a list.
    pub fn listed(&self) -> Listed {
        Listed { fields: self.hash_listed_fields, bytes: self.hash_listed_bytes }
    }

    /// Bytes of answers beyond which a connection is closed.
    #[inline]
    pub fn output_most(&self) -> usize {
        let hard = self.output_limits.normal.hard;
        if hard == 0 { usize::MAX } else { hard }
    }

    /// How long a client may be idle, if not for ever.
    pub fn idle_timeout(&self) -> Option<Duration> {
        (self.timeout > 0).then(|| Duration::from_secs(self.timeout))
    }

    /// Silence after which a peer is asked whether it is there, if ever.
    pub fn keepalive(&self) -> Option<Duration> {
        (self.tcp_keepalive > 0).then(|| Duration::from_secs(self.tcp_keepalive))
    }

    /// The default user's password, if it needs one.
    pub fn requirepass(&self) -> Option<&str> {
        (!self.password.is_empty()).then_some(self.password.as_str())
    }

    /// The file of users, if there is one.
    pub fn acl_path(&self) -> Option<PathBuf> {
        (!self.acl_file.as_os_str().is_empty()).then(|| self.acl_file.clone())
    }

    /// Where the snapshot is.
    pub fn snapshot_path(&self) -> PathBuf {
        self.dir.join(&self.snapshot_file)
    }

    /// Whether a snapshot is read at the start and written at the end.
    pub fn keeps_snapshots(&self) -> bool {
        !self.dir.as_os_str().is_empty()
    }
}
