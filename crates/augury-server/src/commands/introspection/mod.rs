//! COMMAND: what commands there are, told from their tables.

mod describe;
mod keys;

use super::spec::Group;
use super::{Call, Command, Done, Flags, Refusal, help, table};
use crate::glob;

const PLAIN: Command = Command {
    group: Group::Server,
    flags: Flags::LOADING.union(Flags::STALE),
    since: "2.8.13",
    ..Command::PLAIN
};

/// The container, which lists all commands where no subcommand is named.
pub const COMMANDS: &[Command] = &[Command {
    name: "command",
    arity: -1,
    summary: "What is known of all commands",
    subcommands: SUBCOMMANDS,
    run: describe::all,
    ..PLAIN
}];

const SUBCOMMANDS: &[Command] = &[
    Command {
        name: "command|count",
        arity: 2,
        summary: "How many commands there are",
        run: count,
        ..PLAIN
    },
    Command {
        name: "command|docs",
        arity: -2,
        since: "7.0.0",
        summary: "What commands do, all or those named",
        run: describe::docs,
        ..PLAIN
    },
    Command {
        name: "command|getkeys",
        arity: -3,
        summary: "The keys among the arguments of a command",
        run: keys::keys,
        ..PLAIN
    },
    Command {
        name: "command|getkeysandflags",
        arity: -3,
        since: "7.0.0",
        summary: "The keys among the arguments of a command, and what is done with them",
        run: keys::keys_and_flags,
        ..PLAIN
    },
    help::of("command|help", Group::Server),
    Command {
        name: "command|info",
        arity: -2,
        summary: "Arity, flags, keys and categories of commands, all or those named",
        run: describe::info,
        ..PLAIN
    },
    Command {
        name: "command|list",
        arity: -2,
        since: "7.0.0",
        summary: "Names of commands, all or by FILTERBY ACLCAT, PATTERN or MODULE",
        run: list,
        ..PLAIN
    },
];

/// A command or subcommand by its full name.
fn named(name: &[u8]) -> Option<&'static Command> {
    let Some(bar) = memchr::memchr(b'|', name) else { return table::find(name) };
    let container = table::find(&name[..bar])?;
    container.subcommands.iter().find(|it| it.own_name().eq_ignore_ascii_case(&name[bar + 1..]))
}

fn count(call: &mut Call<'_, '_>) -> Done {
    call.reply.integer(table::all().count() as i64);
    Ok(())
}

fn list(call: &mut Call<'_, '_>) -> Done {
    let arguments = call.arguments;
    let is_filter = |at: usize, word: &[u8]| {
        arguments.get(at).is_some_and(|argument| argument.eq_ignore_ascii_case(word))
    };
    let all = table::all().flat_map(|it| std::iter::once(it).chain(it.subcommands));
    let found: Vec<&'static Command> = match arguments.len() {
        2 => all.collect(),
        5 if is_filter(2, b"filterby") => {
            let value = &arguments[4];
            match arguments[3].to_ascii_lowercase().as_slice() {
                // There are no modules, hence none has commands.
                b"module" => Vec::new(),
                b"aclcat" => {
                    let category = describe::category(value);
                    let is_in =
                        |it: &&Command| category.is_some_and(|one| it.categories().contains(one));
                    all.filter(is_in).collect()
                }
                b"pattern" => {
                    let pattern = value.to_ascii_lowercase();
                    all.filter(|it| glob::matches(&pattern, it.name.as_bytes())).collect()
                }
                _ => return Err(Refusal::SYNTAX.into()),
            }
        }
        _ => return Err(Refusal::SYNTAX.into()),
    };
    call.reply.array(found.len());
    for command in found {
        call.reply.bulk(command.name.as_bytes());
    }
    Ok(())
}
