//! A client as the line that CLIENT LIST and CLIENT INFO have for it.

use augury_core::clock::Millis;

use crate::auth;
use crate::client::{Client, Modes, Queued};
use crate::resp::Protocol;

/// What clients are to CLIENT LIST and CLIENT KILL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any but the others.
    Normal,
    /// It has subscribed to something.
    PubSub,
    /// Connections of replication, of which there are none.
    Replication,
}

impl Kind {
    /// By its word.
    pub fn parse(word: &[u8]) -> Option<Kind> {
        match word.to_ascii_lowercase().as_slice() {
            b"normal" => Some(Kind::Normal),
            b"pubsub" => Some(Kind::PubSub),
            b"slave" | b"replica" | b"master" => Some(Kind::Replication),
            _ => None,
        }
    }

    /// What a client is.
    pub fn of(client: &Client) -> Kind {
        if client.modes.contains(Modes::SUBSCRIBED) { Kind::PubSub } else { Kind::Normal }
    }
}

fn flags(client: &Client) -> String {
    let tracking = client.tracking.as_ref();
    let is_broadcast =
        tracking.is_some_and(|it| it.options.contains(crate::tracking::Options::BROADCAST));
    let flags: String = [
        ('O', client.modes.contains(Modes::MONITOR)),
        ('P', client.modes.contains(Modes::SUBSCRIBED)),
        ('x', client.transaction.is_some()),
        ('t', tracking.is_some()),
        ('R', tracking.is_some_and(|it| it.is_broken)),
        ('B', is_broadcast),
        ('d', client.modes.contains(Modes::DIRTY)),
        ('c', client.is_closing),
        ('e', client.modes.contains(Modes::NO_EVICT)),
        ('T', client.modes.contains(Modes::NO_TOUCH)),
    ]
    .into_iter()
    .filter_map(|(flag, is_set)| is_set.then_some(flag))
    .collect();
    if flags.is_empty() { "N".to_owned() } else { flags }
}

/// Writes the line, without its end.
pub fn write(client: &Client, now: Millis, out: &mut Vec<u8>) {
    let seconds = |since: Millis| now.saturating_sub(since) / 1_000;
    let (channels, patterns, shards) = client.subscription_counts();
    let queued = client.transaction.as_ref().map(|it| &it.commands);
    let multi = queued.map_or(-1, |it| it.len() as i64);
    let multi_bytes: usize = queued.into_iter().flatten().map(Queued::memory_bytes).sum();
    let redirect = client
        .tracking
        .as_ref()
        .map_or(-1, |it| it.redirect.map_or(0, |other| other.id.cast_signed()));
    let unsent = client.outbox.len();
    let total = size_of::<Client>() + multi_bytes + client.outbox.capacity();
    let protocol = if client.protocol == Protocol::Resp3 { 3 } else { 2 };
    let mut field = |name: &str, value: &[u8]| {
        if !out.is_empty() && out.last() != Some(&b'\n') {
            out.push(b' ');
        }
        out.extend_from_slice(name.as_bytes());
        out.push(b'=');
        out.extend_from_slice(value);
    };
    field("id", client.id.to_string().as_bytes());
    field("addr", client.address.as_bytes());
    field("laddr", client.local.as_bytes());
    field("fd", client.place.connection.to_string().as_bytes());
    field("name", &client.name);
    field("age", seconds(client.since).to_string().as_bytes());
    field("idle", seconds(client.active).to_string().as_bytes());
    field("flags", flags(client).as_bytes());
    for (name, value) in [
        ("db", i64::from(client.db)),
        ("sub", channels as i64),
        ("psub", patterns as i64),
        ("ssub", shards as i64),
        ("multi", multi),
        ("watch", client.watched.len() as i64),
        ("qbuf", 0),
        ("qbuf-free", 0),
        ("argv-mem", 0),
        ("multi-mem", multi_bytes as i64),
        ("rbs", 0),
        ("rbp", 0),
        ("obl", 0),
        ("oll", i64::from(unsent > 0)),
        ("omem", unsent as i64),
        ("tot-mem", total as i64),
    ] {
        field(name, value.to_string().as_bytes());
    }
    field("events", b"r");
    field("cmd", client.latest.as_bytes());
    field("user", auth::user_of(client));
    field("redir", redirect.to_string().as_bytes());
    field("resp", protocol.to_string().as_bytes());
    field("lib-name", &client.library.0);
    field("lib-ver", &client.library.1);
}
