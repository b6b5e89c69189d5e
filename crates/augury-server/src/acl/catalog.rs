//! The commands as access control names them: numbered, with their full names and categories.
//!
//! A subcommand is named `container|subcommand`. Made once, of the tables of the commands.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use crate::commands::{Categories, Command, table};

/// Categories by name, in Redis's order. Some have no command here; rules may name them all the same.
pub const CATEGORIES: &[(&str, Categories)] = &[
    ("keyspace", Categories::KEYSPACE),
    ("read", Categories::READ),
    ("write", Categories::WRITE),
    ("set", Categories::empty()),
    ("sortedset", Categories::empty()),
    ("list", Categories::empty()),
    ("hash", Categories::HASH),
    ("string", Categories::STRING),
    ("bitmap", Categories::empty()),
    ("hyperloglog", Categories::empty()),
    ("geo", Categories::empty()),
    ("stream", Categories::empty()),
    ("pubsub", Categories::PUBSUB),
    ("admin", Categories::ADMIN),
    ("fast", Categories::FAST),
    ("slow", Categories::SLOW),
    ("blocking", Categories::BLOCKING),
    ("dangerous", Categories::DANGEROUS),
    ("connection", Categories::CONNECTION),
    ("transaction", Categories::TRANSACTION),
    ("scripting", Categories::SCRIPTING),
    ("augury", Categories::AUGURY),
];

/// Number of a command or subcommand.
pub type Number = usize;

/// A command or subcommand.
pub struct Entry {
    /// What it is.
    pub command: &'static Command,
    /// Its name, behind that of its container if it is a subcommand.
    pub full: String,
    /// Whether it is a subcommand.
    pub is_sub: bool,
    /// How many entries behind this one are its subcommands.
    pub subs: usize,
}

/// See the module's head.
pub struct Catalog {
    entries: Vec<Entry>,
    by_name: FxHashMap<String, Number>,
    by_address: FxHashMap<usize, Number>,
}

/// The catalog of this program's commands.
pub fn catalog() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| {
        let mut entries = Vec::new();
        // As found, for it is found commands whose addresses are asked for.
        for command in table::all().filter_map(|it| table::find(it.name.as_bytes())) {
            let subs = command.subcommands.len();
            entries.push(Entry { command, full: command.name.to_owned(), is_sub: false, subs });
            for sub in command.subcommands {
                let full = format!("{}|{}", command.name, short(sub.name));
                entries.push(Entry { command: sub, full, is_sub: true, subs: 0 });
            }
        }
        let numbered = || entries.iter().enumerate();
        let by_name = numbered().map(|(number, entry)| (entry.full.clone(), number)).collect();
        let by_address =
            numbered().map(|(number, entry)| (address(entry.command), number)).collect();
        Catalog { entries, by_name, by_address }
    })
}

fn address(command: &'static Command) -> usize {
    std::ptr::from_ref(command).addr()
}

/// A subcommand's name without its container's.
fn short(name: &str) -> &str {
    name.rsplit('|').next().unwrap_or(name)
}

impl Catalog {
    /// Everything, a container before its subcommands.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The number of the command of this full name, in any case.
    pub fn named(&self, full: &str) -> Option<Number> {
        self.by_name.get(&full.to_ascii_lowercase()).copied()
    }

    /// The number of a command of the tables.
    pub fn number(&self, command: &'static Command) -> Option<Number> {
        self.by_address.get(&address(command)).copied()
    }

    /// A command's full name.
    pub fn full(&self, command: &'static Command) -> &str {
        self.number(command).map_or(command.name, |number| &self.entries[number].full)
    }
}

/// The category of this name, in any case.
pub fn category(name: &str) -> Option<Categories> {
    let found = CATEGORIES.iter().find(|(it, _)| it.eq_ignore_ascii_case(name));
    found.map(|&(_, category)| category)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_and_subcommand_has_its_number() {
        let catalog = catalog();
        for (number, entry) in catalog.entries().iter().enumerate() {
            assert_eq!(Some(number), catalog.named(&entry.full.to_uppercase()), "{}", entry.full);
            assert_eq!(Some(number), catalog.number(entry.command), "{}", entry.full);
        }
        assert!(catalog.named("acl|setuser").is_some() && catalog.named("setuser").is_none());
    }
}
