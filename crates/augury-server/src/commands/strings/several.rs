//! Many keys at once.

use super::{READ, WRITE_SLOWLY};
use crate::commands::lookup::storable;
use crate::commands::{Call, Command, Done, Keys, Refusal, Through};
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
