//! `ms`, `md`, `ma`: storing, deleting or marking as stale, adding.

use super::super::arithmetic::{self, Added};
use super::super::flags::BAD_FORMAT;
use super::super::items::{DB, Expiry, Found, Under, remaining};
use super::super::line::tokens;
use super::super::request::{Asks, Meta, Mode, Span};
use super::super::run::{NO_NUMBER, OTHER};
use super::super::storing::{Outcome, Storing, store};
use super::{echo, end, field, head, line};
use crate::object::{Extra, Marks, Object};
use crate::server::Server;

/// `ms`.
pub(in super::super) fn set(
    server: &mut Server,
    meta: &Meta,
    mode: Mode,
    block: Span,
    input: &[u8],
    out: &mut Vec<u8>,
) {
    server.memcache.counters.cmd_meta += 1;
    let Some(key) = meta.key(input) else { return line(out, BAD_FORMAT) };
    let now = server.now;
    let deadline = |exptime| Expiry::of(exptime, now).deadline(now);
    let block = block.of(input);
    let storing = Storing {
        mode,
        key: &key,
        block,
        flags: meta.client_flags,
        deadline: meta.exptime.and_then(deadline),
        compare: meta.compare,
        takes_older: meta.asks.contains(Asks::INVALIDATE),
        unique: meta.unique,
        vivify: meta.vivify.map(deadline),
        item_max: server.settings.memcached_item_max,
    };
    let (code, unique) = match store(server, storing) {
        Outcome::Stored(_) if meta.is_quiet() => return,
        Outcome::Stored(unique) => ("HD", unique),
        Outcome::Unmet => ("NS", 0),
        Outcome::Exists => ("EX", 0),
        Outcome::NotFound => ("NF", 0),
        Outcome::Other => return line(out, OTHER),
    };
    out.extend_from_slice(code.as_bytes());
    for flag in tokens(input, meta.flags) {
        match flag[0] {
            b'c' => field(out, b'c', unique),
            b's' => field(out, b's', block.len()),
            _ => echo(out, meta, input, flag),
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// `md`.
pub(in super::super) fn delete(server: &mut Server, meta: &Meta, input: &[u8], out: &mut Vec<u8>) {
    server.memcache.counters.cmd_meta += 1;
    let Some(key) = meta.key(input) else { return line(out, BAD_FORMAT) };
    let code = match server.look(&key) {
        Under::Nothing => {
            server.memcache.counters.delete_misses += 1;
            "NF"
        }
        Under::Item(found) if meta.compare.is_some_and(|unique| unique != found.extra.unique) => {
            server.memcache.counters.delete_misses += 1;
            "EX"
        }
        Under::Item(found) => {
            withdraw(server, meta, &key, &found);
            "HD"
        }
        Under::Other(_) if meta.compare.is_some() || meta.asks.intersects(KEEPS) => {
            return line(out, OTHER);
        }
        Under::Other(id) => {
            server.memcache.counters.delete_hits += 1;
            server.keyspace.remove(id);
            "HD"
        }
    };
    if code == "HD" && meta.is_quiet() {
        return;
    }
    out.extend_from_slice(code.as_bytes());
    end(out, meta, input);
}

/// With one of these the item stays.
const KEEPS: Asks = Asks::INVALIDATE.union(Asks::EMPTY);

/// Deletes an item, marks it as stale, or empties it.
fn withdraw(server: &mut Server, meta: &Meta, key: &[u8], found: &Found) {
    if !meta.asks.intersects(KEEPS) {
        server.memcache.counters.delete_hits += 1;
        server.keyspace.remove(found.id);
        return;
    }
    let (now, is_stale) = (server.now, meta.asks.contains(Asks::INVALIDATE));
    let is_empty = meta.asks.contains(Asks::EMPTY);
    let flags = if is_empty { 0 } else { found.extra.flags };
    let fresh = server.fresh(flags, meta.unique);
    let extra = Extra { flags, unique: fresh.unique, ..found.extra };
    let mut marks = found.marks;
    if is_stale {
        // Whoever fetches it next is to make it anew.
        marks = (marks | Marks::STALE) - Marks::WON;
    }
    let deadline = match meta.exptime {
        Some(exptime) if is_stale => Expiry::of(exptime, now).deadline(now),
        _ => found.deadline,
    };
    let asked = server.keyspace.asked(DB, key);
    let object = server.keyspace.object(found.id);
    let value = object.and_then(|object| object.as_text()).unwrap_or_default();
    let value = if is_empty { b"" } else { value };
    let object = Object::joined(DB, key, &[value], marks, Some(extra));
    server.put_object(asked, object, deadline);
}

/// `ma`.
pub(in super::super) fn delta(
    server: &mut Server,
    meta: &Meta,
    is_increment: bool,
    input: &[u8],
    out: &mut Vec<u8>,
) {
    server.memcache.counters.cmd_meta += 1;
    let Some(key) = meta.key(input) else { return line(out, BAD_FORMAT) };
    let now = server.now;
    let by = meta.delta.unwrap_or(1);
    let added = arithmetic::add(server, &key, by, is_increment, meta.compare, meta.unique);
    arithmetic::count(server, is_increment, added);
    let mut is_made = false;
    let code = match (added, meta.vivify) {
        (Added::To(_), _) => "HD",
        (Added::NotFound, Some(_)) => {
            is_made = true;
            let asked = server.keyspace.asked(DB, &key);
            let extra = server.fresh(0, meta.unique);
            let mut digits = itoa::Buffer::new();
            let digits = digits.format(meta.initial).as_bytes();
            server.put_item(asked, &[digits], Marks::empty(), extra, None);
            "HD"
        }
        (Added::NotFound, None) => "NF",
        (Added::Exists, _) => "EX",
        (Added::NoNumber, _) => return line(out, NO_NUMBER),
        (Added::Other, _) => return line(out, OTHER),
    };
    let number = if let Added::To(number) = added { number } else { meta.initial };
    let (true, Under::Item(found)) = (code == "HD", server.look(&key)) else {
        out.extend_from_slice(code.as_bytes());
        return end(out, meta, input);
    };
    let mut deadline = found.deadline;
    let start = out.len();
    let text = itoa::Buffer::new().format(number).to_owned();
    head(out, meta, text.len());
    for flag in tokens(input, meta.flags) {
        match (flag[0], meta.exptime, meta.vivify) {
            (b'T', Some(exptime), _) => deadline = Expiry::of(exptime, now).deadline(now),
            (b'N', _, Some(exptime)) if is_made => {
                deadline = Expiry::of(exptime, now).deadline(now);
            }
            (b't', ..) => field(out, b't', remaining(deadline, now)),
            (b'c', ..) => field(out, b'c', found.extra.unique),
            _ => echo(out, meta, input, flag),
        }
    }
    out.extend_from_slice(b"\r\n");
    if meta.asks.contains(Asks::VALUE) {
        line(out, &text);
    }
    // In memcached the one that was made is never left out.
    if meta.is_quiet() && !is_made {
        out.truncate(start);
    }
    if deadline != found.deadline {
        server.set_expiry(found.id, deadline);
    }
}
