//! When fields of a hash expire.

use augury_core::clock::Millis;

use super::{CHANGE, Hash, READ};
use crate::commands::moment::{Condition, Unit};
use crate::commands::{Call, Command, Done, Refusal, number};

const SET: Command = Command { arity: -6, since: "7.4.0", ..CHANGE };
const GET: Command = Command {
    arity: -5,
    since: "7.4.0",
    differs: "a look is no request: it is not in keyspace_hits and keyspace_misses",
    ..READ
};

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "hexpire",
        summary: "Has fields of a hash expire in so many seconds",
        run: |call| set(call, Unit::SECONDS),
        ..SET
    },
    Command {
        name: "hpexpire",
        summary: "Has fields of a hash expire in so many milliseconds",
        run: |call| set(call, Unit::MILLIS),
        ..SET
    },
    Command {
        name: "hexpireat",
        summary: "Has fields of a hash expire at a second of Unix time",
        run: |call| set(call, Unit::UNIX_SECONDS),
        ..SET
    },
    Command {
        name: "hpexpireat",
        summary: "Has fields of a hash expire at a millisecond of Unix time",
        run: |call| set(call, Unit::UNIX_MILLIS),
        ..SET
    },
    Command {
        name: "httl",
        summary: "Seconds until fields expire; -1 if they do not, -2 if there are none",
        run: |call| get(call, Unit::SECONDS),
        ..GET
    },
    Command {
        name: "hpttl",
        summary: "Milliseconds until fields expire; -1 if they do not, -2 if there are none",
        run: |call| get(call, Unit::MILLIS),
        ..GET
    },
    Command {
        name: "hexpiretime",
        summary: "Second of Unix time at which fields expire",
        run: |call| get(call, Unit::UNIX_SECONDS),
        ..GET
    },
    Command {
        name: "hpexpiretime",
        summary: "Millisecond of Unix time at which fields expire",
        run: |call| get(call, Unit::UNIX_MILLIS),
        ..GET
    },
    Command {
        name: "hpersist",
        arity: -5,
        since: "7.4.0",
        summary: "Has fields of a hash expire no longer",
        run: hpersist,
        ..CHANGE
    },
];

/// Latest moment at which a field may expire: Redis's, 46 bits.
const LATEST: i64 = (1 << 46) - 1;
const COUNT: &str = "ERR Number of fields must be a positive integer";

/// There is no such field.
const NO_FIELD: i64 = -2;
/// The field does not expire.
const STAYS: i64 = -1;
/// The condition does not hold.
const NOT_DONE: i64 = 0;
/// It is done.
const DONE: i64 = 1;
/// The moment has passed: the field is removed.
const REMOVED: i64 = 2;

/// The moment that a text says, in milliseconds of Unix time.
pub(super) fn moment(
    text: &[u8],
    unit: Unit,
    now: Millis,
    command: &str,
) -> Result<Millis, Refusal> {
    let time = number::whole(text)?;
    if time < 0 {
        return Err(Refusal::new("ERR invalid expire time, must be >= 0"));
    }
    let moment = unit.moment(time, now).filter(|&at| at <= LATEST);
    moment.and_then(|at| Millis::try_from(at).ok()).ok_or_else(|| Refusal::expire(command))
}

fn set(call: &mut Call<'_, '_>, unit: Unit) -> Done {
    let (found, now) = (call.find_hash(1)?, call.server.now);
    let until = moment(call.argument(2), unit, now, call.command.name)?;
    let condition = Condition::of(call.argument(3));
    let at = if condition.is_some() { 4 } else { 3 };
    let first = call.field_list(at, 1, "ERR Parameter `numFields` should be greater than 0")?;
    let names = call.arguments.from(first);
    let act = |hash: &mut Hash, field: &[u8]| {
        let Some(before) = hash.deadline(field, now) else { return NO_FIELD };
        if condition.is_some_and(|it| !it.allows(before, until as i64)) {
            NOT_DONE
        } else if until <= now {
            hash.remove(field);
            REMOVED
        } else {
            hash.set_deadline(field, Some(until));
            DONE
        }
    };
    let answers = found.and_then(|id| {
        call.server
            .keyspace
            .revise_hash(id, |hash| names.iter().map(|field| act(hash, field)).collect::<Vec<_>>())
    });
    answer(call, answers, names.len());
    Ok(())
}

/// Answers a number for each field; where there is no hash, that there is no such field.
fn answer(call: &mut Call<'_, '_>, answers: Option<Vec<i64>>, count: usize) {
    call.reply.array(count);
    for answer in answers.unwrap_or_else(|| vec![NO_FIELD; count]) {
        call.reply.integer(answer);
    }
}

fn get(call: &mut Call<'_, '_>, unit: Unit) -> Done {
    let (found, now) = (call.find_hash(1)?, call.server.now);
    let first = call.field_list(2, 1, COUNT)?;
    let names = call.arguments.from(first);
    let told = |hash: &Hash, field| match hash.deadline(field, now) {
        None => NO_FIELD,
        Some(None) => STAYS,
        Some(Some(at)) => unit.told(at, now, true),
    };
    let hash = call.hash_in(found);
    let answers = hash.map(|hash| names.iter().map(|field| told(hash, field)).collect());
    answer(call, answers, names.len());
    Ok(())
}

fn hpersist(call: &mut Call<'_, '_>) -> Done {
    let (found, now) = (call.find_hash(1)?, call.server.now);
    let first = call.field_list(2, 1, COUNT)?;
    let names = call.arguments.from(first);
    let act = |hash: &mut Hash, field: &[u8]| match hash.deadline(field, now) {
        None => NO_FIELD,
        Some(None) => STAYS,
        Some(Some(_)) => {
            hash.set_deadline(field, None);
            DONE
        }
    };
    let answers = found.and_then(|id| {
        call.server
            .keyspace
            .revise_hash(id, |hash| names.iter().map(|field| act(hash, field)).collect::<Vec<_>>())
    });
    answer(call, answers, names.len());
    Ok(())
}
