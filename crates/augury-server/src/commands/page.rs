//! The page of the documentation on commands, made of the tables.
//!
//! `cargo run -p augury-server --example commands` prints it.

use super::spec::Group;
use super::{Command, table, unsupported};

/// The groups, in the order of the page.
const GROUPS: [(Group, &str); 9] = [
    (Group::Augury, "Our own"),
    (Group::String, "Strings"),
    (Group::Hash, "Hashes"),
    (Group::Generic, "Keys"),
    (Group::Transactions, "Transactions"),
    (Group::PubSub, "Publish and subscribe"),
    (Group::Connection, "Connections"),
    (Group::Server, "Server"),
    (Group::Scripting, "Scripts and functions"),
];

const HEAD: &str = "# Commands of the server

This page is printed from the tables that the server runs by, with

    cargo run -p augury-server --example commands > docs/commands.md

All of these commands are there since augury 0.1.0. *Arguments* counts them with the command's name,
`+` for at least so many; *Redis* is the version of Redis (or Valkey) that had the command first. What
is not said to differ answers as Redis 7.0 and Valkey 9.1 do, which `tests/server` compares; error
texts and the shapes of answers in RESP2 and RESP3 too. Transactions are one batch under one lock.
";

/// The page.
pub fn page() -> String {
    let mut out = HEAD.to_owned();
    for (group, title) in GROUPS {
        out += &format!("\n## {title}\n\n");
        out += "| command | arguments | Redis | what it does | how it differs |\n|---|---|---|---|---|\n";
        for command in table::all().filter(|command| command.group == group) {
            // A container runs by its subcommands.
            let is_container = !command.subcommands.is_empty();
            if !is_container || !command.differs.is_empty() {
                out += &row(command);
            }
            command.subcommands.iter().for_each(|sub| out += &row(sub));
        }
    }
    out += "\n## What is refused, and why\n\n";
    out += "A command of this table answers `ERR NAME is not supported: ` and the reason; one that is \\
            neither\nhere nor above, that it is unknown.\n\n| commands | why |\n|---|---|\n";
    for (names, why) in unsupported::families() {
        let names: Vec<String> = names.iter().map(|it| format!("`{}`", shown(it))).collect();
        out += &format!("| {} | {why} |\n", names.join(" "));
    }
    out
}

fn shown(name: &str) -> String {
    name.to_ascii_uppercase().replace('|', " ")
}

fn row(command: &Command) -> String {
    let least = command.arity.unsigned_abs();
    let more = if command.arity < 0 { "+" } else { "" };
    let since = if command.group == Group::Augury { "" } else { command.since };
    let (summary, differs) = (command.summary, command.differs);
    let summary = summary.replace('|', r"\|");
    let differs = differs.trim_end_matches('.').replace('|', r"\|");
    format!("| `{}` | {least}{more} | {since} | {summary} | {differs} |\n", shown(command.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_is_of_these_tables() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/commands.md");
        let written = std::fs::read_to_string(path).unwrap_or_default();
        let way = "cargo run -p augury-server --example commands > docs/commands.md";
        assert!(page() == written, "docs/commands.md is of other tables: {way}");
    }

    #[test]
    fn every_command_is_on_the_page_once() {
        let page = page();
        for command in table::all().filter(|command| command.subcommands.is_empty()) {
            let cell = format!("| `{}` |", shown(command.name));
            assert_eq!(1, page.matches(&cell).count(), "{}", command.name);
            assert!(!command.summary.is_empty(), "{}", command.name);
        }
    }
}
