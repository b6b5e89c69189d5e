//! Our own commands, in Redis's style: what the cache has learned, decided and expects.
//!
//! Answers are maps, which clients of the older protocol get as flat arrays. Whatever is not known
//! (yet) is null; nothing here is a request to the policy.

mod answer;
mod curve;
mod explain;
mod forecast;
mod keys;
mod model;
mod shadows;

use super::spec::Group;
use super::{Call, Command, Done, Flags, Keys, Refusal};

const PLAIN: Command = Command { group: Group::Augury, since: "0.1.0", ..Command::PLAIN };
const ABOUT_KEY: Command = Command { arity: 2, keys: Keys::ONE, flags: Flags::READONLY, ..PLAIN };

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "augury.explain",
        summary: "Why a key is, or is not, in the cache: its history, its place, what was decided",
        run: explain::explain,
        ..ABOUT_KEY
    },
    Command {
        name: "augury.forecast",
        summary: "When a key is expected to be asked for: chances within horizons, the wait",
        run: forecast::forecast,
        ..ABOUT_KEY
    },
    Command {
        name: "augury.curve",
        arity: 1,
        flags: Flags::LOADING.union(Flags::STALE),
        summary: "The miss ratio curve: what other capacities would give",
        run: curve::curve,
        ..PLAIN
    },
    Command {
        name: "augury.shadows",
        arity: 1,
        flags: Flags::LOADING.union(Flags::STALE),
        summary: "What the policy's experts, and other policies, would have hit",
        run: shadows::shadows,
        ..PLAIN
    },
    Command {
        name: "augury.hotkeys",
        arity: -1,
        flags: Flags::READONLY,
        summary: "The keys that are asked for most, of those that the user may read",
        run: keys::hot,
        ..PLAIN
    },
    Command {
        name: "augury.bigkeys",
        arity: -1,
        flags: Flags::READONLY,
        summary: "The keys that take most memory, of those that the user may read",
        run: keys::big,
        ..PLAIN
    },
    Command {
        name: "augury.model",
        arity: -2,
        summary: "A container for commands about trained models",
        subcommands: model::SUBCOMMANDS,
        ..PLAIN
    },
    Command {
        name: "augury.help",
        arity: 1,
        flags: Flags::LOADING.union(Flags::STALE),
        summary: "Shows this help",
        run: help,
        ..PLAIN
    },
];

/// What is said where the policy remembers nothing.
fn without_histories(call: &Call<'_, '_>) -> Refusal {
    let policy = call.server.settings.policy;
    Refusal::of(format!(
        "ERR the policy '{policy}' keeps no histories of keys: start the server with --policy auto"
    ))
}

fn help(call: &mut Call<'_, '_>) -> Done {
    let commands = COMMANDS.iter().flat_map(|command| {
        let is_container = !command.subcommands.is_empty();
        let itself = (!is_container).then_some(command);
        itself.into_iter().chain(command.subcommands)
    });
    let lines: Vec<String> = commands
        .flat_map(|command| {
            let name = command.name.to_ascii_uppercase().replace('|', " ");
            let arguments = match command.name {
                "augury.explain" | "augury.forecast" => " <key>",
                "augury.hotkeys" | "augury.bigkeys" => " [COUNT <count>]",
                "augury.model|load" => " <path>",
                "augury.model|use" => " <name> | NONE",
                _ => "",
            };
            [format!("{name}{arguments}"), format!("    {}.", command.summary)]
        })
        .collect();
    call.reply.array(1 + lines.len());
    call.reply.simple("AUGURY.<command> [<arg> ...]. Commands are:");
    lines.iter().for_each(|line| call.reply.simple(line));
    Ok(())
}
