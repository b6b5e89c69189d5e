//! Which protocol a port speaks, and what of a connection belongs to it.

use crate::memcache;
use crate::resp;

/// A protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Redis's.
    Redis,
    /// memcached's.
    Memcached,
}

impl Dialect {
    /// What is said to a client that is not served, where a Redis client is told this.
    pub(super) fn refused(self, redis: &'static [u8]) -> &'static [u8] {
        match self {
            Dialect::Redis => redis,
            Dialect::Memcached if redis.starts_with(b"-DENIED") => {
                b"SERVER_ERROR protected mode: only clients of this host are served\r\n"
            }
            Dialect::Memcached => b"ERROR Too many open connections\r\n",
        }
    }
}

/// What has come on a connection, taken apart.
pub(super) enum Batch {
    Redis(resp::Batch),
    Memcached(memcache::Batch),
}

impl Batch {
    pub(super) fn new(dialect: Dialect) -> Batch {
        match dialect {
            Dialect::Redis => Batch::Redis(resp::Batch::default()),
            Dialect::Memcached => Batch::Memcached(memcache::Batch::default()),
        }
    }

    /// How many bytes the input will have when what is coming is complete, if that is known.
    pub(super) fn wants(&self) -> Option<usize> {
        match self {
            Batch::Redis(batch) => batch.wants(),
            Batch::Memcached(batch) => batch.wants(),
        }
    }
}
