//! OBJECT: what the server knows of a key beside its value.

use augury_core::history::History;

use super::keys::encoding_of;
use super::spec::Group;
use super::{Call, Command, Done, Flags, Keys, Refusal, help};

const PLAIN: Command = Command {
    arity: 3,
    group: Group::Generic,
    flags: Flags::READONLY,
    keys: Keys::Range { first: 2, last: 2, step: 1 },
    since: "2.2.3",
    ..Command::PLAIN
};

/// The container.
pub const COMMANDS: &[Command] = &[Command {
    name: "object",
    arity: -2,
    flags: Flags::empty(),
    keys: Keys::None,
    summary: "A container for questions about what is stored under a key",
    subcommands: SUBCOMMANDS,
    ..PLAIN
}];

const SUBCOMMANDS: &[Command] = &[
    Command {
        name: "object|encoding",
        summary: "How Redis would store the value",
        run: encoding,
        ..PLAIN
    },
    Command {
        name: "object|freq",
        since: "4.0.0",
        summary: "How often the key is used: a count that decays",
        differs: "the count itself, not its logarithm; refused under policies without histories",
        run: frequency,
        ..PLAIN
    },
    help::of("object|help", Group::Generic),
    Command {
        name: "object|idletime",
        summary: "Seconds since the key was last used",
        differs: "from the policy's history, within a fraction of the server's age; refused under \
                  policies without histories",
        run: idle_time,
        ..PLAIN
    },
    Command {
        name: "object|refcount",
        summary: "How many share the value: 1",
        run: references,
        ..PLAIN
    },
];

fn encoding(call: &mut Call<'_, '_>) -> Done {
    let now = call.server.now;
    let asked = call.server.keyspace.asked(call.client.db, &call.arguments[2]);
    let listed = call.server.settings.listed();
    let Some(object) = call.server.keyspace.peek(asked, now) else {
        call.reply.null();
        return Ok(());
    };
    let name = encoding_of(object, listed);
    call.reply.bulk(name.as_bytes());
    Ok(())
}

/// What the policy remembers of the key, and how many requests ago it was used; None where there is
/// no such key.
fn history(call: &mut Call<'_, '_>) -> Result<Option<(History, u64)>, Refusal> {
    let asked = call.server.keyspace.asked(call.client.db, &call.arguments[2]);
    if call.server.keyspace.find(asked, call.server.now).is_none() {
        return Ok(None);
    }
    let explanation = call.server.keyspace.explain(asked, call.server.now);
    let known = explanation.and_then(|it| it.standing.map(|standing| (it.now, standing.history)));
    let Some((now, history)) = known else {
        let policy = call.server.settings.policy.to_string();
        return Err(Refusal::of(format!(
            "ERR the policy '{policy}' keeps no histories of keys: the policy 'auto' does"
        )));
    };
    Ok(Some((history, u64::from(history.age(now as u32)))))
}

fn frequency(call: &mut Call<'_, '_>) -> Done {
    match history(call)? {
        None => call.reply.null(),
        Some((history, _)) => call.reply.integer(history.heat().round() as i64),
    }
    Ok(())
}

fn idle_time(call: &mut Call<'_, '_>) -> Done {
    match history(call)? {
        None => call.reply.null(),
        Some((_, age)) => {
            let (now, server) = (call.server.now, &*call.server);
            let tick = server.keyspace.ticks().saturating_sub(age + 1);
            let used = server.ticks.time_of(tick, now);
            call.reply.integer((now.saturating_sub(used) / 1_000).cast_signed());
        }
    }
    Ok(())
}

fn references(call: &mut Call<'_, '_>) -> Done {
    let asked = call.server.keyspace.asked(call.client.db, &call.arguments[2]);
    match call.server.keyspace.find(asked, call.server.now) {
        None => call.reply.null(),
        Some(_) => call.reply.integer(1),
    }
    Ok(())
}
