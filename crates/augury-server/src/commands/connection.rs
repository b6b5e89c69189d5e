//! Commands about the connection itself.

use super::spec::Group;
use super::{Call, Command, Done, Flags, Refusal, number};
use crate::object::DATABASES;

const PLAIN: Command = Command { group: Group::Connection, ..Command::PLAIN };

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "ping",
        arity: -1,
        flags: Flags::FAST.union(Flags::WHILE_SUBSCRIBED),
        summary: "Answers PONG, or the message",
        run: ping,
        ..PLAIN
    },
    Command {
        name: "echo",
        arity: 2,
        flags: Flags::FAST,
        summary: "Answers the message",
        run: echo,
        ..PLAIN
    },
    Command {
        name: "select",
        arity: 2,
        flags: Flags::FAST.union(Flags::LOADING).union(Flags::STALE),
        summary: "Selects a database by its number",
        run: select,
        ..PLAIN
    },
    Command {
        name: "quit",
        arity: -1,
        flags: Flags::FAST
            .union(Flags::NO_AUTH)
            .union(Flags::IMMEDIATE)
            .union(Flags::WHILE_SUBSCRIBED),
        summary: "Closes the connection",
        run: quit,
        ..PLAIN
    },
];

fn ping(call: &mut Call<'_, '_>) -> Done {
    match call.arguments.len() {
        1 => call.reply.simple("PONG"),
        2 => call.reply.bulk(&call.arguments[1]),
        _ => return Err(Refusal::arity("ping").into()),
    }
    Ok(())
}

fn echo(call: &mut Call<'_, '_>) -> Done {
    call.reply.bulk(&call.arguments[1]);
    Ok(())
}

fn select(call: &mut Call<'_, '_>) -> Done {
    let number = number::whole(&call.arguments[1])?;
    let db = u8::try_from(number).ok().filter(|&db| db < DATABASES);
    call.client.db = db.ok_or(Refusal::new("ERR DB index is out of range"))?;
    call.reply.ok();
    Ok(())
}

fn quit(call: &mut Call<'_, '_>) -> Done {
    call.client.is_closing = true;
    call.reply.ok();
    Ok(())
}
