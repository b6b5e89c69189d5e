//! What a command is, as data.

use bitflags::bitflags;

use super::{Call, Done, number};
use crate::resp::Arguments;

bitflags! {
    /// What kind of command it is: Redis's command flags.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Flags: u32 {
        /// Changes what is stored.
        const WRITE = 1 << 0;
        /// Reads what is stored.
        const READONLY = 1 << 1;
        /// May need memory.
        const DENYOOM = 1 << 2;
        /// For administrators.
        const ADMIN = 1 << 3;
        /// Publish and subscribe.
        const PUBSUB = 1 << 4;
        /// Not in scripts.
        const NOSCRIPT = 1 << 5;
        /// While data is being loaded too.
        const LOADING = 1 << 6;
        /// Not shown to MONITOR.
        const SKIP_MONITOR = 1 << 7;
        /// Constant or logarithmic time.
        const FAST = 1 << 8;
        /// Before authentication too.
        const NO_AUTH = 1 << 9;
        /// Not between MULTI and EXEC.
        const NO_MULTI = 1 << 10;
        /// Runs at once between MULTI and EXEC.
        const IMMEDIATE = 1 << 11;
        /// Also where a client has subscribed and speaks RESP2.
        const WHILE_SUBSCRIBED = 1 << 12;
        /// The keys are not at fixed places.
        const MOVABLE_KEYS = 1 << 13;
        /// On replicas with old data too.
        const STALE = 1 << 14;
        /// Not in the log of slow commands.
        const SKIP_SLOWLOG = 1 << 15;
    }
}

bitflags! {
    /// Categories that access control lists name.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Categories: u32 {
        #[allow(missing_docs)]
        const KEYSPACE = 1 << 0;
        #[allow(missing_docs)]
        const READ = 1 << 1;
        #[allow(missing_docs)]
        const WRITE = 1 << 2;
        #[allow(missing_docs)]
        const STRING = 1 << 3;
        #[allow(missing_docs)]
        const HASH = 1 << 4;
        #[allow(missing_docs)]
        const PUBSUB = 1 << 5;
        #[allow(missing_docs)]
        const ADMIN = 1 << 6;
        #[allow(missing_docs)]
        const FAST = 1 << 7;
        #[allow(missing_docs)]
        const SLOW = 1 << 8;
        #[allow(missing_docs)]
        const DANGEROUS = 1 << 9;
        #[allow(missing_docs)]
        const CONNECTION = 1 << 10;
        #[allow(missing_docs)]
        const TRANSACTION = 1 << 11;
        #[allow(missing_docs)]
        const BLOCKING = 1 << 12;
        #[allow(missing_docs)]
        const AUGURY = 1 << 13;
        #[allow(missing_docs)]
        const SCRIPTING = 1 << 14;
    }
}

/// Where a command's keys are among its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// It has none.
    None,
    /// From `first` to `last` (negative: from the end), every `step`.
    Range {
        /// Position of the first key.
        first: i16,
        /// Position of the last key.
        last: i16,
        /// From one key to the next.
        step: i16,
    },
    /// As many as an argument says, which is the one at `at`; they begin behind it, every `step`.
    Counted {
        /// Position of their number.
        at: usize,
        /// From one key to the next.
        step: usize,
    },
}

impl Keys {
    /// One key, the first argument.
    pub const ONE: Keys = Keys::Range { first: 1, last: 1, step: 1 };
    /// All arguments.
    pub const ALL: Keys = Keys::Range { first: 1, last: -1, step: 1 };
    /// Every other argument, from the first.
    pub const PAIRS: Keys = Keys::Range { first: 1, last: -1, step: 2 };

    /// Positions of the keys among these arguments.
    pub fn positions(self, given: Arguments<'_>) -> impl Iterator<Item = usize> + use<> {
        let arguments = given.len();
        let (first, last, step) = match self {
            Keys::None => (1, 0, 1),
            Keys::Counted { at, step } => {
                let count = given.get(at).and_then(number::integer).unwrap_or(0).max(0) as u64;
                let room = arguments.saturating_sub(at + 1).div_ceil(step) as u64;
                let last = at as u64 + (count.min(room) * step as u64);
                (at as i64 + 1, last as i64, step)
            }
            Keys::Range { first, last, step } => {
                let last = if last < 0 { arguments as i64 + i64::from(last) } else { last.into() };
                (i64::from(first), last.min(arguments as i64 - 1), step as usize)
            }
        };
        (first..=last).step_by(step).map(|at| at as usize)
    }
}

