//! From a request to its answer.

use super::arithmetic::{self, Added};
use super::items::{DB, Expiry, Under};
use super::request::{Request, Span, Store, key};
use super::storing::{Outcome, Storing, store};
use super::{Verdict, meta, reading, stats, through};
use crate::client::Client;
use crate::server::Server;
use crate::upstream::asking;

pub(super) const NO_NUMBER: &str = "CLIENT_ERROR cannot increment or decrement non-numeric value";
/// The key holds what memcached has no name for.
pub(super) const OTHER: &str =
    "SERVER_ERROR the key holds a hash of a Redis client: delete it, or choose another key";

/// Runs a request of a client and writes its answer; whether it was answered: else it waits for what
/// it fetches, nothing is written, and it runs anew when its client is woken.
pub fn run(
    server: &mut Server,
    client: &mut Client,
    request: &Request,
    input: &[u8],
    out: &mut Vec<u8>,
) -> bool {
    server.flush_when_due();
    if server.upstream.is_none() {
        answer(server, client, request, input, out);
        return true;
    }
    match through::ask(server, client, request, input) {
        Verdict::Wait => return false,
        Verdict::Fail(text) => {
            server.counters.commands += 1;
            server.counters.errors += 1;
            out.extend_from_slice(b"SERVER_ERROR ");
            out.extend_from_slice(text.as_bytes());
            out.extend_from_slice(b"\r\n");
            return true;
        }
        Verdict::RunQuietly => server.keyspace.set_quiet(true),
        Verdict::Run => {}
    }
    answer(server, client, request, input, out);
    server.keyspace.set_quiet(false);
    asking::done(server);
    through::revoke(server, request, input);
    true
}

fn answer(
    server: &mut Server,
    client: &mut Client,
    request: &Request,
    input: &[u8],
    out: &mut Vec<u8>,
) {
    server.counters.commands += 1;
    let (name, said) = match *request {
        Request::Say(text) => (client.latest, Some(text)),
        Request::Nothing => (client.latest, None),
        Request::Get { keys, with_unique, exptime } => {
            reading::get(server, input, keys, with_unique, exptime, out);
            ("get", None)
        }
        Request::Store { store, block, is_quiet } => {
            ("set", unless(is_quiet, put(server, store, block, input)))
        }
        Request::TooLarge { key, is_base64, is_quiet } => {
            refuse_large(server, key, is_base64, input);
            ("set", unless(is_quiet, "SERVER_ERROR object too large for cache"))
        }
        Request::Delta { key, delta, is_increment, is_quiet } => {
            let added = arithmetic::add(server, key.of(input), delta, is_increment, None, None);
            arithmetic::count(server, is_increment, added);
            ("incr", unless_said(is_quiet, added, out))
        }
        Request::Touch { key, exptime, is_quiet } => {
            ("touch", unless(is_quiet, touch(server, key.of(input), exptime)))
        }
        Request::Delete { key, is_quiet } => {
            ("delete", unless(is_quiet, delete(server, key.of(input))))
        }
        Request::Flush { exptime, is_quiet } => {
            flush(server, exptime);
            ("flush_all", unless(is_quiet, "OK"))
        }
        Request::Verbosity { level, is_quiet } => {
            server.memcache.verbosity = level;
            ("verbosity", unless(is_quiet, "OK"))
        }
        Request::Limit { megabytes, is_quiet } => {
            server.settings.memory = u64::from(megabytes) << 20;
            server.keyspace.resize(server.settings.memory);
            ("cache_memlimit", unless(is_quiet, "OK"))
        }
        Request::Stats(what) => {
            stats::show(server, what, input, out);
            ("stats", None)
        }
        Request::Close(text) => {
            client.is_closing = true;
            ("quit", text)
        }
        Request::MetaGet(ref it) => {
            meta::get(server, it, input, out);
            ("mg", None)
        }
        Request::MetaSet { meta: ref it, mode, block } => {
            meta::set(server, it, mode, block, input, out);
            ("ms", None)
        }
        Request::MetaDelete(ref it) => {
            meta::delete(server, it, input, out);
            ("md", None)
        }
        Request::MetaDelta { meta: ref it, is_increment } => {
            meta::delta(server, it, is_increment, input, out);
            ("ma", None)
        }
        Request::MetaDebug { key, is_base64 } => {
            meta::debug(server, key, is_base64, input, out);
            ("me", None)
        }
    };
    client.latest = name;
    if let Some(text) = said {
        out.extend_from_slice(text.as_bytes());
        out.extend_from_slice(b"\r\n");
        server.counters.errors += u64::from(text.contains("ERROR"));
    }
}

fn unless(is_quiet: bool, text: &'static str) -> Option<&'static str> {
    (!is_quiet).then_some(text)
}

/// The line that answers an addition; its number is written at once.
fn unless_said(is_quiet: bool, added: Added, out: &mut Vec<u8>) -> Option<&'static str> {
    if is_quiet {
        return None;
    }
    match added {
        Added::To(number) => {
            reading::number(out, number);
            Some("")
        }
        Added::NotFound | Added::Exists => Some("NOT_FOUND"),
        Added::NoNumber => Some(NO_NUMBER),
        Added::Other => Some(OTHER),
    }
}

