//! Strings that are numbers.

use super::WRITE;
use crate::commands::extended::Extended;
use crate::commands::{Call, Command, Done, Refusal, number};
use crate::object::Marks;

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command { name: "incr", arity: 2, summary: "Adds one to a number", run: incr, ..WRITE },
    Command { name: "decr", arity: 2, summary: "Takes one from a number", run: decr, ..WRITE },
    Command { name: "incrby", arity: 3, summary: "Adds to a number", run: incrby, ..WRITE },
    Command { name: "decrby", arity: 3, summary: "Takes from a number", run: decrby, ..WRITE },
    Command {
        name: "incrbyfloat",
        arity: 3,
        since: "2.6.0",
        summary: "Adds to a floating point number",
        differs: "OBJECT ENCODING of a whole result is int, not embstr; numbers are not read as \
            hexadecimal",
        run: incrbyfloat,
        ..WRITE
    },
];

fn incr(call: &mut Call<'_, '_>) -> Done {
    add(call, 1)
}

fn decr(call: &mut Call<'_, '_>) -> Done {
    add(call, -1)
}

fn incrby(call: &mut Call<'_, '_>) -> Done {
    add(call, number::whole(call.argument(2))?)
}

fn decrby(call: &mut Call<'_, '_>) -> Done {
    let less = number::whole(call.argument(2))?;
    add(call, less.checked_neg().ok_or(Refusal::new("ERR decrement would overflow"))?)
}

fn add(call: &mut Call<'_, '_>, more: i64) -> Done {
    let asked = call.asked(1);
    let found = call.find_text(asked)?;
    let before = if found.is_some() { number::whole(call.text_in(found))? } else { 0 };
    let number = before.checked_add(more).ok_or(Refusal::OVERFLOW)?;
    let mut digits = itoa::Buffer::new();
    let deadline = found.and_then(|id| call.server.keyspace.deadline(id));
    let value = digits.format(number).as_bytes();
    call.write_text(asked, &[value], Marks::empty(), deadline, found)?;
    call.reply.integer(number);
    Ok(())
}

fn incrbyfloat(call: &mut Call<'_, '_>) -> Done {
    let asked = call.asked(1);
    let found = call.find_text(asked)?;
    let before = match found {
        Some(_) => Extended::parse(call.text_in(found)),
        None => Extended::parse(b"0"),
    };
    let before = before.ok_or(Refusal::NOT_FLOAT)?;
    let more = Extended::parse(call.argument(2)).ok_or(Refusal::NOT_FLOAT)?;
    let sum = before + more;
    if !sum.is_finite() {
        return Err(Refusal::NOT_FINITE.into());
    }
    let text = sum.human();
    let deadline = found.and_then(|id| call.server.keyspace.deadline(id));
    call.write_text(asked, &[text.as_bytes()], Marks::empty(), deadline, found)?;
    call.reply.bulk(text.as_bytes());
    Ok(())
}
