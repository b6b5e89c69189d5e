//! Commands on keys, whatever they hold.

use super::lookup::storable;
use super::spec::Group;
use super::{Call, Command, Done, Flags, Keys, Refusal, Through, number};
use crate::keyspace::Asked;
use crate::notices;
use crate::object::hash::Listed;
use crate::object::{Content, DATABASES, Marks, Object};

const PLAIN: Command = Command { group: Group::Generic, ..Command::PLAIN };
const LOOK: Command =
    Command { keys: Keys::ONE, flags: Flags::READONLY.union(Flags::FAST), ..PLAIN };
const CHANGE: Command =
    Command { keys: Keys::ONE, flags: Flags::WRITE.union(Flags::FAST), ..PLAIN };
const TWO: Keys = Keys::Range { first: 1, last: 2, step: 1 };

/// Why a look is not in Redis's `keyspace_hits`.
const NOT_COUNTED: &str = "a look is no request: it is not in keyspace_hits and keyspace_misses";

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "del",
        arity: -2,
        keys: Keys::ALL,
        flags: Flags::WRITE,
        summary: "Removes keys",
        run: del,
        ..CHANGE
    },
    Command {
        name: "unlink",
        arity: -2,
        keys: Keys::ALL,
        since: "4.0.0",
        summary: "Removes keys",
        differs: "memory is given back at once, as by DEL",
        run: del,
        ..CHANGE
    },
    Command {
        name: "exists",
        arity: -2,
        keys: Keys::ALL,
        through: Through::Looks,
        summary: "How many of the keys are there",
        differs: NOT_COUNTED,
        run: exists,
        ..LOOK
    },
    Command {
        name: "touch",
        arity: -2,
        keys: Keys::ALL,
        since: "3.2.1",
        summary: "Counts as a read of keys; how many are there",
        run: touch,
        ..LOOK
    },
    Command {
        name: "type",
        arity: 2,
        summary: "What a key holds: string, hash, none",
        differs: NOT_COUNTED,
        run: kind,
        ..LOOK
    },
    Command {
        name: "rename",
        arity: 3,
        keys: TWO,
        flags: Flags::WRITE,
        summary: "Gives what a key holds another key, with its deadline",
        differs: "to the policy the other key is a newcomer",
        run: rename,
        ..CHANGE
    },
    Command {
        name: "renamenx",
        arity: 3,
        keys: TWO,
        summary: "As RENAME, where there is no such key yet",
        differs: "to the policy the other key is a newcomer",
        run: renamenx,
        ..CHANGE
    },
    Command {
        name: "copy",
        arity: -3,
        keys: TWO,
        since: "6.2.0",
        flags: Flags::WRITE.union(Flags::DENYOOM),
        summary: "Copies what a key holds, with its deadline",
        run: copy,
        ..CHANGE
    },
    Command {
        name: "move",
        arity: 3,
        summary: "Moves a key to another database",
        run: move_to,
        ..CHANGE
    },
    Command {
        name: "swapdb",
        arity: 3,
        since: "4.0.0",
        flags: Flags::WRITE.union(Flags::FAST),
        summary: "Exchanges two databases",
        differs: "clients with caches of their own are told to drop them",
        run: swapdb,
        ..PLAIN
    },
    Command {
        name: "dbsize",
        arity: 1,
        flags: Flags::READONLY.union(Flags::FAST),
        summary: "Number of keys in the database",
        run: dbsize,
        ..PLAIN
    },
    Command {
        name: "flushdb",
        arity: -1,
        flags: Flags::WRITE,
        summary: "Removes all keys of the database",
        differs: "ASYNC is as SYNC: the memory is given back before the answer",
        run: flushdb,
        ..PLAIN
    },
    Command {
        name: "flushall",
        arity: -1,
        flags: Flags::WRITE,
        summary: "Removes all keys of all databases",
        differs: "ASYNC is as SYNC: the memory is given back before the answer",
        run: flushall,
        ..PLAIN
    },
];

/// Positions of a command's keys, all of its arguments.
fn all(call: &Call<'_, '_>) -> std::ops::Range<usize> {
    1..call.arguments.len()
}

fn del(call: &mut Call<'_, '_>) -> Done {
    let mut count = 0;
    for at in all(call) {
        if let Some(id) = call.find(at) {
            call.server.keyspace.remove(id);
            count += 1;
        }
    }
    call.reply.integer(count);
    Ok(())
}

fn exists(call: &mut Call<'_, '_>) -> Done {
    let is_there = |call: &mut Call<'_, '_>, at: usize| {
        call.find(at).is_some() || call.server.keyspace.lent(call.asked(at)).is_some()
    };
    let count = all(call).filter(|&at| is_there(call, at)).count();
    call.reply.integer(count as i64);
    Ok(())
}

fn touch(call: &mut Call<'_, '_>) -> Done {
    let mut count = 0;
    for at in all(call) {
        let asked = call.asked(at);
        count += i64::from(call.server.keyspace.read(asked, call.server.now).is_some());
    }
    call.reply.integer(count);
    Ok(())
}

/// The name of what an object holds.
pub fn type_of(object: &Object) -> &'static str {
    match object.content() {
        Content::Text(_) => "string",
        Content::Hash(_) => "hash",
    }
}

