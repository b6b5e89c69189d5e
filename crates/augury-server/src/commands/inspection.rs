//! OBJECT: how a key's content is kept.

use super::keys::encoding_of;
use super::spec::Group;
use super::{Call, Command, Done, Flags, Keys};

const PLAIN: Command = Command { group: Group::Generic, since: "2.2.3", ..Command::PLAIN };
const LOOK: Command =
    Command { flags: Flags::READONLY, keys: Keys::Range { first: 2, last: 2, step: 1 }, ..PLAIN };

/// The commands of this family.
pub const COMMANDS: &[Command] = &[Command {
    name: "object",
    arity: -2,
    summary: "How a key's content is kept",
    subcommands: SUBCOMMANDS,
    ..PLAIN
}];

const SUBCOMMANDS: &[Command] = &[
    Command {
        name: "encoding",
        arity: 3,
        summary: "The name that Redis has for how such a content is kept",
        differs: "strings are one block, hashes a table: the name is what Redis would answer",
        run: encoding,
        ..LOOK
    },
    Command {
        name: "refcount",
        arity: 3,
        summary: "Number of references: always 1",
        differs: "numbers are not shared: 1 where Redis answers 2147483647",
        run: refcount,
        ..LOOK
    },
    Command {
        name: "help",
        arity: 2,
        since: "6.2.0",
        summary: "The subcommands",
        run: help,
        ..PLAIN
    },
];

fn encoding(call: &mut Call<'_, '_>) -> Done {
    let object = call.find(2).and_then(|id| call.server.keyspace.object(id));
    call.reply.bulk_or_null(object.map(|object| encoding_of(object).as_bytes()));
    Ok(())
}

fn refcount(call: &mut Call<'_, '_>) -> Done {
    match call.find(2) {
        Some(_) => call.reply.integer(1),
        None => call.reply.null(),
    }
    Ok(())
}

fn help(call: &mut Call<'_, '_>) -> Done {
    const LINES: [&str; 7] = [
        "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "ENCODING <key>",
        "    Return the kind of internal representation Redis would use for the value.",
        "REFCOUNT <key>",
        "    Return 1: values are not shared.",
        "HELP",
        "    Print this help.",
    ];
    call.reply.array(LINES.len());
    for line in LINES {
        call.reply.simple(line);
    }
    Ok(())
}
