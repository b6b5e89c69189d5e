//! CLIENT: who is connected, what they want, and what others do with them.

mod choices;
mod identity;
mod kill;
mod line;
mod tracking;

use super::spec::Group;
use super::{Command, Flags, help};

pub use identity::set_name;
pub use line::Kind;

const PLAIN: Command = Command {
    group: Group::Connection,
    flags: Flags::NOSCRIPT.union(Flags::LOADING).union(Flags::STALE),
    since: "2.4.0",
    ..Command::PLAIN
};
const ADMIN: Command = Command { flags: PLAIN.flags.union(Flags::ADMIN), ..PLAIN };

/// The container.
pub const COMMANDS: &[Command] = &[Command {
    name: "client",
    arity: -2,
    group: Group::Connection,
    since: "2.4.0",
    summary: "A container for commands about clients",
    subcommands: SUBCOMMANDS,
    ..Command::PLAIN
}];

const SUBCOMMANDS: &[Command] = &[
    Command {
        name: "client|caching",
        arity: 3,
        since: "6.0.0",
        summary: "Whether the keys of the next command are tracked (YES or NO)",
        run: tracking::caching,
        ..PLAIN
    },
    Command {
        name: "client|getname",
        arity: 2,
        since: "2.6.9",
        summary: "The name of the connection",
        run: identity::get_name,
        ..PLAIN
    },
    Command {
        name: "client|getredir",
        arity: 2,
        since: "6.0.0",
        summary: "The client that is told of changes in place of this one",
        run: tracking::redirect,
        ..PLAIN
    },
    help::of("client|help", Group::Connection),
    Command {
        name: "client|id",
        arity: 2,
        since: "5.0.0",
        summary: "The number of the connection",
        run: identity::id,
        ..PLAIN
    },
    Command {
        name: "client|info",
        arity: 2,
        since: "6.2.0",
        summary: "What is known of the connection",
        run: identity::info,
        ..PLAIN
    },
    Command {
        name: "client|kill",
        arity: -3,
        summary: "Closes connections, by address or by filters",
        run: kill::kill,
        ..ADMIN
    },
    Command {
        name: "client|list",
        arity: -2,
        summary: "What is known of all connections, or those of a TYPE or ID",
        run: identity::list,
        ..ADMIN
    },
    Command {
        name: "client|no-evict",
        arity: 3,
        since: "7.0.0",
        summary: "Keeps the connection from being closed for the memory it takes (ON or OFF)",
        run: choices::no_evict,
        ..ADMIN
    },
    Command {
        name: "client|no-touch",
        arity: 3,
        since: "7.2.0",
        summary: "Keeps reads of the connection from teaching the policy anything (ON or OFF)",
        differs: "such reads are not counted as hits or misses either",
        run: choices::no_touch,
        ..PLAIN
    },
    Command {
        name: "client|pause",
        arity: -3,
        since: "3.0.0",
        summary: "Holds commands back for some milliseconds, all or those that WRITE",
        differs: "CLIENT UNPAUSE is never held back; keys go on expiring",
        run: choices::pause,
        ..ADMIN
    },
    Command {
        name: "client|reply",
        arity: 3,
        since: "3.2.0",
        summary: "Whether commands are answered (ON, OFF or SKIP)",
        run: choices::reply,
        ..PLAIN
    },
    Command {
        name: "client|setinfo",
        arity: 4,
        since: "7.2.0",
        summary: "Tells name (LIB-NAME) or version (LIB-VER) of the client's library",
        run: identity::set_info,
        ..PLAIN
    },
    Command {
        name: "client|setname",
        arity: 3,
        since: "2.6.9",
        summary: "Names the connection",
        run: identity::set_name_command,
        ..PLAIN
    },
    Command {
        name: "client|tracking",
        arity: -3,
        since: "6.0.0",
        summary: "Whether and how the client is told of changes to what it has read (ON or OFF)",
        run: tracking::tracking,
        ..PLAIN
    },
    Command {
        name: "client|trackinginfo",
        arity: 2,
        since: "6.2.0",
        summary: "How the client is told of changes",
        run: tracking::info,
        ..PLAIN
    },
    Command {
        name: "client|unblock",
        arity: -3,
        since: "5.0.0",
        summary: "Wakes a client that waits in a command: there is no such command, hence 0",
        run: choices::unblock,
        ..ADMIN
    },
    Command {
        name: "client|unpause",
        arity: 2,
        since: "6.2.0",
        summary: "Ends a pause",
        run: choices::unpause,
        ..ADMIN
    },
];
