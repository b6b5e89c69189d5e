//! Fields that are numbers.

use augury_core::slots::SlotId;

use super::WRITE;
use crate::commands::extended::Extended;
use crate::commands::{Call, Command, Done, Refusal, number};

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "hincrby",
        arity: 4,
        summary: "Adds to a number in a field",
        run: hincrby,
        ..WRITE
    },
    Command {
        name: "hincrbyfloat",
        arity: 4,
        since: "2.6.0",
        summary: "Adds to a floating point number in a field",
        differs: "numbers are not read as hexadecimal",
        run: hincrbyfloat,
        ..WRITE
    },
];

/// The value of the field that the second argument names.
fn held<'a>(call: &'a Call<'_, '_>, found: Option<SlotId>) -> Option<&'a [u8]> {
    call.hash_in(found)?.get(call.argument(2), call.server.now)
}

/// Writes the field, which expires when it did before.
fn write(call: &mut Call<'_, '_>, found: Option<SlotId>, value: &[u8]) -> Done {
    let (field, now) = (call.argument(2), call.server.now);
    call.write_hash(found, |hash| hash.set_value(field, value, now))?;
    Ok(())
}

fn hincrby(call: &mut Call<'_, '_>) -> Done {
    let more = number::whole(call.argument(3))?;
    let found = call.find_hash(1)?;
    let before = match held(call, found) {
        None => 0,
        Some(text) => {
            number::integer(text).ok_or(Refusal::new("ERR hash value is not an integer"))?
        }
    };
    let sum = before.checked_add(more).ok_or(Refusal::OVERFLOW)?;
    let mut digits = itoa::Buffer::new();
    write(call, found, digits.format(sum).as_bytes())?;
    call.reply.integer(sum);
    Ok(())
}

fn hincrbyfloat(call: &mut Call<'_, '_>) -> Done {
    let more = Extended::parse(call.argument(3)).ok_or(Refusal::NOT_FLOAT)?;
    if !more.is_finite() {
        return Err(Refusal::new("ERR value is NaN or Infinity").into());
    }
    let found = call.find_hash(1)?;
    let before = Extended::parse(held(call, found).unwrap_or(b"0"));
    let sum = before.ok_or(Refusal::new("ERR hash value is not a float"))? + more;
    if !sum.is_finite() {
        return Err(Refusal::NOT_FINITE.into());
    }
    let text = sum.human();
    write(call, found, text.as_bytes())?;
    call.reply.bulk(text.as_bytes());
    Ok(())
}
