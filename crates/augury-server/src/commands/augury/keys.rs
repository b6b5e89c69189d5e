//! AUGURY.HOTKEYS and AUGURY.BIGKEYS, which show a user only what it may read.

use augury_core::slots::SlotId;

use super::{Call, Done, Refusal};
use crate::acl::catalog::catalog;
use crate::commands::keys::type_of;
use crate::commands::number;
use crate::keyspace::popular::Popular;
use crate::object::Object;

/// Keys shown where no number is given, and at most.
const COUNT: i64 = 10;
const COUNT_MAX: i64 = 256;

/// How many keys are asked for.
fn wanted(call: &Call<'_, '_>) -> Result<usize, Refusal> {
    let count = match call.arguments.len() {
        1 => COUNT,
        3 if call.arguments[1].eq_ignore_ascii_case(b"count") => number::whole(&call.arguments[2])?,
        _ => return Err(Refusal::SYNTAX),
    };
    if !(1..=COUNT_MAX).contains(&count) {
        return Err(Refusal::of(format!("ERR COUNT {count} is not from 1 to {COUNT_MAX}")));
    }
    Ok(count as usize)
}

/// Whether the client's user may read this key by this command.
fn may_read(call: &Call<'_, '_>, key: &[u8]) -> bool {
    let number = catalog().number(call.command);
    call.client.is_free || number.is_some_and(|number| call.client.user.may_see(number, key))
}

/// The object in a place, where the user may see it and it has not expired.
fn shown<'a>(call: &'a Call<'_, '_>, id: SlotId) -> Option<&'a Object> {
    let keyspace = &call.server.keyspace;
    let is_fresh = keyspace.deadline(id).is_none_or(|at| at > call.server.now);
    keyspace.object(id).filter(|object| is_fresh && may_read(call, object.key()))
}

pub(super) fn hot(call: &mut Call<'_, '_>) -> Done {
    let wanted = wanted(call)?;
    let keyspace = &call.server.keyspace;
    let found: Vec<(SlotId, Popular)> = keyspace
        .popular(call.server.now)
        .flat_map(|popular| keyspace.candidates(popular.hash).map(move |id| (id, popular)))
        .filter(|&(id, _)| shown(call, id).is_some())
        .take(wanted)
        .collect();
    call.reply.array(found.len());
    for (id, popular) in found {
        let keyspace = &call.server.keyspace;
        let Some(object) = keyspace.object(id) else { continue };
        let reply = &mut *call.reply;
        reply.map(4);
        reply.name("key");
        reply.bulk(object.key());
        reply.count("db", Some(keyspace.db_of(object).into()));
        reply.number("share", Some(popular.share));
        reply.number("per_second", Some(popular.per_second));
    }
    Ok(())
}

pub(super) fn big(call: &mut Call<'_, '_>) -> Done {
    let wanted = wanted(call)?;
    let mut found = call.server.keyspace.largest();
    found.retain(|&id| shown(call, id).is_some());
    found.truncate(wanted);
    call.reply.array(found.len());
    for id in found {
        let keyspace = &call.server.keyspace;
        let Some(object) = keyspace.object(id) else { continue };
        let reply = &mut *call.reply;
        reply.map(5);
        reply.name("key");
        reply.bulk(object.key());
        reply.count("db", Some(keyspace.db_of(object).into()));
        reply.text("type", Some(type_of(object)));
        reply.count("bytes", keyspace.entry_bytes(id));
        reply.count("fields", object.as_hash().map(|fields| fields.len() as u64));
    }
    Ok(())
}
