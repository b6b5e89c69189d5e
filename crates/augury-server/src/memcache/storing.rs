//! Storing: `set` and its kin, and `ms`, which are one thing with two answers.

use augury_core::clock::Millis;

use super::items::{DB, Under};
use super::request::Mode;
use crate::object::{Extra, Marks, Object};
use crate::server::Server;

/// What an item is to become.
#[derive(Clone, Copy)]
pub(super) struct Storing<'a> {
    pub(super) mode: Mode,
    pub(super) key: &'a [u8],
    pub(super) block: &'a [u8],
    pub(super) flags: u32,
    pub(super) deadline: Option<Millis>,
    /// What the item's unique must be; 0 is that of no item.
    pub(super) compare: Option<u64>,
    /// Whether an older unique stores too, as stale.
    pub(super) takes_older: bool,
    /// The unique that it gets, where the client chooses.
    pub(super) unique: Option<u64>,
    /// When a missing item that something is appended to is made, and how long it lives.
    pub(super) vivify: Option<Option<Millis>>,
    /// Longest item, as memcached counts it.
    pub(super) item_max: usize,
}

/// What has become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is stored, under this unique.
    Stored(u64),
    /// The mode did not allow it.
    Unmet,
    Exists,
    NotFound,
    /// The key holds something that cannot be appended to or compared.
    Other,
}

/// Stores, if the mode allows.
pub(super) fn store(server: &mut Server, storing: Storing<'_>) -> Outcome {
    let outcome = decide(server, storing);
    let counters = &mut server.memcache.counters;
    counters.cmd_set += 1;
    if storing.mode == Mode::Cas {
        match outcome {
            Outcome::Stored(_) => counters.cas_hits += 1,
            Outcome::Exists => counters.cas_badval += 1,
            _ => counters.cas_misses += 1,
        }
    }
    counters.total_items += u64::from(matches!(outcome, Outcome::Stored(_)));
    outcome
}

fn decide(server: &mut Server, storing: Storing<'_>) -> Outcome {
    let asked = server.keyspace.asked(DB, storing.key);
    server.keyspace.approach(asked.hash);
    let found = match (server.look(storing.key), storing.mode) {
        (Under::Nothing, Mode::Set | Mode::Add) => return put(server, storing),
        (Under::Nothing, Mode::Cas) => return Outcome::NotFound,
        (Under::Nothing, Mode::Append | Mode::Prepend) => {
            return match storing.vivify {
                Some(deadline) => put(server, Storing { deadline, ..storing }),
                None => Outcome::Unmet,
            };
        }
        (Under::Nothing, Mode::Replace) => return Outcome::Unmet,
        (Under::Item(_) | Under::Other(_), Mode::Add) => return Outcome::Unmet,
        (Under::Item(_) | Under::Other(_), Mode::Set | Mode::Replace) => {
            return put(server, storing);
        }
        (Under::Other(_), _) => return Outcome::Other,
        (Under::Item(found), Mode::Cas | Mode::Append | Mode::Prepend) => found,
    };
    let compare = storing.compare.filter(|&unique| unique != 0);
    let matches = compare == Some(found.extra.unique);
    if storing.mode == Mode::Cas {
        if matches {
            return put(server, storing);
        }
        if storing.takes_older && compare.is_some_and(|unique| unique < found.extra.unique) {
            let extra = server.fresh(storing.flags, storing.unique);
            let marks = Marks::STALE | (found.marks & Marks::WON);
            server.put_item(asked, &[storing.block], marks, extra, found.deadline);
            return Outcome::Stored(extra.unique);
        }
        return Outcome::Exists;
    }
    if compare.is_some() && !matches {
        return Outcome::Exists;
    }
    let extra = server.fresh(found.extra.flags, storing.unique);
    let object = server.keyspace.object(found.id);
    let old = object.and_then(|object| object.as_text()).unwrap_or_default();
    if old.len() + storing.block.len() > storing.item_max {
        return Outcome::Unmet;
    }
    let parts = match storing.mode {
        Mode::Prepend => [storing.block, old],
        _ => [old, storing.block],
    };
    let object = Object::joined(DB, storing.key, &parts, Marks::RAW, Some(extra));
    server.put_object(asked, object, found.deadline);
    Outcome::Stored(extra.unique)
}

fn put(server: &mut Server, storing: Storing<'_>) -> Outcome {
    let asked = server.keyspace.asked(DB, storing.key);
    let extra: Extra = server.fresh(storing.flags, storing.unique);
    server.put_item(asked, &[storing.block], Marks::empty(), extra, storing.deadline);
    Outcome::Stored(extra.unique)
}
