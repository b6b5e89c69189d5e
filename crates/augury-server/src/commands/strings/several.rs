//! Many keys at once.

use super::options::{Until, When, parse};
use super::{READ, WRITE_SLOWLY};
use crate::commands::lookup::storable;
use crate::commands::{Call, Command, Done, Flags, Keys, Refusal, Through, number};
use crate::object::{Marks, Object};

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "mget",
        arity: -2,
        keys: Keys::ALL,
        summary: "The strings of keys",
        through: Through::Reads,
        run: mget,
        ..READ
    },
    Command {
        name: "mset",
        arity: -3,
        since: "1.0.1",
        keys: Keys::PAIRS,
        summary: "Sets the strings of keys",
        run: mset,
        ..WRITE_SLOWLY
    },
    Command {
        name: "msetnx",
        arity: -3,
        since: "1.0.1",
        keys: Keys::PAIRS,
        summary: "Sets the strings of keys where none of them is there",
        run: msetnx,
        ..WRITE_SLOWLY
    },
    Command {
        name: "msetex",
        arity: -4,
        since: "8.4.0",
        flags: WRITE_SLOWLY.flags.union(Flags::MOVABLE_KEYS),
        keys: Keys::Counted { at: 1, step: 2 },
        summary: "Sets the strings of so many keys: when, and until when",
        run: msetex,
        ..WRITE_SLOWLY
    },
];

fn mget(call: &mut Call<'_, '_>) -> Done {
    let count = call.arguments.len();
    call.reply.array(count - 1);
    for at in 1..count {
        let asked = call.asked(at);
        let object = call.server.keyspace.read(asked, call.server.now);
        call.reply.bulk_or_null(object.and_then(Object::as_text));
    }
    Ok(())
}

/// Positions of the keys.
fn pairs(call: &Call<'_, '_>) -> Result<std::iter::StepBy<std::ops::Range<usize>>, Refusal> {
    let count = call.arguments.len();
    if count.is_multiple_of(2) {
        return Err(Refusal::arity(call.command.name));
    }
    let positions = (1..count).step_by(2);
    positions.clone().try_for_each(|at| storable(call.argument(at)))?;
    Ok(positions)
}

fn set_all(call: &mut Call<'_, '_>) -> Done {
    for at in pairs(call)? {
        let asked = call.asked(at);
        let found = call.server.keyspace.find(asked, call.server.now);
        call.write_text(asked, &[call.argument(at + 1)], Marks::empty(), None, found)?;
    }
    Ok(())
}

fn mset(call: &mut Call<'_, '_>) -> Done {
    set_all(call)?;
    call.reply.ok();
    Ok(())
}

fn msetnx(call: &mut Call<'_, '_>) -> Done {
    let is_free = pairs(call)?.all(|at| call.find(at).is_none());
    if is_free {
        set_all(call)?;
    }
    call.reply.integer(is_free.into());
    Ok(())
}

fn msetex(call: &mut Call<'_, '_>) -> Done {
    let count = number::integer(call.argument(1)).and_then(|it| usize::try_from(it).ok());
    let most = i32::MAX as usize;
    let count = count.filter(|it| (1..=most).contains(it));
    let count = count.ok_or(Refusal::new("ERR invalid numkeys value or out of range"))?;
    let end = 2 + count * 2;
    if end > call.arguments.len() {
        return Err(Refusal::SYNTAX.into());
    }
    let options = parse(call.arguments, end, true)?;
    let is_plain = matches!(options.when, None | Some(When::Absent | When::Present));
    if options.gets || !is_plain {
        return Err(Refusal::SYNTAX.into());
    }
    let moment = call.moment(options.until)?;
    let positions = || (2..end).step_by(2);
    positions().try_for_each(|at| storable(call.argument(at)))?;
    let may_set = match options.when {
        Some(When::Absent) => positions().all(|at| call.find(at).is_none()),
        Some(When::Present) => positions().all(|at| call.find(at).is_some()),
        _ => true,
    };
    if may_set {
        for at in positions() {
            let (asked, found) = (call.asked(at), call.find(at));
            let deadline = match options.until {
                Some(Until::Kept) => found.and_then(|id| call.server.keyspace.deadline(id)),
                _ => moment,
            };
            call.write_text(asked, &[call.argument(at + 1)], Marks::empty(), deadline, found)?;
        }
    }
    call.reply.integer(may_set.into());
    Ok(())
}
