//! The HELP of containers, made of the tables.

use super::spec::Group;
use super::{Call, Command, Done, Flags, table};

/// The HELP of a container: `name` is both, with a bar between.
pub const fn of(name: &'static str, group: Group) -> Command {
    Command {
        name,
        arity: 2,
        flags: Flags::LOADING.union(Flags::STALE),
        group,
        since: "5.0.0",
        summary: "Shows this help",
        run: help,
        ..Command::PLAIN
    }
}

fn help(call: &mut Call<'_, '_>) -> Done {
    let container = table::find(&call.arguments[0]);
    let subcommands = container.map_or(&[][..], |it| it.subcommands);
    let name = container.map_or("", |it| it.name).to_ascii_uppercase();
    call.reply.array(1 + subcommands.len() * 2);
    let head = format!("{name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
    call.reply.simple(&head);
    for command in subcommands {
        let own = String::from_utf8_lossy(command.own_name()).to_ascii_uppercase();
        call.reply.simple(&own);
        call.reply.simple(&format!("    {}.", command.summary));
    }
    Ok(())
}
