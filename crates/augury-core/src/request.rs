//! What a cache is asked: operations, and the one view of an access that policies see.
//!
//! First stage of the data flow. Everything later works on [`Access`]: a hash, a size and a tick.
//! This module must not know who asks (replay, a Python object, a socket) nor any value.

/// Requests seen so far: the engine's notion of time for learning. Deterministic under replay.
pub type Tick = u64;

/// `next_access` of an access whose future is unknown or that has none.
pub const NEVER: Tick = Tick::MAX;

/// What a request does to the cache, in memcached's vocabulary.
///
/// Only reads ([`Op::is_read`]) count as requests in miss ratios.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum Op {
    /// Read one object.
    #[default]
    Get,
    /// Read one object with its version.
    Gets,
    /// Store unconditionally.
    Set,
    /// Store when absent.
    Add,
    /// Store when present.
    Replace,
    /// Store when the version is unchanged.
    Cas,
    /// Append to the stored value.
    Append,
    /// Prepend to the stored value.
    Prepend,
    /// Remove.
    Delete,
    /// Add to a number (a read followed by a write).
    Incr,
    /// Subtract from a number (a read followed by a write).
    Decr,
}

impl Op {
    /// All operations, in the order of their codes.
    pub const ALL: [Op; 11] = [
        Op::Get,
        Op::Gets,
        Op::Set,
        Op::Add,
        Op::Replace,
        Op::Cas,
        Op::Append,
        Op::Prepend,
        Op::Delete,
        Op::Incr,
        Op::Decr,
    ];

    /// The operation's name as traces write it.
    pub const fn name(self) -> &'static str {
        match self {
            Op::Get => "get",
            Op::Gets => "gets",
            Op::Set => "set",
            Op::Add => "add",
            Op::Replace => "replace",
            Op::Cas => "cas",
            Op::Append => "append",
            Op::Prepend => "prepend",
            Op::Delete => "delete",
            Op::Incr => "incr",
            Op::Decr => "decr",
        }
    }

    /// The operation of this name (ASCII case ignored), or `None`.
    pub fn from_name(name: &str) -> Option<Op> {
        Op::ALL.into_iter().find(|op| op.name().eq_ignore_ascii_case(name))
    }

    /// Whether the request counts as an access: it asks for the object's value.
    pub const fn is_read(self) -> bool {
        matches!(self, Op::Get | Op::Gets | Op::Incr | Op::Decr)
    }

    /// Whether the request removes the object.
    pub const fn is_delete(self) -> bool {
        matches!(self, Op::Delete)
    }
}

/// One access as policies see it: never a value, never a wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// Well-mixed 64-bit hash of the key.
    pub hash: u64,
    /// Integer key where the key is a number (block address, row id), else the hash again:
    /// the only use is neighbourhood, `key - 1` having just been asked for.
    pub key: u64,
    /// Size of the object in bytes, or 1 where entries are counted.
    pub size: u32,
    /// Requests seen before this one.
    pub now: Tick,
    /// Tick of the next access to the same object, for oracles only; [`NEVER`] in a live cache.
    pub next_access: Tick,
    /// Who asks: number of the client or session, 0 where that is unknown.
    pub session: u32,
    /// Seconds on the clock of the caller (a trace's own axis), at most `u32::MAX`; 0 where time
    /// is unknown. For what has a rhythm: learning counts in ticks.
    pub time: u32,
    /// Number of the key's namespace, 0 where it has none.
    pub namespace: u16,
    /// How hot other caches say that the object is, as histories keep a heat; 0 where nothing was heard.
    pub heard: u16,
}

// Passed by reference on every request: within one cache line.
const _: () = assert!(size_of::<Access>() <= 48);

impl Access {
    /// An access at a tick of which nothing else is known.
    #[inline]
    pub const fn new(hash: u64, key: u64, size: u32, now: Tick) -> Access {
        let (session, time, namespace, heard) = (0, 0, 0, 0);
        Access { hash, key, size, now, next_access: NEVER, session, time, namespace, heard }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for op in Op::ALL {
            assert_eq!(Some(op), Op::from_name(op.name()));
            assert_eq!(Some(op), Op::from_name(&op.name().to_uppercase()));
        }
        assert_eq!(None, Op::from_name("frobnicate"));
    }
}
