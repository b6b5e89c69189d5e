//! Transactions: commands that run together, if nothing that was watched has changed.
//!
//! A batch runs under the lock of the server, hence so does EXEC: nothing comes between its commands.

use super::spec::Group;
use super::{Call, Command, Done, Flags, Keys, Refusal, dispatch};
use crate::client::{Modes, Watched};
use crate::notices;

const PLAIN: Command = Command {
    group: Group::Transactions,
    flags: Flags::NOSCRIPT
        .union(Flags::LOADING)
        .union(Flags::STALE)
        .union(Flags::FAST)
        .union(Flags::IMMEDIATE),
    since: "1.2.0",
    ..Command::PLAIN
};

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "multi",
        summary: "Begins a transaction: commands are queued until EXEC",
        run: multi,
        ..PLAIN
    },
    Command {
        name: "exec",
        flags: Flags::NOSCRIPT
            .union(Flags::LOADING)
            .union(Flags::STALE)
            .union(Flags::SKIP_SLOWLOG)
            .union(Flags::IMMEDIATE),
        summary: "Runs the queued commands; null if a watched key has changed",
        run: exec,
        ..PLAIN
    },
    Command {
        name: "discard",
        since: "2.0.0",
        summary: "Drops the queued commands",
        run: discard,
        ..PLAIN
    },
    Command {
        name: "watch",
        arity: -2,
        keys: Keys::ALL,
        since: "2.2.0",
        summary: "Makes the next EXEC depend on keys staying as they are",
        run: watch,
        ..PLAIN
    },
    Command {
        name: "unwatch",
        flags: Flags::NOSCRIPT.union(Flags::LOADING).union(Flags::STALE).union(Flags::FAST),
        since: "2.2.0",
        summary: "Forgets what WATCH has named",
        run: unwatch,
        ..PLAIN
    },
];

fn multi(call: &mut Call<'_, '_>) -> Done {
    if call.client.transaction.is_some() {
        return Err(Refusal::new("ERR MULTI calls can not be nested").into());
    }
    call.client.transaction = Some(Default::default());
    call.reply.ok();
    Ok(())
}

fn exec(call: &mut Call<'_, '_>) -> Done {
    if call.client.transaction.is_none() {
        return Err(Refusal::new("ERR EXEC without MULTI").into());
    }
    // What has expired and was not yet noticed has changed too.
    for watched in &call.client.watched {
        let asked = call.server.keyspace.asked(watched.db, &watched.key);
        call.server.keyspace.find(asked, call.server.now);
    }
    if call.server.keyspace.has_changes() {
        notices::tell(call.server, Some(call.client));
    }
    let is_dirty = call.client.modes.contains(Modes::DIRTY);
    let transaction = call.client.transaction.take().unwrap_or_default();
    call.server.watchers.unwatch(call.client);
    call.server.settle_watch();
    if transaction.is_broken {
        let text = "EXECABORT Transaction discarded because of previous errors.";
        return Err(Refusal::new(text).into());
    }
    if is_dirty {
        call.reply.null_array();
        return Ok(());
    }
    call.reply.array(transaction.commands.len());
    call.client.modes.insert(Modes::EXECUTING);
    for queued in &transaction.commands {
        dispatch::perform(call, queued.arguments());
    }
    call.client.modes.remove(Modes::EXECUTING);
    Ok(())
}

fn discard(call: &mut Call<'_, '_>) -> Done {
    if call.client.transaction.take().is_none() {
        return Err(Refusal::new("ERR DISCARD without MULTI").into());
    }
    call.server.watchers.unwatch(call.client);
    call.server.settle_watch();
    call.reply.ok();
    Ok(())
}

fn watch(call: &mut Call<'_, '_>) -> Done {
    if call.client.transaction.is_some() {
        return Err(Refusal::new("ERR WATCH inside MULTI is not allowed").into());
    }
    let (db, now) = (call.client.db, call.server.now);
    let mut watched = Vec::new();
    for key in call.arguments.from(1).iter() {
        // What has expired leaves now: it is not a change after this.
        let asked = call.server.keyspace.asked(db, key);
        let is_there = call.server.keyspace.find(asked, now).is_some();
        watched.push((Watched { db, key: key.into() }, is_there));
    }
    if call.server.keyspace.has_changes() {
        notices::tell(call.server, Some(call.client));
    }
    for (watched, is_there) in watched {
        call.server.watchers.watch(call.client, watched, is_there);
    }
    call.server.settle_watch();
    call.reply.ok();
    Ok(())
}

fn unwatch(call: &mut Call<'_, '_>) -> Done {
    call.server.watchers.unwatch(call.client);
    call.server.settle_watch();
    call.reply.ok();
    Ok(())
}
