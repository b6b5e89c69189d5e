//! SLOWLOG: the latest slow commands.

use super::spec::Group;
use super::{Call, Command, Done, Flags, Refusal, help, number};

const PLAIN: Command = Command {
    group: Group::Server,
    flags: Flags::ADMIN.union(Flags::LOADING).union(Flags::STALE),
    since: "2.2.12",
    ..Command::PLAIN
};

/// Entries shown where no number is asked for.
const SHOWN: i64 = 10;

/// The container.
pub const COMMANDS: &[Command] = &[Command {
    name: "slowlog",
    arity: -2,
    flags: Flags::empty(),
    summary: "A container for commands about slow commands",
    differs: "commands of constant time are timed only if slowlog-log-slower-than is below 1000",
    subcommands: SUBCOMMANDS,
    ..PLAIN
}];

const SUBCOMMANDS: &[Command] = &[
    Command {
        name: "slowlog|get",
        arity: -2,
        summary: "The latest slow commands: 10, so many, or all (-1)",
        run: get,
        ..PLAIN
    },
    help::of("slowlog|help", Group::Server),
    Command {
        name: "slowlog|len",
        arity: 2,
        summary: "How many slow commands are kept",
        run: len,
        ..PLAIN
    },
    Command {
        name: "slowlog|reset",
        arity: 2,
        summary: "Forgets all slow commands",
        run: reset,
        ..PLAIN
    },
];

fn get(call: &mut Call<'_, '_>) -> Done {
    if call.arguments.len() > 3 {
        return Err(Refusal::subcommand(call.arguments).into());
    }
    let asked = call.arguments.get(2).map_or(Some(SHOWN), number::integer);
    let asked = asked.filter(|&asked| asked >= -1);
    let asked = asked.ok_or(Refusal::new("ERR count should be greater than or equal to -1"))?;
    let entries = call.server.slowlog.entries();
    let shown = usize::try_from(asked).unwrap_or(usize::MAX).min(entries.len());
    let reply = &mut *call.reply;
    reply.array(shown);
    for entry in entries.iter().take(shown) {
        reply.array(6);
        for number in [entry.id, entry.time, entry.micros] {
            reply.integer(number.cast_signed());
        }
        reply.array(entry.arguments.len());
        for argument in &entry.arguments {
            reply.bulk(argument);
        }
        reply.bulk(entry.address.as_bytes());
        reply.bulk(&entry.name);
    }
    Ok(())
}

fn len(call: &mut Call<'_, '_>) -> Done {
    call.reply.integer(call.server.slowlog.entries().len() as i64);
    Ok(())
}

fn reset(call: &mut Call<'_, '_>) -> Done {
    call.server.slowlog.clear();
    call.reply.ok();
    Ok(())
}
