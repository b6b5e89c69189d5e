//! Changes of keys, published to subscribers: Redis's keyspace notifications.
//!
//! What a command calls its change is in the table below; that a key has left, expired or was
//! missed is the same for all commands. Events are published where the command has run, before what it
//! is in (a transaction, a batch) goes on.

use augury_core::metrics::RemovalCause;

use crate::client::Client;
use crate::commands::spec::Group;
use crate::commands::{Command, Flags};
use crate::config::Notified;
use crate::keyspace::{Act, Change};
use crate::pubsub::Kind;
use crate::resp::Arguments;
use crate::server::Server;

/// An event: its class and name.
type Event = (Notified, &'static str);

/// What commands call their changes, as Redis does.
const NAMES: &[(&str, &[&str])] = &[
    ("set", &["set", "setnx", "setex", "psetex", "getset", "mset", "msetnx", "msetex", "bitop"]),
    ("append", &["append"]),
    ("setrange", &["setrange"]),
    ("setbit", &["setbit", "bitfield"]),
    ("incrby", &["incr", "decr", "incrby", "decrby"]),
    ("incrbyfloat", &["incrbyfloat"]),
    ("expire", &["expire", "pexpire", "expireat", "pexpireat"]),
    ("persist", &["persist"]),
    ("rename_to", &["rename", "renamenx"]),
    ("move_to", &["move"]),
    ("copy_to", &["copy"]),
    ("hset", &["hset", "hmset", "hsetnx", "hsetex"]),
    ("hincrby", &["hincrby"]),
    ("hincrbyfloat", &["hincrbyfloat"]),
    ("hdel", &["hdel", "hgetdel"]),
    ("hexpire", &["hexpire", "hpexpire", "hexpireat", "hpexpireat", "hgetex"]),
    ("hpersist", &["hpersist"]),
];

/// Commands that change keys by removing them alone, and GETEX, which has two names.
#[cfg(test)]
const OTHERS: &[&str] = &["del", "unlink", "getdel", "delifeq", "delex", "getex"];

fn name_of(command: &Command) -> Option<&'static str> {
    let found = NAMES.iter().find(|(_, commands)| commands.contains(&command.name));
    found.map(|&(name, _)| name)
}

/// What is published of changes by no command of Redis's protocol: by memcached's, by time, for room.
const NO_COMMAND: Event = (Notified::STRING, "set");

/// Publishes the changes of which nothing has been published, in order. `command`: whose they are.
#[cold]
pub fn publish(
    server: &mut Server,
    mut running: Option<&mut Client>,
    command: Option<(&'static Command, Arguments<'_>)>,
) {
    let changes: Vec<Change> = server.keyspace.unpublished().to_vec();
    for change in &changes {
        for event in events(change, command).into_iter().flatten() {
            tell(server, running.as_deref_mut(), event, (change.db, &change.key));
        }
    }
}

/// Publishes that a command is about to read keys that are not there.
#[cold]
pub fn publish_misses(
    server: &mut Server,
    mut client: Option<&mut Client>,
    db: u8,
    (command, arguments): (&'static Command, Arguments<'_>),
) {
    let reads = command.flags.contains(Flags::READONLY)
        && !command.name.starts_with("object|")
        && !command.name.starts_with("memory|")
        && command.group != Group::Augury
        || matches!(command.name, "getset" | "getdel" | "getex");
    if !reads {
        return;
    }
    for at in command.keys.positions(arguments) {
        let key = arguments.get(at).unwrap_or_default();
        let asked = server.keyspace.asked(db, key);
        if server.keyspace.find(asked, server.now).is_none() {
            tell(server, client.as_deref_mut(), (Notified::MISS, "keymiss"), (db, key));
        }
    }
}

/// The events of a change: most have one.
fn events(change: &Change, command: Option<(&Command, Arguments<'_>)>) -> [Option<Event>; 3] {
    let of_command = command.map(|(command, _)| command.name).unwrap_or_default();
    match change.act {
        Act::Left(RemovalCause::Expired) => [Some((Notified::EXPIRED, "expired")), None, None],
        Act::Left(RemovalCause::Evicted) => [Some((Notified::EVICTED, "evicted")), None, None],
        Act::Left(_) => {
            let name = match of_command {
                "rename" | "renamenx" => "rename_from",
                "move" => "move_from",
                _ => "del",
            };
            [Some((Notified::GENERIC, name)), None, None]
        }
        Act::Loaded => [None; 3],
        Act::FieldsExpired => [Some((Notified::HASH, "hexpired")), None, None],
        Act::Written { is_new } => {
            let new = is_new.then_some((Notified::NEW, "new"));
            let written = command.map_or(Some(NO_COMMAND), |(command, arguments)| {
                let persists = |it: &[u8]| it.eq_ignore_ascii_case(b"persist");
                if command.name == "getex" {
                    let is_kept = arguments.iter().any(persists);
                    return Some((Notified::GENERIC, if is_kept { "persist" } else { "expire" }));
                }
                let class = match command.group {
                    Group::String => Notified::STRING,
                    Group::Hash => Notified::HASH,
                    _ => Notified::GENERIC,
                };
                name_of(command).map(|name| (class, name))
            });
            let expires = command.is_some_and(|(command, arguments)| expires(command, arguments));
            [new, written, expires.then_some((Notified::GENERIC, "expire"))]
        }
    }
}

/// Whether a command that sets a string has it expire too: an event of its own.
fn expires(command: &Command, arguments: Arguments<'_>) -> bool {
    let names_time = |from: usize| {
        let is_time = |it: &[u8]| {
            ["EX", "PX", "EXAT", "PXAT"].iter().any(|name| it.eq_ignore_ascii_case(name.as_bytes()))
        };
        arguments.from(from).iter().any(is_time)
    };
    match command.name {
        "setex" | "psetex" => true,
        "set" => names_time(3),
        "msetex" => {
            let keys = command.keys.positions(arguments).last();
            names_time(keys.map_or(0, |at| at + 2))
        }
        _ => false,
    }
}

/// Publishes an event of a key, if its class is wanted.
fn tell(
    server: &mut Server,
    mut running: Option<&mut Client>,
    (class, event): Event,
    (db, key): (u8, &[u8]),
) {
    let wanted = server.settings.notified;
    if !wanted.contains(class) {
        return;
    }
    let Server { pubsub, clients, .. } = server;
    if wanted.contains(Notified::KEYSPACE) {
        let channel = [format!("__keyspace@{db}__:").as_bytes(), key].concat();
        let to = (Kind::Channel, &*channel);
        pubsub.publish(clients, running.as_deref_mut(), to, event.as_bytes());
    }
    if wanted.contains(Notified::KEYEVENT) {
        let channel = format!("__keyevent@{db}__:{event}");
        pubsub.publish(clients, running, (Kind::Channel, channel.as_bytes()), key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::table;

    #[test]
    fn whatever_changes_keys_has_a_name_for_it() {
        let changing = table::all().filter(|command| {
            command.flags.contains(Flags::WRITE) && command.keys != crate::commands::Keys::None
        });
        for command in changing {
            let is_other = OTHERS.contains(&command.name);
            assert_eq!(is_other, name_of(command).is_none(), "{}", command.name);
        }
    }
}
