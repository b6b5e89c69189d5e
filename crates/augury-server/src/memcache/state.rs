//! What memcached clients share beside the databases: counters, the next `cas unique`, a flush to come.

use std::hash::{BuildHasher, RandomState};

use augury_core::clock::Millis;

/// Made-up uniques are above all that are given out.
const MADE_UP: u64 = 1 << 63;

/// What `stats` shows, under memcached's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub struct Counters {
    pub cmd_get: u64,
    pub cmd_set: u64,
    pub cmd_flush: u64,
    pub cmd_touch: u64,
    pub cmd_meta: u64,
    pub get_hits: u64,
    pub get_misses: u64,
    pub delete_misses: u64,
    pub delete_hits: u64,
    pub incr_misses: u64,
    pub incr_hits: u64,
    pub decr_misses: u64,
    pub decr_hits: u64,
    pub cas_misses: u64,
    pub cas_hits: u64,
    pub cas_badval: u64,
    pub touch_hits: u64,
    pub touch_misses: u64,
    pub store_too_large: u64,
    pub total_items: u64,
}

impl Counters {
    /// Name and value, in memcached's order.
    pub(super) fn named(&self) -> [(&'static str, u64); 19] {
        [
            ("cmd_get", self.cmd_get),
            ("cmd_set", self.cmd_set),
            ("cmd_flush", self.cmd_flush),
            ("cmd_touch", self.cmd_touch),
            ("cmd_meta", self.cmd_meta),
            ("get_hits", self.get_hits),
            ("get_misses", self.get_misses),
            ("delete_misses", self.delete_misses),
            ("delete_hits", self.delete_hits),
            ("incr_misses", self.incr_misses),
            ("incr_hits", self.incr_hits),
            ("decr_misses", self.decr_misses),
            ("decr_hits", self.decr_hits),
            ("cas_misses", self.cas_misses),
            ("cas_hits", self.cas_hits),
            ("cas_badval", self.cas_badval),
            ("touch_hits", self.touch_hits),
            ("touch_misses", self.touch_misses),
            ("store_too_large", self.store_too_large),
        ]
    }
}

/// See the module's head.
#[derive(Debug)]
pub struct State {
    /// Counters since the beginning, or since `stats reset`.
    pub counters: Counters,
    /// What `verbosity` has set.
    pub verbosity: u32,
    /// When everything is to be flushed, if it is.
    pub flush_at: Option<Millis>,
    latest: u64,
    hasher: RandomState,
}

impl State {
    /// Uniques grow from one made of the time, so that they are above those of a server that ran
    /// before and whose items have been kept.
    pub fn new(now: Millis) -> State {
        State {
            counters: Counters::default(),
            verbosity: 0,
            flush_at: None,
            latest: now << 16,
            hasher: RandomState::new(),
        }
    }

    /// A unique that was not given out before.
    pub(super) fn next_unique(&mut self) -> u64 {
        self.latest += 1;
        self.latest
    }

    /// The unique of a value that has none.
    pub(super) fn made_up(&self, value: &[u8]) -> u64 {
        self.hasher.hash_one(value) | MADE_UP
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_uniques_are_stable_and_collide_with_no_other() {
        let mut state = State::new(1_800_000_000_000);
        let given = state.next_unique();
        assert!(given < MADE_UP && given < state.next_unique());
        assert_eq!(state.made_up(b"value"), state.made_up(b"value"));
        assert_ne!(state.made_up(b"value"), state.made_up(b"other"));
    }
}