fn put(server: &mut Server, asked: Store, block: Span, input: &[u8]) -> &'static str {
    let now = server.now;
    let storing = Storing {
        mode: asked.mode,
        key: asked.key.of(input),
        block: block.of(input),
        flags: asked.flags,
        deadline: Expiry::of(asked.exptime, now).deadline(now),
        compare: asked.unique,
        takes_older: false,
        unique: None,
        vivify: None,
        item_max: server.settings.memcached_item_max,
    };
    match store(server, storing) {
        Outcome::Stored(_) => "STORED",
        Outcome::Unmet => "NOT_STORED",
        Outcome::Exists => "EXISTS",
        Outcome::NotFound => "NOT_FOUND",
        Outcome::Other => OTHER,
    }
}

/// What was to be replaced must not be served any longer.
fn refuse_large(server: &mut Server, place: Option<Span>, is_base64: bool, input: &[u8]) {
    server.memcache.counters.store_too_large += 1;
    if let Some(key) = place.and_then(|place| key(place.of(input), is_base64)) {
        delete_found(server, &key);
    }
}

fn delete_found(server: &mut Server, key: &[u8]) -> bool {
    let asked = server.keyspace.asked(DB, key);
    let found = server.keyspace.find(asked, server.now);
    if let Some(id) = found {
        server.keyspace.remove(id);
    }
    found.is_some()
}

fn delete(server: &mut Server, key: &[u8]) -> &'static str {
    let is_found = delete_found(server, key);
    let counters = &mut server.memcache.counters;
    if is_found {
        counters.delete_hits += 1;
        "DELETED"
    } else {
        counters.delete_misses += 1;
        "NOT_FOUND"
    }
}

fn touch(server: &mut Server, key: &[u8], exptime: i64) -> &'static str {
    let deadline = Expiry::of(exptime, server.now).deadline(server.now);
    let under = server.look(key);
    server.memcache.counters.cmd_touch += 1;
    let id = match under {
        Under::Nothing => {
            server.memcache.counters.touch_misses += 1;
            return "NOT_FOUND";
        }
        Under::Item(found) => {
            server.note_fetch(&found);
            found.id
        }
        Under::Other(id) => id,
    };
    server.memcache.counters.touch_hits += 1;
    server.set_expiry(id, deadline);
    "TOUCHED"
}

fn flush(server: &mut Server, exptime: i64) {
    server.memcache.counters.cmd_flush += 1;
    server.memcache.flush_at =
        Expiry::of(exptime, server.now).deadline(server.now).or(Some(server.now));
    server.flush_when_due();
}

#[cfg(test)]
mod tests {
    use super::super::{Batch, Limits};
    use super::*;
    use crate::client::{Handle, Place};
    use crate::config::Settings;
    use crate::object::Object;
    use crate::object::hash::Hash;

    /// The answers to what a client sends.
    fn answers(server: &mut Server, input: &[u8]) -> String {
        let place = Place { worker: 0, connection: 0 };
        let mut client =
            Client::new(Handle { seat: 0, id: 1 }, place, String::new(), String::new(), server.now);
        let (mut batch, mut out) = (Batch::default(), Vec::new());
        batch.fill(input, Limits { item: server.settings.memcached_item_max });
        for request in batch.requests() {
            assert!(run(server, &mut client, request, input, &mut out));
        }
        String::from_utf8(out).expect("the answers of this test are text")
    }

    fn with_hash(key: &[u8]) -> Server {
        let mut server = Server::new(Settings::default());
        let asked = server.keyspace.asked(DB, key);
        let hash = Object::hash(DB, key, Hash::default());
        assert!(server.keyspace.put(asked.hash, hash, None, None));
        server
    }

    #[test]
    fn a_hash_cannot_be_fetched_and_is_not_overwritten_by_accident() {
        for (request, answer) in [
            ("get h\r\n", "END\r\n"),
            ("gat 10 h\r\n", "END\r\n"),
            ("mg h v N30\r\n", "EN\r\n"),
            ("me h\r\n", "EN\r\n"),
            ("add h 0 0 1\r\n1\r\n", "NOT_STORED\r\n"),
            ("append h 0 0 1\r\n1\r\n", &format!("{OTHER}\r\n")),
            ("cas h 0 0 1 5\r\n1\r\n", &format!("{OTHER}\r\n")),
            ("incr h 1\r\n", &format!("{OTHER}\r\n")),
            ("ma h N0\r\n", &format!("{OTHER}\r\n")),
            ("md h I\r\n", &format!("{OTHER}\r\n")),
            ("touch h 10\r\n", "TOUCHED\r\n"),
        ] {
            let mut server = with_hash(b"h");
            assert_eq!(answer, answers(&mut server, request.as_bytes()), "{request}");
            assert_eq!(1, server.keyspace.len(DB), "{request}");
        }
        let mut server = with_hash(b"h");
        assert_eq!("DELETED\r\n", answers(&mut server, b"delete h\r\n"));
        let mut server = with_hash(b"h");
        let answer = answers(&mut server, b"set h 0 0 1\r\n1\r\nget h\r\n");
        assert_eq!("STORED\r\nVALUE h 0 1\r\n1\r\nEND\r\n", answer);
    }

    #[test]
    fn what_is_stale_is_made_anew_by_one() {
        let mut server = Server::new(Settings::default());
        let requests =
            b"ms k 1 T30\r\n1\r\nmd k I T10\r\nmg k v t\r\nmg k v\r\nms k 1\r\n2\r\nmg k v\r\n";
        let expected = "HD\r\nHD\r\nVA 1 t10 X W\r\n1\r\nVA 1 Z X\r\n1\r\nHD\r\nVA 1\r\n2\r\n";
        assert_eq!(expected, answers(&mut server, requests));
    }
}
