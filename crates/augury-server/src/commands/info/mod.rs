//! INFO: what the server tells of itself, under the names that Redis's tools read.

mod commands;
mod memory;
mod sections;

use super::spec::Group;
use super::{Call, Command, Done, Flags};

pub use memory::human;

/// The command.
pub const COMMANDS: &[Command] = &[Command {
    name: "info",
    arity: -1,
    flags: Flags::LOADING.union(Flags::STALE),
    group: Group::Server,
    summary: "What the server tells of itself, all or by sections",
    differs: "one section more: augury; times in commandstats and latencystats are those of some of the \
              calls",
    run: info,
    ..Command::PLAIN
}];

/// Writes a section, its head excepted.
type Write = fn(&mut Call<'_, '_>, &mut String);

/// When a section is shown.
#[derive(PartialEq)]
enum Shown {
    /// Where none is asked for, too.
    Always,
    /// With `all` and `everything`.
    WithAll,
}

/// The sections: name to ask for, head, and what writes it.
const SECTIONS: &[(&str, &str, Shown, Write)] = &[
    ("server", "Server", Shown::Always, sections::server),
    ("clients", "Clients", Shown::Always, sections::clients),
    ("memory", "Memory", Shown::Always, memory::write),
    ("persistence", "Persistence", Shown::Always, sections::persistence),
    ("stats", "Stats", Shown::Always, sections::stats),
    ("replication", "Replication", Shown::Always, sections::replication),
    ("cpu", "CPU", Shown::Always, sections::processor),
    ("modules", "Modules", Shown::Always, |_, _| {}),
    ("commandstats", "Commandstats", Shown::WithAll, commands::statistics),
    ("errorstats", "Errorstats", Shown::Always, sections::errors),
    ("latencystats", "Latencystats", Shown::WithAll, commands::latencies),
    ("cluster", "Cluster", Shown::Always, sections::cluster),
    ("keyspace", "Keyspace", Shown::Always, sections::keyspace),
    ("augury", "Augury", Shown::Always, sections::augury),
];

fn info(call: &mut Call<'_, '_>) -> Done {
    let arguments = call.arguments;
    let asked = arguments.from(1);
    let asks = |name: &str| asked.iter().any(|it| it.eq_ignore_ascii_case(name.as_bytes()));
    let is_all = asks("all") || asks("everything");
    let is_default = asked.is_empty() || asks("default");
    let mut text = String::new();
    for (name, head, shown, write) in SECTIONS {
        if is_all || is_default && *shown == Shown::Always || asks(name) {
            if !text.is_empty() {
                text.push_str("\r\n");
            }
            text.push_str(&format!("# {head}\r\n"));
            write(call, &mut text);
        }
    }
    call.reply.verbatim(text.as_bytes());
    Ok(())
}

/// Writes a field.
fn field(text: &mut String, name: &str, value: impl std::fmt::Display) {
    text.push_str(&format!("{name}:{value}\r\n"));
}
