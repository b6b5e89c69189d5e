//! MEMORY: what keys and the server take.

use super::info::human;
use super::spec::Group;
use super::{Call, Command, Done, Flags, Keys, Refusal, help, number};
use crate::object::{DATABASES, heap};

const PLAIN: Command = Command { group: Group::Server, since: "4.0.0", ..Command::PLAIN };

/// The container.
pub const COMMANDS: &[Command] = &[Command {
    name: "memory",
    arity: -2,
    summary: "A container for questions about memory",
    subcommands: SUBCOMMANDS,
    ..PLAIN
}];

const SUBCOMMANDS: &[Command] = &[
    Command {
        name: "memory|doctor",
        arity: 2,
        summary: "What to make of the memory in use",
        run: doctor,
        ..PLAIN
    },
    help::of("memory|help", Group::Server),
    Command {
        name: "memory|malloc-stats",
        arity: 2,
        summary: "What the allocator tells of itself",
        run: malloc_stats,
        ..PLAIN
    },
    Command {
        name: "memory|purge",
        arity: 2,
        summary: "Has the allocator give back what it holds for nobody",
        run: purge,
        ..PLAIN
    },
    Command { name: "memory|stats", arity: 2, summary: "Where memory goes", run: stats, ..PLAIN },
    Command {
        name: "memory|usage",
        arity: -3,
        flags: Flags::READONLY,
        keys: Keys::Range { first: 2, last: 2, step: 1 },
        summary: "Bytes that a key takes, with its share of the index",
        differs: "exact: SAMPLES is read and not needed",
        run: usage,
        ..PLAIN
    },
];

fn usage(call: &mut Call<'_, '_>) -> Done {
    match call.arguments.len() {
        3 => {}
        5 if call.arguments[3].eq_ignore_ascii_case(b"samples") => {
            let samples = number::whole(&call.arguments[4])?;
            if samples < 0 {
                return Err(Refusal::SYNTAX.into());
            }
        }
        _ => return Err(Refusal::SYNTAX.into()),
    }
    let asked = call.server.keyspace.asked(call.client.db, &call.arguments[2]);
    let id = call.server.keyspace.find(asked, call.server.now);
    match id.and_then(|id| call.server.keyspace.entry_bytes(id)) {
        Some(bytes) => call.reply.integer(bytes.cast_signed()),
        None => call.reply.null(),
    }
    Ok(())
}

fn malloc_stats(call: &mut Call<'_, '_>) -> Done {
    call.reply.verbatim(&heap::told());
    Ok(())
}

fn purge(call: &mut Call<'_, '_>) -> Done {
    if !heap::purge() {
        return Err(Refusal::new("ERR Error purging dirty pages").into());
    }
    call.reply.ok();
    Ok(())
}

fn stats(call: &mut Call<'_, '_>) -> Done {
    let server = &mut *call.server;
    let seen = server.measure();
    let books = server.books(&seen);
    let dbs: Vec<(u8, u64)> = (0..DATABASES)
        .map(|db| (db, server.keyspace.len(db)))
        .filter(|&(_, keys)| keys > 0)
        .collect();
    let keys: u64 = dbs.iter().map(|&(_, keys)| keys).sum();
    let per_key = books.net.checked_div(keys).unwrap_or(0);
    let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    let counts = [
        ("peak.allocated", books.peak),
        ("total.allocated", books.used),
        ("startup.allocated", seen.startup),
        ("replication.backlog", 0),
        ("clients.slaves", 0),
        ("clients.normal", 0),
        ("cluster.links", 0),
        ("aof.buffer", 0),
        ("lua.caches", 0),
        ("functions.caches", 0),
        ("overhead.total", books.overhead),
        ("keys.count", keys),
        ("keys.bytes-per-key", per_key),
        ("dataset.bytes", books.dataset),
        ("allocator.allocated", seen.allocated),
        ("allocator.active", seen.active),
        ("allocator.resident", seen.resident),
    ];
    let ratios = [
        ("dataset.percentage", 100.0 * share(books.dataset, books.net)),
        ("peak.percentage", 100.0 * share(books.used, books.peak)),
        ("allocator-fragmentation.ratio", share(seen.active, seen.allocated)),
        ("allocator-rss.ratio", share(seen.resident, seen.active)),
        ("rss-overhead.ratio", share(seen.rss, seen.resident)),
        ("fragmentation", share(seen.rss, books.used)),
    ];
    let reply = &mut *call.reply;
    reply.map(counts.len() + ratios.len() + dbs.len() + 1);
    for (name, count) in counts {
        reply.bulk(name.as_bytes());
        reply.integer(count.cast_signed());
    }
    for (name, ratio) in ratios {
        reply.bulk(name.as_bytes());
        reply.double(ratio);
    }
    let index = server.keyspace.overhead_bytes() as u64;
    for (db, held) in dbs {
        // All databases share one index: each has its part by its keys.
        let part = (u128::from(index) * u128::from(held) / u128::from(keys)) as i64;
        reply.bulk(format!("db.{db}").as_bytes());
        reply.map(2);
        reply.bulk(b"overhead.hashtable.main");
        reply.integer(part);
        reply.bulk(b"overhead.hashtable.expires");
        reply.integer(0);
    }
    reply.bulk(b"fragmentation.bytes");
    reply.integer(seen.rss.cast_signed() - books.used.cast_signed());
    Ok(())
}

fn doctor(call: &mut Call<'_, '_>) -> Done {
    let server = &mut *call.server;
    let seen = server.measure();
    let books = server.books(&seen);
    let (used, capacity) = (server.keyspace.used(), server.keyspace.capacity());
    let text = format!(
        "{} of {} are in use by keys; the process takes {}, {:.2} times what it has asked for.\n",
        human(used),
        human(capacity),
        human(seen.rss),
        seen.rss as f64 / books.used.max(1) as f64,
    );
    call.reply.verbatim(text.as_bytes());
    Ok(())
}
