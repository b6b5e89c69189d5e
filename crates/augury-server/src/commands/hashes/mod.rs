//! Commands on hashes: fields ([`fields`]), numbers in them ([`counters`]), some of them
//! ([`choice`]), when they expire ([`expiry`]), and reading or writing with that ([`exchange`]).

pub mod choice;
pub mod counters;
pub mod exchange;
pub mod expiry;
pub mod fields;

use augury_core::slots::SlotId;

use super::lookup::storable;
use super::spec::Group;
use super::{Call, Command, Flags, Keys, Refusal, number};
use crate::object::Object;
use crate::object::hash::Hash;
use crate::resp::Arguments;

/// A command that reads some fields of a key.
const READ: Command = Command {
    group: Group::Hash,
    since: "2.0.0",
    keys: Keys::ONE,
    flags: Flags::READONLY.union(Flags::FAST),
    ..Command::PLAIN
};

/// A command that reads as many fields as there are.
const READ_ALL: Command = Command { flags: Flags::READONLY, ..READ };

/// A command that writes some fields of a key.
const WRITE: Command =
    Command { flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST), ..READ };

/// A command that removes fields, or changes when they expire.
const CHANGE: Command = Command { flags: Flags::WRITE.union(Flags::FAST), ..READ };

impl Call<'_, '_> {
    /// Changes the hash in a place, or makes one under the first key where there is none.
    fn write_hash<T>(
        &mut self,
        found: Option<SlotId>,
        act: impl FnOnce(&mut Hash) -> T,
    ) -> Result<Option<T>, Refusal> {
        if let Some(id) = found {
            return Ok(self.server.keyspace.revise_hash(id, act));
        }
        let asked = self.asked(1);
        storable(asked.key)?;
        let mut fields = Hash::default();
        let answer = act(&mut fields);
        if !fields.is_empty() {
            let object = Object::hash(asked.db, asked.key, fields);
            self.server.keyspace.put(asked.hash, object, None, None);
        }
        Ok(Some(answer))
    }

    /// The hash in a place.
    fn hash_in(&self, id: Option<SlotId>) -> Option<&Hash> {
        self.server.keyspace.object(id?).and_then(Object::as_hash)
    }

    /// The place, if the hash in it has any of these fields.
    fn with_any(&self, found: Option<SlotId>, names: Arguments<'_>) -> Option<SlotId> {
        let (hash, now) = (self.hash_in(found)?, self.server.now);
        found.filter(|_| names.iter().any(|field| hash.get(field, now).is_some()))
    }

    /// Where the fields begin that `FIELDS count field...` names, from a position on: as many as
    /// there are arguments. `each`: arguments for each of them. `refusal`: for a wrong number.
    fn field_list(&self, at: usize, each: usize, refusal: &'static str) -> Result<usize, Refusal> {
        if !self.argument(at).eq_ignore_ascii_case(b"FIELDS") {
            return Err(Refusal::new(
                "ERR Mandatory argument FIELDS is missing or not at the right position",
            ));
        }
        let count = number::integer(self.argument(at + 1)).filter(|&count| count > 0);
        let count = count.ok_or(Refusal::new(refusal))?;
        let given = self.arguments.len().saturating_sub(at + 2);
        if !given.is_multiple_of(each) || usize::try_from(count).ok() != Some(given / each) {
            // Those that come with values are pairs, and a half of one is an argument too few.
            return Err(if each == 1 {
                Refusal::new("ERR The `numfields` parameter must match the number of arguments")
            } else {
                Refusal::arity(self.command.name)
            });
        }
        Ok(at + 2)
    }
}
