//! Meta commands: `mg`, `ms`, `md`, `ma`, `me`.
//!
//! An answer is a code, then what flags ask for, in the order of the flags.

use super::arithmetic::{self, Added};
use super::items::{DB, Expiry, Found, Under, remaining, seconds};
use super::line::tokens;
use super::reading::{count, number};
use super::request::{Asks, Meta, Mode, Span, key};
use super::storing::{Outcome, Storing, store};
use super::{flags::BAD_FORMAT, run::OTHER};
use crate::object::{Extra, Marks};
use crate::server::Server;

fn line(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// A space, a letter and a number.
fn field(out: &mut Vec<u8>, letter: u8, value: impl itoa::Integer) {
    out.extend_from_slice(&[b' ', letter]);
    number(out, value);
}

/// What every answer gives back: the opaque token, and the key.
fn echo(out: &mut Vec<u8>, meta: &Meta, input: &[u8], flag: &[u8]) {
    match flag[0] {
        b'O' => {
            out.push(b' ');
            out.extend_from_slice(flag);
        }
        b'k' => {
            out.extend_from_slice(b" k");
            out.extend_from_slice(meta.key.of(input));
            if meta.is_base64() {
                out.extend_from_slice(b" b");
            }
        }
        _ => {}
    }
}

/// Ends an answer that has nothing but what every answer gives back.
fn end(out: &mut Vec<u8>, meta: &Meta, input: &[u8]) {
    for flag in tokens(input, meta.flags) {
        echo(out, meta, input, flag);
    }
    out.extend_from_slice(b"\r\n");
}

/// `mg`.
pub(super) fn get(server: &mut Server, meta: &Meta, input: &[u8], out: &mut Vec<u8>) {
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
            let changed = show(server, meta, input, &found, out);
            let Some(changed) = changed else { return };
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
            if !meta.is_quiet() {
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
    out: &mut Vec<u8>,
) -> Option<Changed> {
    let now = server.now;
    let value = server.keyspace.object(found.id)?.as_text()?;
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
    Some(Changed { marks, deadline })
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

fn head(out: &mut Vec<u8>, meta: &Meta, len: usize) {
    if meta.asks.contains(Asks::VALUE) {
        out.extend_from_slice(b"VA ");
        number(out, len);
    } else {
        out.extend_from_slice(b"HD");
    }
}

/// Answers one flag: of length, fields, deadline and time.
fn describe(
    out: &mut Vec<u8>,
    meta: &Meta,
    input: &[u8],
    flag: &[u8],
    (len, extra, deadline, now): (usize, Extra, Option<u64>, u64),
) {
    match flag[0] {
        b's' => field(out, b's', len),
        b't' => field(out, b't', remaining(deadline, now)),
        b'c' => field(out, b'c', extra.unique),
        b'f' => field(out, b'f', extra.flags),
        b'l' => field(out, b'l', seconds(now).saturating_sub(extra.accessed)),
        b'h' => field(out, b'h', u8::from(extra.is_fetched)),
        _ => echo(out, meta, input, flag),
    }
}

/// `ms`.
pub(super) fn set(
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
pub(super) fn delete(server: &mut Server, meta: &Meta, input: &[u8], out: &mut Vec<u8>) {
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
    let fresh = server
        .fresh(if meta.asks.contains(Asks::EMPTY) { 0 } else { found.extra.flags }, meta.unique);
    let extra = Extra { flags: fresh.flags, unique: fresh.unique, ..found.extra };
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
    let value = object.and_then(|object| object.as_text()).unwrap_or_default().to_vec();
    let value = if meta.asks.contains(Asks::EMPTY) { &[][..] } else { &value };
    server.put_item(asked, &[value], marks, extra, deadline);
}

/// `ma`.
pub(super) fn delta(
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
        (Added::NoNumber, _) => return line(out, super::run::NO_NUMBER),
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

/// `me`.
pub(super) fn debug(
    server: &mut Server,
    place: Span,
    is_base64: bool,
    input: &[u8],
    out: &mut Vec<u8>,
) {
    server.memcache.counters.cmd_meta += 1;
    let Some(key) = key(place.of(input), is_base64) else { return line(out, BAD_FORMAT) };
    let Under::Item(found) = server.look(&key) else { return line(out, "EN") };
    let bytes = server.keyspace.object(found.id).map_or(0, |object| object.memory_bytes());
    out.extend_from_slice(b"ME ");
    out.extend_from_slice(place.of(input));
    // memcached shows how long ago an item will have ended: a negative number.
    let exp = found.deadline.map_or(-1, |_| -remaining(found.deadline, server.now));
    let la = seconds(server.now).saturating_sub(found.extra.accessed);
    let fetch = if found.extra.is_fetched { "yes" } else { "no" };
    let cas = found.extra.unique;
    line(out, &format!(" exp={exp} la={la} cas={cas} fetch={fetch} cls=1 size={bytes}"));
}
