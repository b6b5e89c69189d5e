//! Commands on strings: set and get ([`values`]), many at once ([`several`]), parts ([`ranges`]),
//! counters ([`counters`]), bits ([`bits`], [`bitfield`]), and what two have in common ([`sequence`]).

pub mod bitfield;
pub mod bits;
pub mod counters;
pub mod options;
pub mod ranges;
pub mod sequence;
pub mod several;
pub mod values;

use super::spec::Group;
use super::{Command, Flags, Keys};

/// A command that reads the string of one key.
const READ: Command = Command {
    group: Group::String,
    keys: Keys::ONE,
    flags: Flags::READONLY.union(Flags::FAST),
    ..Command::PLAIN
};

/// A command that writes the string of one key.
const WRITE: Command =
    Command { flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST), ..READ };

/// As [`WRITE`], in time that depends on the string's length.
const WRITE_SLOWLY: Command = Command { flags: Flags::WRITE.union(Flags::DENYOOM), ..READ };

/// As [`READ`], in time that depends on the string's length.
const READ_SLOWLY: Command = Command { flags: Flags::READONLY, ..READ };
