//! Fields of a hash: set, get, remove, count.

use super::{CHANGE, Hash, READ, READ_ALL, WRITE};
use crate::commands::lookup::fields;
use crate::commands::{Call, Command, Done, Refusal, Through};

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command { name: "hset", arity: -4, summary: "Sets fields of a hash", run: hset, ..WRITE },
    Command {
        name: "hmset",
        arity: -4,
        summary: "Sets fields of a hash; the older form of HSET",
        run: hmset,
        ..WRITE
    },
    Command {
        name: "hsetnx",
        arity: 4,
        summary: "Sets a field of a hash where there is no such field",
        run: hsetnx,
        ..WRITE
    },
    Command {
        name: "hget",
        arity: 3,
        summary: "A field of a hash",
        through: Through::Reads,
        run: hget,
        ..READ
    },
    Command {
        name: "hmget",
        arity: -3,
        summary: "Fields of a hash",
        through: Through::Reads,
        run: hmget,
        ..READ
    },
    Command {
        name: "hgetall",
        arity: 2,
        summary: "All fields of a hash with their values",
        through: Through::Reads,
        run: hgetall,
        ..READ_ALL
    },
    Command {
        name: "hkeys",
        arity: 2,
        summary: "All fields of a hash",
        through: Through::Reads,
        run: hkeys,
        ..READ_ALL
    },
    Command {
        name: "hvals",
        arity: 2,
        summary: "All values of a hash",
        through: Through::Reads,
        run: hvals,
        ..READ_ALL
    },
    Command { name: "hdel", arity: -3, summary: "Removes fields of a hash", run: hdel, ..CHANGE },
    Command {
        name: "hexists",
        arity: 3,
        summary: "Whether a hash has a field",
        through: Through::Reads,
        run: hexists,
        ..READ
    },
    Command {
        name: "hlen",
        arity: 2,
        summary: "Number of fields of a hash",
        differs: "fields that have expired are not counted, removed or not",
        through: Through::Reads,
        run: hlen,
        ..READ
    },
    Command {
        name: "hstrlen",
        arity: 3,
        since: "3.2.0",
        summary: "Length of a field's value in bytes",
        through: Through::Reads,
        run: hstrlen,
        ..READ
    },
];

/// Sets the fields that the arguments name in pairs; how many are new.
fn set_all(call: &mut Call<'_, '_>) -> Result<i64, Refusal> {
    if !call.arguments.len().is_multiple_of(2) {
        return Err(Refusal::arity(call.command.name));
    }
    let found = call.find_hash(1)?;
    let arguments = call.arguments;
    let count = call.write_hash(found, |hash| {
        let (mut at, mut count) = (2, 0);
        while let Some((field, value)) = arguments.get(at).zip(arguments.get(at + 1)) {
            count += i64::from(hash.set(field, value));
            at += 2;
        }
        count
    })?;
    Ok(count.unwrap_or(0))
}

fn hset(call: &mut Call<'_, '_>) -> Done {
    let count = set_all(call)?;
    call.reply.integer(count);
    Ok(())
}

fn hmset(call: &mut Call<'_, '_>) -> Done {
    set_all(call)?;
    call.reply.ok();
    Ok(())
}

fn hsetnx(call: &mut Call<'_, '_>) -> Done {
    let found = call.find_hash(1)?;
    let (field, value) = (call.argument(2), call.argument(3));
    let now = call.server.now;
    let is_new = call.hash_in(found).is_none_or(|hash| hash.get(field, now).is_none());
    if is_new {
        call.write_hash(found, |hash| hash.set(field, value))?;
    }
    call.reply.integer(is_new.into());
    Ok(())
}

fn hget(call: &mut Call<'_, '_>) -> Done {
    let (asked, now) = (call.asked(1), call.server.now);
    let field = call.argument(2);
    let hash = fields(call.server.keyspace.read(asked, now))?;
    call.reply.bulk_or_null(hash.and_then(|hash| hash.get(field, now)));
    Ok(())
}

fn hmget(call: &mut Call<'_, '_>) -> Done {
    let (asked, now) = (call.asked(1), call.server.now);
    let hash = fields(call.server.keyspace.read(asked, now))?;
    let names = call.arguments.from(2);
    call.reply.array(names.len());
    for field in names.iter() {
        call.reply.bulk_or_null(hash.and_then(|hash| hash.get(field, now)));
    }
    Ok(())
}

fn hgetall(call: &mut Call<'_, '_>) -> Done {
    let (asked, now) = (call.asked(1), call.server.now);
    let hash = fields(call.server.keyspace.read(asked, now))?;
    call.reply.map(hash.map_or(0, |hash| hash.live(now)));
    for (field, value) in hash.into_iter().flat_map(|hash| hash.iter(now)) {
        call.reply.bulk(field);
        call.reply.bulk(value);
    }
    Ok(())
}

fn hkeys(call: &mut Call<'_, '_>) -> Done {
    all(call, |field, _| field)
}

fn hvals(call: &mut Call<'_, '_>) -> Done {
    all(call, |_, value| value)
}

/// Answers one thing of each field.
fn all(call: &mut Call<'_, '_>, of: impl for<'x> Fn(&'x [u8], &'x [u8]) -> &'x [u8]) -> Done {
    let (asked, now) = (call.asked(1), call.server.now);
    let hash = fields(call.server.keyspace.read(asked, now))?;
    call.reply.array(hash.map_or(0, |hash| hash.live(now)));
    for (field, value) in hash.into_iter().flat_map(|hash| hash.iter(now)) {
        call.reply.bulk(of(field, value));
    }
    Ok(())
}

fn hdel(call: &mut Call<'_, '_>) -> Done {
    let found = call.find_hash(1)?;
    let (names, now) = (call.arguments.from(2), call.server.now);
    let remove = |hash: &mut Hash| {
        let mut count = 0;
        for field in names.iter() {
            let is_there = hash.get(field, now).is_some();
            count += i64::from(hash.remove(field).is_some() && is_there);
        }
        count
    };
    let place = call.with_any(found, names);
    let count = place.and_then(|id| call.server.keyspace.revise_hash(id, remove));
    call.reply.integer(count.unwrap_or(0));
    Ok(())
}

fn hexists(call: &mut Call<'_, '_>) -> Done {
    let (asked, now) = (call.asked(1), call.server.now);
    let field = call.argument(2);
    let hash = fields(call.server.keyspace.read(asked, now))?;
    call.reply.integer(hash.is_some_and(|hash| hash.get(field, now).is_some()).into());
    Ok(())
}

fn hlen(call: &mut Call<'_, '_>) -> Done {
    let (asked, now) = (call.asked(1), call.server.now);
    let hash = fields(call.server.keyspace.read(asked, now))?;
    call.reply.integer(hash.map_or(0, |hash| hash.live(now)) as i64);
    Ok(())
}

fn hstrlen(call: &mut Call<'_, '_>) -> Done {
    let (asked, now) = (call.asked(1), call.server.now);
    let field = call.argument(2);
    let hash = fields(call.server.keyspace.read(asked, now))?;
    let value = hash.and_then(|hash| hash.get(field, now));
    call.reply.integer(value.unwrap_or_default().len() as i64);
    Ok(())
}