/// The name that Redis has for how such an object is kept.
pub fn encoding_of(object: &Object, listed: Listed) -> &'static str {
    const EMBEDDED: usize = 44;
    match object.content() {
        Content::Text(_) if object.marks().contains(Marks::RAW) => "raw",
        Content::Text(text) if number::integer(text).is_some() => "int",
        Content::Text(text) if text.len() <= EMBEDDED => "embstr",
        Content::Text(_) => "raw",
        Content::Hash(fields) if fields.is_large(listed) => "hashtable",
        Content::Hash(fields) if fields.earliest().is_some() => "listpackex",
        Content::Hash(_) => "listpack",
    }
}

fn kind(call: &mut Call<'_, '_>) -> Done {
    let object = call.find(1).and_then(|id| call.server.keyspace.object(id));
    call.reply.simple(object.map_or("none", type_of));
    Ok(())
}

fn rename(call: &mut Call<'_, '_>) -> Done {
    rename_to(call, false)?;
    call.reply.ok();
    Ok(())
}

fn renamenx(call: &mut Call<'_, '_>) -> Done {
    let is_done = rename_to(call, true)?;
    call.reply.integer(is_done.into());
    Ok(())
}

fn rename_to(call: &mut Call<'_, '_>, wants_absent: bool) -> Result<bool, Refusal> {
    let from = call.find(1).ok_or(Refusal::NO_KEY)?;
    let to = call.asked(2);
    storable(to.key)?;
    let over = call.find(2);
    if over.is_some() && wants_absent {
        return Ok(false);
    }
    if over != Some(from) {
        call.server.keyspace.transfer(from, to, over);
    }
    Ok(true)
}

fn copy(call: &mut Call<'_, '_>) -> Done {
    let (mut db, mut replaces) = (call.client.db, false);
    let mut at = 3;
    while let Some(option) = call.arguments.get(at) {
        at += 1;
        if option.eq_ignore_ascii_case(b"REPLACE") {
            replaces = true;
        } else if option.eq_ignore_ascii_case(b"DB") {
            db = number::database(call.arguments.get(at).ok_or(Refusal::SYNTAX)?)?;
            at += 1;
        } else {
            return Err(Refusal::SYNTAX.into());
        }
    }
    let (from, to) = (call.argument(1), call.argument(2));
    if from == to && db == call.client.db {
        return Err(Refusal::SAME_OBJECT.into());
    }
    storable(to)?;
    let is_done = copy_to(call, call.server.keyspace.asked(db, to), replaces);
    call.reply.integer(is_done.into());
    Ok(())
}

fn copy_to(call: &mut Call<'_, '_>, to: Asked<'_>, replaces: bool) -> bool {
    let Some(from) = call.find(1) else { return false };
    let keyspace = &mut call.server.keyspace;
    let over = keyspace.find(to, call.server.now);
    if over.is_some() && !replaces {
        return false;
    }
    let deadline = keyspace.deadline(from);
    let Some(object) = keyspace.object(from) else { return false };
    let object = object.copy_under(to.db, to.key);
    keyspace.put(to.hash, object, deadline, over);
    true
}

fn move_to(call: &mut Call<'_, '_>) -> Done {
    let db = number::database(call.argument(2))?;
    if db == call.client.db {
        return Err(Refusal::SAME_OBJECT.into());
    }
    let from = call.find(1);
    let keyspace = &mut call.server.keyspace;
    let to = keyspace.asked(db, call.arguments.get(1).unwrap_or_default());
    let is_free = keyspace.find(to, call.server.now).is_none();
    if let Some(from) = from.filter(|_| is_free) {
        keyspace.transfer(from, to, None);
    }
    call.reply.integer((from.is_some() && is_free).into());
    Ok(())
}

fn swapdb(call: &mut Call<'_, '_>) -> Done {
    let index = |at: usize, which: &str| {
        let invalid = || Refusal::of(format!("ERR invalid {which} DB index"));
        let index = number::integer(call.argument(at)).ok_or_else(invalid)?;
        let db = u8::try_from(index).ok().filter(|&db| db < DATABASES);
        db.ok_or(Refusal::new("ERR DB index is out of range"))
    };
    let (one, other) = (index(1, "first")?, index(2, "second")?);
    if call.server.upstream.is_some() && one != other && (one == 0 || other == 0) {
        return Err(Refusal::new(
            "ERR database 0 reads through to an upstream and cannot be exchanged",
        )
        .into());
    }
    if one != other {
        notices::tell_of_swap(call.server, call.client, one, other);
        call.server.keyspace.swap(one, other);
    }
    call.reply.ok();
    Ok(())
}

fn dbsize(call: &mut Call<'_, '_>) -> Done {
    call.reply.integer(call.server.keyspace.len(call.client.db) as i64);
    Ok(())
}

fn flushdb(call: &mut Call<'_, '_>) -> Done {
    flush(call, Some(call.client.db))
}

fn flushall(call: &mut Call<'_, '_>) -> Done {
    flush(call, None)
}

fn flush(call: &mut Call<'_, '_>, db: Option<u8>) -> Done {
    let how = call.arguments.get(1).unwrap_or(b"SYNC");
    let is_known = how.eq_ignore_ascii_case(b"SYNC") || how.eq_ignore_ascii_case(b"ASYNC");
    if call.arguments.len() > 2 || !is_known {
        return Err(Refusal::SYNTAX.into());
    }
    call.server.keyspace.flush(db);
    call.reply.ok();
    Ok(())
}
