//! Fields read or written together with when they expire: HGETDEL, HGETEX, HSETEX.

use augury_core::clock::Millis;
use augury_core::slots::SlotId;

use super::expiry::moment;
use super::{CHANGE, Hash, WRITE};
use crate::commands::lookup::fields;
use crate::commands::moment::Unit;
use crate::commands::{Call, Command, Done, Refusal};

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "hgetdel",
        arity: -5,
        since: "8.0.0",
        summary: "Fields of a hash, which are removed",
        run: hgetdel,
        ..CHANGE
    },
    Command {
        name: "hgetex",
        arity: -5,
        since: "8.0.0",
        summary: "Fields of a hash, which then expire at another time",
        run: hgetex,
        ..CHANGE
    },
    Command {
        name: "hsetex",
        arity: -6,
        since: "8.0.0",
        summary: "Sets fields of a hash with the time at which they expire",
        run: hsetex,
        ..WRITE
    },
];

const COUNT: &str = "ERR Number of fields must be a positive integer";

/// What becomes of the deadlines of fields.
#[derive(Clone, Copy, PartialEq)]
enum Until {
    At(Millis),
    Kept,
    Never,
}

fn hgetdel(call: &mut Call<'_, '_>) -> Done {
    let found = call.find_hash(1)?;
    let first = call.field_list(2, 1, COUNT)?;
    exchange(call, found, first, |hash, field| drop(hash.remove(field)));
    Ok(())
}

fn hgetex(call: &mut Call<'_, '_>) -> Done {
    let now = call.server.now;
    let found = call.find_hash(1)?;
    let option = call.argument(2);
    let (until, at) = if let Some(unit) = Unit::of(option) {
        (Until::At(moment(call.argument(3), unit, now, call.command.name)?), 4)
    } else if option.eq_ignore_ascii_case(b"PERSIST") {
        (Until::Never, 3)
    } else {
        (Until::Kept, 2)
    };
    if call.arguments.len() < at + 3 {
        return Err(Refusal::arity(call.command.name).into());
    }
    let first = call.field_list(at, 1, COUNT)?;
    match until {
        Until::Kept => {
            let asked = call.asked(1);
            let hash = fields(call.server.keyspace.read(asked, now))?;
            let names = call.arguments.from(first);
            call.reply.array(names.len());
            for field in names.iter() {
                call.reply.bulk_or_null(hash.and_then(|hash| hash.get(field, now)));
            }
        }
        Until::At(at) if at <= now => {
            exchange(call, found, first, |hash, field| drop(hash.remove(field)));
        }
        Until::At(at) => exchange(call, found, first, |hash, field| {
            hash.set_deadline(field, Some(at));
        }),
        Until::Never => exchange(call, found, first, |hash, field| {
            hash.set_deadline(field, None);
        }),
    }
    Ok(())
}

/// Answers the fields that the arguments from a position on name, and does something to each.
fn exchange(
    call: &mut Call<'_, '_>,
    found: Option<SlotId>,
    first: usize,
    act: impl Fn(&mut Hash, &[u8]),
) {
    let (names, now) = (call.arguments.from(first), call.server.now);
    let place = call.with_any(found, names);
    let reply = &mut *call.reply;
    reply.array(names.len());
    let Some(id) = place else {
        names.iter().for_each(|_| reply.null());
        return;
    };
    call.server.keyspace.revise_hash(id, |hash| {
        for field in names.iter() {
            let value = hash.get(field, now);
            reply.bulk_or_null(value);
            if value.is_some() {
                act(hash, field);
            }
        }
    });
}

/// What HSETEX was asked for.
struct Setting {
    /// Whether all fields have to be there already (true), or none (false).
    wants: Option<bool>,
    until: Until,
    /// Where fields and values begin.
    first: usize,
}

fn parse(call: &Call<'_, '_>) -> Result<Setting, Refusal> {
    let (mut wants, mut until) = (None, None);
    let mut at = 2;
    loop {
        let Some(option) = call.arguments.get(at) else {
            return Err(Refusal::new("ERR missing FIELDS argument"));
        };
        let is = |name: &str| option.eq_ignore_ascii_case(name.as_bytes());
        if is("FIELDS") {
            let first = call.field_list(at, 2, COUNT)?;
            return Ok(Setting { wants, until: until.unwrap_or(Until::Never), first });
        }
        if is("FNX") || is("FXX") {
            if wants.is_some() {
                return Err(Refusal::new("ERR Only one of FXX or FNX arguments can be specified"));
            }
            wants = Some(is("FXX"));
        } else if Unit::of(option).is_some() || is("KEEPTTL") {
            if until.is_some() {
                return Err(Refusal::new(
                    "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified",
                ));
            }
            until = Some(match Unit::of(option) {
                None => Until::Kept,
                Some(unit) => {
                    at += 1;
                    let text = call.arguments.get(at).ok_or(Refusal::SYNTAX)?;
                    Until::At(moment(text, unit, call.server.now, call.command.name)?)
                }
            });
        } else {
            return Err(Refusal::of([b"ERR unknown argument: ", option].concat()));
        }
        at += 1;
    }
}

fn hsetex(call: &mut Call<'_, '_>) -> Done {
    let Setting { wants, until, first } = parse(call)?;
    let (found, now) = (call.find_hash(1)?, call.server.now);
    let arguments = call.arguments;
    let pairs = (first..arguments.len()).step_by(2);
    let mut pairs = pairs.filter_map(|at| arguments.get(at).zip(arguments.get(at + 1)));
    if let Some(wanted) = wants {
        let hash = call.hash_in(found);
        let is_there = |field| hash.is_some_and(|hash| has(hash, field, now));
        if !pairs.clone().all(|(field, _)| is_there(field) == wanted) {
            call.reply.integer(0);
            return Ok(());
        }
    }
    call.write_hash(found, |hash| {
        pairs.by_ref().for_each(|(field, value)| match until {
            Until::At(at) if at <= now => drop(hash.remove(field)),
            Until::At(at) => drop(hash.set_until(field, value, Some(at))),
            Until::Kept => drop(hash.set_value(field, value, now)),
            Until::Never => drop(hash.set(field, value)),
        });
    })?;
    call.reply.integer(1);
    Ok(())
}

/// Whether a hash has a field at this moment.
fn has(hash: &Hash, field: &[u8], now: Millis) -> bool {
    hash.get(field, now).is_some()
}
