//! One string, whole: set, get, and both at once.

use super::options::{Until, When, parse};
use super::{READ, WRITE};
use crate::commands::lookup::{storable, text};
use crate::commands::moment::{Unit, positive};
use crate::commands::{Call, Command, Done, Flags, Refusal, Through};
use crate::object::{Marks, Object};

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "get",
        arity: 2,
        summary: "A key's string",
        through: Through::Reads,
        run: get,
        ..READ
    },
    Command {
        name: "set",
        arity: -3,
        summary: "Sets a key's string: when, until when, and what was there",
        differs: "a key that could not outlive a newcomer may be turned away by the policy: the \
            answer is OK, and the next GET misses; a deadline in the past removes the key at once",
        run: set,
        ..WRITE
    },
    Command {
        name: "setnx",
        arity: 3,
        summary: "Sets a key's string where there is no such key",
        run: setnx,
        ..WRITE
    },
    Command {
        name: "setex",
        arity: 4,
        since: "2.0.0",
        summary: "Sets a key's string for so many seconds",
        run: setex,
        ..WRITE
    },
    Command {
        name: "psetex",
        arity: 4,
        since: "2.6.0",
        summary: "Sets a key's string for so many milliseconds",
        run: psetex,
        ..WRITE
    },
    Command {
        name: "getset",
        arity: 3,
        summary: "Sets a key's string; the one that was there",
        run: getset,
        ..WRITE
    },
    Command {
        name: "getdel",
        arity: 2,
        since: "6.2.0",
        flags: Flags::WRITE.union(Flags::FAST),
        summary: "A key's string, which is removed",
        run: getdel,
        ..WRITE
    },
    Command {
        name: "delifeq",
        arity: 3,
        since: "9.0.0",
        flags: Flags::WRITE.union(Flags::FAST),
        summary: "Removes a key where its string is this, as Valkey does",
        run: delifeq,
        ..WRITE
    },
    Command {
        name: "getex",
        arity: -2,
        since: "6.2.0",
        flags: Flags::WRITE.union(Flags::FAST),
        summary: "A key's string, which then expires at another time",
        through: Through::Reads,
        run: getex,
        ..WRITE
    },
    Command {
        name: "strlen",
        arity: 2,
        since: "2.2.0",
        summary: "Length of a key's string in bytes",
        through: Through::Reads,
        run: strlen,
        ..READ
    },
];

fn get(call: &mut Call<'_, '_>) -> Done {
    answer(call)
}

/// Answers the string of the first key, which is a read.
#[inline]
fn answer(call: &mut Call<'_, '_>) -> Done {
    let asked = call.asked(1);
    match call.server.keyspace.read(asked, call.server.now) {
        None => call.reply.null(),
        Some(object) => call.reply.bulk(object.as_text().ok_or(Refusal::WRONG_TYPE)?),
    }
    Ok(())
}

fn set(call: &mut Call<'_, '_>) -> Done {
    if call.arguments.len() == 3 {
        store(call, call.argument(2))?;
        call.reply.ok();
        return Ok(());
    }
    let options = parse(call.arguments, 3, true)?;
    let moment = call.moment(options.until)?;
    let asked = call.asked(1);
    storable(asked.key)?;
    call.server.keyspace.approach(asked.hash);
    if options.gets {
        answer(call)?;
    }
    let found = call.server.keyspace.find(asked, call.server.now);
    let object = found.and_then(|id| call.server.keyspace.object(id));
    let may_set = match options.when {
        None => true,
        Some(When::Absent) => found.is_none(),
        Some(When::Present) => found.is_some(),
        Some(When::Equal(value)) => text(object)?.is_some_and(|held| held == value),
        Some(When::Unequal(value)) => text(object)?.is_none_or(|held| held != value),
    };
    if !may_set {
        if !options.gets {
            call.reply.null();
        }
        return Ok(());
    }
    let deadline = match options.until {
        Some(Until::Kept) => found.and_then(|id| call.server.keyspace.deadline(id)),
        _ => moment,
    };
    call.write_text(asked, &[call.argument(2)], Marks::empty(), deadline, found)?;
    if !options.gets {
        call.reply.ok();
    }
    Ok(())
}

/// Stores a string that does not expire under the first key.
#[inline]
fn store(call: &mut Call<'_, '_>, value: &[u8]) -> Done {
    let asked = call.asked(1);
    storable(asked.key)?;
    let keyspace = &mut call.server.keyspace;
    keyspace.approach(asked.hash);
    let object = Object::text(asked.db, asked.key, value);
    let found = keyspace.find(asked, call.server.now);
    keyspace.put(asked.hash, object, None, found);
    Ok(())
}

fn setnx(call: &mut Call<'_, '_>) -> Done {
    let is_absent = call.find(1).is_none();
    if is_absent {
        store(call, call.argument(2))?;
    }
    call.reply.integer(is_absent.into());
    Ok(())
}

fn setex(call: &mut Call<'_, '_>) -> Done {
    set_for(call, Unit::SECONDS)
}

fn psetex(call: &mut Call<'_, '_>) -> Done {
    set_for(call, Unit::MILLIS)
}

fn set_for(call: &mut Call<'_, '_>, unit: Unit) -> Done {
    let deadline = positive(call.argument(2), unit, call.server.now, call.command.name)?;
    let asked = call.asked(1);
    call.server.keyspace.approach(asked.hash);
    let found = call.server.keyspace.find(asked, call.server.now);
    call.write_text(asked, &[call.argument(3)], Marks::empty(), Some(deadline), found)?;
    call.reply.ok();
    Ok(())
}

fn getset(call: &mut Call<'_, '_>) -> Done {
    storable(call.argument(1))?;
    answer(call)?;
    store(call, call.argument(2))
}

fn getdel(call: &mut Call<'_, '_>) -> Done {
    answer(call)?;
    if let Some(id) = call.find(1) {
        call.server.keyspace.remove(id);
    }
    Ok(())
}

fn delifeq(call: &mut Call<'_, '_>) -> Done {
    let asked = call.asked(1);
    let found = call.find_text(asked)?.filter(|&id| call.text_in(Some(id)) == call.argument(2));
    if let Some(id) = found {
        call.server.keyspace.remove(id);
    }
    call.reply.integer(found.is_some().into());
    Ok(())
}

fn getex(call: &mut Call<'_, '_>) -> Done {
    let options = parse(call.arguments, 2, false)?;
    answer(call)?;
    let Some(id) = call.find(1) else { return Ok(()) };
    let deadline = call.moment(options.until)?;
    let keyspace = &mut call.server.keyspace;
    match options.until {
        Some(Until::At(..)) if deadline.is_some_and(|at| at <= call.server.now) => {
            keyspace.remove(id);
        }
        Some(Until::At(..)) => keyspace.set_deadline(id, deadline),
        Some(Until::Never) if keyspace.deadline(id).is_some() => keyspace.set_deadline(id, None),
        _ => {}
    }
    Ok(())
}

fn strlen(call: &mut Call<'_, '_>) -> Done {
    let asked = call.asked(1);
    let held = text(call.server.keyspace.read(asked, call.server.now))?;
    call.reply.integer(held.unwrap_or_default().len() as i64);
    Ok(())
}
