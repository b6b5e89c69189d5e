//! `get`, `gets`, `gat`, `gats`, and how a value is written.

use super::items::{Expiry, Under};
use super::line::tokens;
use super::request::Span;
use super::{KEY_MAX, flags::BAD_FORMAT};
use crate::server::Server;

/// Appends a number.
pub(super) fn number(out: &mut Vec<u8>, number: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Answers with every item that is there; a key beyond the limit refuses the whole list.
pub(super) fn get(
    server: &mut Server,
    input: &[u8],
    keys: Span,
    with_unique: bool,
    exptime: Option<i64>,
    out: &mut Vec<u8>,
) {
    let start = out.len();
    for key in tokens(input, keys) {
        if key.len() > KEY_MAX {
            out.truncate(start);
            out.extend_from_slice(BAD_FORMAT.as_bytes());
            out.extend_from_slice(b"\r\n");
            return;
        }
        fetch(server, key, with_unique, exptime, out);
    }
    out.extend_from_slice(b"END\r\n");
}

fn fetch(
    server: &mut Server,
    key: &[u8],
    with_unique: bool,
    exptime: Option<i64>,
    out: &mut Vec<u8>,
) {
    let asked = server.keyspace.asked(super::items::DB, key);
    let place = server.keyspace.read_place(asked, server.now);
    let under = place.map_or(Under::Nothing, |id| server.item(id));
    count(server, matches!(under, Under::Item(_)), exptime.is_some());
    let Under::Item(found) = under else {
        if let Some(value) = server.keyspace.lent(asked).and_then(|object| object.as_text()) {
            let unique = with_unique.then(|| server.memcache.made_up(value));
            write(out, key, 0, value, unique);
        }
        return;
    };
    let value = server.keyspace.object(found.id).and_then(|object| object.as_text());
    let unique = with_unique.then_some(found.extra.unique);
    write(out, key, found.extra.flags, value.unwrap_or_default(), unique);
    server.note_fetch(&found);
    if let Some(exptime) = exptime {
        let deadline = Expiry::of(exptime, server.now).deadline(server.now);
        server.set_expiry(found.id, deadline);
    }
}

fn write(out: &mut Vec<u8>, key: &[u8], flags: u32, value: &[u8], unique: Option<u64>) {
    out.extend_from_slice(b"VALUE ");
    out.extend_from_slice(key);
    out.push(b' ');
    number(out, flags);
    out.push(b' ');
    number(out, value.len());
    if let Some(unique) = unique {
        out.push(b' ');
        number(out, unique);
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Counts a fetch, or a fetch that touches.
pub(super) fn count(server: &mut Server, is_hit: bool, touches: bool) {
    let counters = &mut server.memcache.counters;
    counters.cmd_get += 1;
    if touches {
        counters.cmd_touch += 1;
        counters.touch_hits += u64::from(is_hit);
        counters.touch_misses += u64::from(!is_hit);
    }
    counters.get_hits += u64::from(is_hit);
    counters.get_misses += u64::from(!is_hit);
}
