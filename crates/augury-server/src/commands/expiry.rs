//! When keys expire.

use augury_core::clock::Millis;

use super::moment::{Condition, Unit};
use super::spec::Group;
use super::{Call, Command, Done, Flags, Keys, Refusal, number};

const SET: Command = Command {
    arity: -3,
    group: Group::Generic,
    keys: Keys::ONE,
    flags: Flags::WRITE.union(Flags::FAST),
    ..Command::PLAIN
};
const GET: Command = Command {
    arity: 2,
    flags: Flags::READONLY.union(Flags::FAST),
    differs: "a look is no request: it is not in keyspace_hits and keyspace_misses",
    ..SET
};

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "expire",
        summary: "Has a key expire in so many seconds",
        run: |call| set(call, Unit::SECONDS),
        ..SET
    },
    Command {
        name: "pexpire",
        since: "2.6.0",
        summary: "Has a key expire in so many milliseconds",
        run: |call| set(call, Unit::MILLIS),
        ..SET
    },
    Command {
        name: "expireat",
        since: "1.2.0",
        summary: "Has a key expire at a second of Unix time",
        run: |call| set(call, Unit::UNIX_SECONDS),
        ..SET
    },
    Command {
        name: "pexpireat",
        since: "2.6.0",
        summary: "Has a key expire at a millisecond of Unix time",
        run: |call| set(call, Unit::UNIX_MILLIS),
        ..SET
    },
    Command {
        name: "ttl",
        summary: "Seconds until a key expires; -1 if it does not, -2 if there is none",
        run: |call| get(call, Unit::SECONDS),
        ..GET
    },
    Command {
        name: "pttl",
        since: "2.6.0",
        summary: "Milliseconds until a key expires; -1 if it does not, -2 if there is none",
        run: |call| get(call, Unit::MILLIS),
        ..GET
    },
    Command {
        name: "expiretime",
        since: "7.0.0",
        summary: "Second of Unix time at which a key expires",
        run: |call| get(call, Unit::UNIX_SECONDS),
        ..GET
    },
    Command {
        name: "pexpiretime",
        since: "7.0.0",
        summary: "Millisecond of Unix time at which a key expires",
        run: |call| get(call, Unit::UNIX_MILLIS),
        ..GET
    },
    Command {
        name: "persist",
        arity: 2,
        since: "2.2.0",
        summary: "Has a key expire no longer",
        run: persist,
        ..SET
    },
];

fn set(call: &mut Call<'_, '_>, unit: Unit) -> Done {
    let condition = Condition::of_all(call.arguments.from(3).iter())?;
    let time = number::whole(call.argument(2))?;
    let now = call.server.now;
    let moment = unit.moment(time, now).ok_or_else(|| Refusal::expire(call.command.name))?;
    let Some(id) = call.find(1) else {
        call.reply.integer(0);
        return Ok(());
    };
    let keyspace = &mut call.server.keyspace;
    let before = keyspace.deadline(id);
    let is_allowed = condition.is_none_or(|condition| condition.allows(before, moment));
    if is_allowed {
        match Millis::try_from(moment).ok().filter(|&at| at > now) {
            Some(at) => keyspace.set_deadline(id, Some(at)),
            None => keyspace.remove(id),
        }
    }
    call.reply.integer(is_allowed.into());
    Ok(())
}

fn get(call: &mut Call<'_, '_>, unit: Unit) -> Done {
    let found = call.find(1);
    let deadline = found.and_then(|id| call.server.keyspace.deadline(id));
    call.reply.integer(match (found, deadline) {
        (None, _) => -2,
        (_, None) => -1,
        (_, Some(at)) => unit.told(at, call.server.now, false),
    });
    Ok(())
}

fn persist(call: &mut Call<'_, '_>) -> Done {
    let found = call.find(1);
    let keyspace = &mut call.server.keyspace;
    let volatile = found.filter(|&id| keyspace.deadline(id).is_some());
    if let Some(id) = volatile {
        keyspace.set_deadline(id, None);
    }
    call.reply.integer(volatile.is_some().into());
    Ok(())
}
