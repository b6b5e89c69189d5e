//! `incr`, `decr` and `ma`: adding to a number that is written in decimal.

use super::items::{DB, Under};
use super::number::unsigned;
use crate::object::Marks;
use crate::server::Server;

/// What has become of an addition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Added {
    /// The number that is now stored.
    To(u64),
    NotFound,
    NoNumber,
    /// Its unique is not the one asked for.
    Exists,
    /// The key holds something that is no string.
    Other,
}

/// Adds to an item's number, wrapping at 64 bits; a subtraction ends at 0. A number that has become
/// shorter keeps its length with spaces behind it.
pub(super) fn add(
    server: &mut Server,
    key: &[u8],
    delta: u64,
    is_increment: bool,
    compare: Option<u64>,
    unique: Option<u64>,
) -> Added {
    let found = match server.look(key) {
        Under::Nothing => return Added::NotFound,
        Under::Other(_) => return Added::Other,
        Under::Item(found) => found,
    };
    let object = server.keyspace.object(found.id);
    let old = object.and_then(|object| object.as_text()).unwrap_or_default();
    if old.is_empty() {
        return Added::NoNumber;
    }
    if compare.is_some_and(|unique| unique != 0 && unique != found.extra.unique) {
        return Added::Exists;
    }
    let Some(number) = unsigned(old) else { return Added::NoNumber };
    let sum = if is_increment { number.wrapping_add(delta) } else { number.saturating_sub(delta) };
    let mut digits = itoa::Buffer::new();
    let digits = digits.format(sum).as_bytes();
    let padding = vec![b' '; old.len().saturating_sub(digits.len())];
    let fits = digits.len() <= old.len();
    let mut extra = server.fresh(found.extra.flags, unique);
    let mut marks = Marks::RAW;
    if fits {
        // memcached writes into the item, which so stays the same one.
        extra.is_fetched = found.extra.is_fetched;
        marks |= found.marks;
    }
    let asked = server.keyspace.asked(DB, key);
    server.put_item(asked, &[digits, &padding], marks, extra, found.deadline);
    Added::To(sum)
}

/// Counts an addition.
pub(super) fn count(server: &mut Server, is_increment: bool, added: Added) {
    let counters = &mut server.memcache.counters;
    let (hits, misses) = if is_increment {
        (&mut counters.incr_hits, &mut counters.incr_misses)
    } else {
        (&mut counters.decr_hits, &mut counters.decr_misses)
    };
    match added {
        Added::To(_) => *hits += 1,
        Added::NotFound => *misses += 1,
        Added::NoNumber | Added::Exists | Added::Other => {}
    }
}
