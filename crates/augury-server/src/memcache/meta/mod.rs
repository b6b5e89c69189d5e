//! Meta commands: `mg`, `ms`, `md`, `ma`, `me`.
//!
//! An answer is a code, then what flags ask for, in the order of the flags.

mod get;
mod write;

use super::flags::BAD_FORMAT;
use super::items::{Under, remaining, seconds};
use super::line::tokens;
use super::reading::number;
use super::request::{Asks, Meta, Span, key};
use crate::object::Extra;
use crate::server::Server;

pub(super) use get::get;
pub(super) use write::{delete, delta, set};

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
