//! Commands on strings.

use super::spec::Group;
use super::{Call, Command, Done, Flags, Keys, Refusal};
use crate::object::{KEY_MAX, Object};

const READ: Command = Command {
    group: Group::String,
    keys: Keys::ONE,
    flags: Flags::READONLY.union(Flags::FAST),
    ..Command::PLAIN
};
const WRITE: Command =
    Command { flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST), ..READ };

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command { name: "get", arity: 2, summary: "A key's string", run: get, ..READ },
    Command { name: "set", arity: -3, summary: "Sets a key's string", run: set, ..WRITE },
];

fn get(call: &mut Call<'_, '_>) -> Done {
    let asked = call.server.keyspace.asked(call.client.db, &call.arguments[1]);
    match call.server.keyspace.read(asked, call.server.now) {
        None => call.reply.null(),
        Some(object) => call.reply.bulk(object.as_text().ok_or(Refusal::WRONG_TYPE)?),
    }
    Ok(())
}

fn set(call: &mut Call<'_, '_>) -> Done {
    let (key, value) = (&call.arguments[1], &call.arguments[2]);
    if key.len() > KEY_MAX {
        return Err(Refusal::KEY_TOO_LONG.into());
    }
    let (keyspace, db) = (&mut call.server.keyspace, call.client.db);
    let asked = keyspace.asked(db, key);
    keyspace.approach(asked.hash);
    let object = Object::text(db, key, value);
    let found = keyspace.find(asked, call.server.now);
    keyspace.put(asked.hash, object, None, found);
    call.reply.ok();
    Ok(())
}
