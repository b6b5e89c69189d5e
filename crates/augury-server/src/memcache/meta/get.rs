//! `mg`: fetching, with what stands beside the value, and who is to make it anew.

use super::super::flags::BAD_FORMAT;
use super::super::items::{DB, Expiry, Found, Under};
use super::super::line::tokens;
use super::super::reading::count;
use super::super::request::{Asks, Meta};
use super::{describe, end, head, line};
use crate::object::{Extra, Marks};
use crate::server::Server;

/// `mg`.
pub(in super::super) fn get(server: &mut Server, meta: &Meta, input: &[u8], out: &mut Vec<u8>) {
    server.memcache.counters.cmd_meta += 1;
    let Some(key) = meta.key(input) else { return line(out, BAD_FORMAT) };
    let now = server.now;
    let asked = server.keyspace.asked(DB, &key);
    let is_unnoticed = meta.asks.contains(Asks::UNNOTICED);
    let place = if is_unnoticed {
        server.keyspace.find(asked, now)
    } else {
        server.keyspace.read_place(asked, now)
    };
    let under = place.map_or(Under::Nothing, |id| server.item(id));
    count(server, matches!(under, Under::Item(_)), meta.exptime.is_some());
    match (under, meta.vivify) {
        (Under::Item(found), _) => {
            let object = server.keyspace.object(found.id);
            let Some(value) = object.and_then(|object| object.as_text()) else { return };
            let changed = show(server, meta, input, &found, value, out);
            if changed.marks != found.marks
                && let Some(object) = server.keyspace.annotate(found.id)
            {
                object.set_marks(changed.marks);
            }
            if !is_unnoticed {
                server.note_fetch(&found);
            }
            if changed.deadline != found.deadline {
                server.set_expiry(found.id, changed.deadline);
            }
        }
        (Under::Nothing, Some(exptime)) => {
            let extra = server.fresh(0, meta.unique);
            let expiry = Expiry::of(exptime, now).deadline(now);
            let deadline = vivified(out, meta, input, extra, expiry, now);
            let extra = Extra { is_fetched: !is_unnoticed, ..extra };
            server.put_item(asked, &[], Marks::WON, extra, deadline);
        }
        (Under::Nothing | Under::Other(_), _) => {
            if let Some(value) = server.keyspace.lent(asked).and_then(|object| object.as_text()) {
                // It is answered and not stored: there is nothing to change.
                let found = server.lent_item(value);
                show(server, meta, input, &found, value, out);
            } else if !meta.is_quiet() {
                out.extend_from_slice(b"EN");
                end(out, meta, input);
            }
        }
    }
}

/// What showing an item has changed of it.
struct Changed {
    marks: Marks,
    deadline: Option<u64>,
}

/// Writes an item as the flags ask.
fn show(
    server: &Server,
    meta: &Meta,
    input: &[u8],
    found: &Found,
    value: &[u8],
    out: &mut Vec<u8>,
) -> Changed {
    let now = server.now;
    let (mut marks, mut deadline) = (found.marks, found.deadline);
    head(out, meta, value.len());
    let mut wins = false;
    for flag in tokens(input, meta.flags) {
        match flag[0] {
            b'T' => {
                let expiry = meta.exptime.map_or(Expiry::Never, |it| Expiry::of(it, now));
                deadline = expiry.deadline(now);
            }
            b'R' => {
                let before = meta.recache.and_then(|it| Expiry::of(it, now).deadline(now));
                let is_due = deadline.zip(before).is_some_and(|(at, before)| at < before);
                wins |= is_due && !marks.contains(Marks::WON);
            }
            _ => describe(out, meta, input, flag, (value.len(), found.extra, deadline, now)),
        }
    }
    if marks.contains(Marks::WON) {
        out.extend_from_slice(b" Z");
    }
    if marks.contains(Marks::STALE) {
        out.extend_from_slice(b" X");
        wins |= !marks.contains(Marks::WON);
    }
    if wins {
        out.extend_from_slice(b" W");
        marks |= Marks::WON;
    }
    out.extend_from_slice(b"\r\n");
    if meta.asks.contains(Asks::VALUE) {
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    }
    Changed { marks, deadline }
}

/// Writes an item that was made because it was missed; when it ends.
fn vivified(
    out: &mut Vec<u8>,
    meta: &Meta,
    input: &[u8],
    extra: Extra,
    expiry: Option<u64>,
    now: u64,
) -> Option<u64> {
    head(out, meta, 0);
    // As in memcached a flag before `N` sees an item that never ends.
    let mut deadline = None;
    for flag in tokens(input, meta.flags) {
        match flag[0] {
            b'N' => deadline = expiry,
            b'T' => deadline = meta.exptime.and_then(|it| Expiry::of(it, now).deadline(now)),
            _ => describe(out, meta, input, flag, (0, extra, deadline, now)),
        }
    }
    out.extend_from_slice(b" W\r\n");
    if meta.asks.contains(Asks::VALUE) {
        out.extend_from_slice(b"\r\n");
    }
    deadline
}
