//! What can be set.

pub mod size;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

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
    /// Commands that take at least so many microseconds are logged as slow; none if negative.
    pub slowlog_threshold: i64,
    /// Slow commands that are kept.
    pub slowlog_len: usize,
    /// Keys that are remembered for clients that cache; 0: any number.
    pub tracking_keys_max: usize,
    /// Password of the default user, if it needs one.
    pub requirepass: Option<String>,
    /// File of users, if there is one.
    pub acl_file: Option<PathBuf>,
    /// Most entries of the ACL log.
    pub acl_log_max: usize,
    /// Whether only this host's clients are served while the default user needs no password.
    pub protected_mode: bool,
    /// Bytes of answers that a client may leave unread.
    pub output_normal: OutputLimit,
    /// Bytes that others have sent a client (publish and subscribe, invalidation) and it leaves unread.
    pub output_pubsub: OutputLimit,
    /// How long a client may be idle, if not for ever.
    pub idle_timeout: Option<Duration>,
    /// How long a command may take to come whole, and the last answers to be read.
    pub command_timeout: Duration,
    /// How long a client may take for the TLS handshake, and to authenticate where it has to.
    pub greeting_timeout: Duration,
    /// TLS, if it is served.
    pub tls: Option<TlsSettings>,
}

impl Settings {
    /// Bytes of answers beyond which a connection is closed.
    #[inline]
    pub fn output_most(&self) -> usize {
        if self.output_normal.hard == 0 { usize::MAX } else { self.output_normal.hard }
    }
}

/// Bytes that may wait for a client to read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputLimit {
    /// Beyond so many the connection is closed at once; 0: no limit.
    pub hard: usize,
    /// Beyond so many it is closed after a time; 0: no limit.
    pub soft: usize,
    /// That time.
    pub soft_time: Duration,
}

/// What TLS needs. All files are PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSettings {
    /// Port for Redis clients over TLS; 0 lets the system choose.
    pub port: u16,
    /// The server's certificate, with those between it and its authority.
    pub cert: PathBuf,
    /// The key of the certificate.
    pub key: PathBuf,
    /// Certificates of the authorities that clients' certificates are checked against.
    pub ca: Option<PathBuf>,
    /// Whether clients need a certificate.
    pub auth_clients: ClientCertificates,
}

/// Whether clients need a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientCertificates {
    /// They are not asked for one.
    No,
    /// One that is given must be right.
    Optional,
    /// They need one.
    #[default]
    Yes,
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
            slowlog_threshold: 10_000,
            slowlog_len: 128,
            tracking_keys_max: 1_000_000,
            requirepass: None,
            acl_file: None,
            acl_log_max: 128,
            protected_mode: true,
            output_normal: OutputLimit {
                hard: 256 << 20,
                soft: 64 << 20,
                soft_time: Duration::from_secs(60),
            },
            output_pubsub: OutputLimit {
                hard: 32 << 20,
                soft: 8 << 20,
                soft_time: Duration::from_secs(60),
            },
            idle_timeout: None,
            command_timeout: Duration::from_secs(300),
            greeting_timeout: Duration::from_secs(30),
            tls: None,
        }
    }
}