/// See the module's head.
#[derive(Debug)]
pub struct Command {
    /// In lower case.
    pub name: &'static str,
    /// Number of arguments, the name counted; negative: at least so many.
    pub arity: i16,
    /// Its flags.
    pub flags: Flags,
    /// Its categories, beside those that follow from the flags: see [`Command::categories`].
    pub group: Group,
    /// Where its keys are.
    pub keys: Keys,
    /// Version of Redis that had it first.
    pub since: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// How it differs from Redis's, if it does.
    pub differs: &'static str,
    /// Whether its keys are loaded from the upstream where they are missing.
    pub through: Through,
    /// Its subcommands; it is then a container and its function runs without one only.
    pub subcommands: &'static [Command],
    /// What it does.
    pub run: fn(&mut Call<'_, '_>) -> Done,
}

/// Whether a command's keys are loaded from the upstream where they are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Through {
    /// They are not.
    No,
    /// They are, and the command counts as a read of them.
    Reads,
    /// They are, and the command is no request.
    Looks,
}

/// Groups of commands, as the documentation has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Group {
    Generic,
    String,
    Hash,
    PubSub,
    Transactions,
    Connection,
    Server,
    Scripting,
    Augury,
}

impl Group {
    /// Its name as COMMAND DOCS has it.
    pub const fn name(self) -> &'static str {
        match self {
            Group::Generic => "generic",
            Group::String => "string",
            Group::Hash => "hash",
            Group::PubSub => "pubsub",
            Group::Transactions => "transactions",
            Group::Connection => "connection",
            Group::Server => "server",
            Group::Scripting => "scripting",
            Group::Augury => "augury",
        }
    }
}

impl Command {
    /// What most commands are: to be completed by name, arity, flags, summary and function.
    pub const PLAIN: Command = Command {
        name: "",
        arity: 1,
        flags: Flags::empty(),
        group: Group::Generic,
        keys: Keys::None,
        since: "1.0.0",
        summary: "",
        differs: "",
        through: Through::No,
        subcommands: &[],
        run: unreachable_command,
    };

    /// Its categories: those of its group and those that follow from its flags, as Redis derives
    /// them.
    pub fn categories(&self) -> Categories {
        let mut categories = match self.group {
            Group::Generic => Categories::KEYSPACE,
            Group::String => Categories::STRING,
            Group::Hash => Categories::HASH,
            Group::PubSub => Categories::PUBSUB,
            Group::Transactions => Categories::TRANSACTION,
            Group::Connection => Categories::CONNECTION,
            Group::Server => Categories::empty(),
            Group::Scripting => Categories::SCRIPTING,
            Group::Augury => Categories::AUGURY,
        };
        for (flag, category) in [
            (Flags::WRITE, Categories::WRITE),
            (Flags::READONLY, Categories::READ),
            (Flags::PUBSUB, Categories::PUBSUB),
            (Flags::ADMIN, Categories::ADMIN.union(Categories::DANGEROUS)),
        ] {
            if self.flags.contains(flag) {
                categories |= category;
            }
        }
        if DANGEROUS.contains(&self.name) {
            categories |= Categories::DANGEROUS;
        }
        let speed =
            if self.flags.contains(Flags::FAST) { Categories::FAST } else { Categories::SLOW };
        categories | speed
    }

    /// The name by which it is called: of a subcommand, what stands behind its container's.
    #[inline]
    pub fn own_name(&self) -> &'static [u8] {
        let name = self.name.as_bytes();
        match memchr::memchr(b'|', name) {
            Some(at) => &name[at + 1..],
            None => name,
        }
    }

    /// Whether so many arguments, the name counted, are right.
    #[inline]
    pub fn accepts(&self, arguments: usize) -> bool {
        if self.arity >= 0 {
            arguments == self.arity as usize
        } else {
            arguments >= usize::from(self.arity.unsigned_abs())
        }
    }
}

/// Commands that Redis calls dangerous though they are not for administrators only: they look at, or
/// remove, what is not the client's.
const DANGEROUS: &[&str] = &["keys", "flushdb", "flushall", "swapdb", "info", "sort", "restore"];

fn unreachable_command(call: &mut Call<'_, '_>) -> Done {
    unreachable!("{} has no function", call.command.name)
}
