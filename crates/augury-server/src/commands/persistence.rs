//! SAVE, BGSAVE, LASTSAVE, SHUTDOWN.

use super::spec::Group;
use super::{Call, Command, Done, Flags, Refusal, Stop};
use crate::server::Ending;

const ADMIN: Command =
    Command { group: Group::Server, flags: Flags::ADMIN.union(Flags::NOSCRIPT), ..Command::PLAIN };

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "save",
        arity: 1,
        flags: ADMIN.flags.union(Flags::NO_MULTI),
        summary: "Writes a snapshot and waits for it",
        differs: "Other clients are served meanwhile. The file is augury's own.",
        run: save,
        ..ADMIN
    },
    Command {
        name: "bgsave",
        arity: -1,
        summary: "Writes a snapshot while clients are served",
        differs: "No process is forked: entries are copied in short steps, and those that change \
                  meanwhile are in the file as they were or as they are. The file is augury's own.",
        run: bgsave,
        ..ADMIN
    },
    Command {
        name: "lastsave",
        arity: 1,
        flags: Flags::ADMIN.union(Flags::FAST).union(Flags::LOADING).union(Flags::STALE),
        summary: "When the latest snapshot was written, in Unix time",
        run: lastsave,
        ..ADMIN
    },
    Command {
        name: "shutdown",
        arity: -1,
        flags: ADMIN.flags.union(Flags::LOADING).union(Flags::STALE).union(Flags::NO_MULTI),
        summary: "Ends the server, with a snapshot or without",
        differs: "A snapshot that cannot be written is logged and told by the exit status; the \
                  server ends all the same.",
        run: shutdown,
        ..ADMIN
    },
];

const BUSY: Refusal = Refusal::new("ERR Background save already in progress");

fn save(call: &mut Call<'_, '_>) -> Done {
    let (id, place) = (call.client.id, call.client.place);
    let snapshots = &mut call.server.snapshots;
    match snapshots.outcome(id) {
        Some(Some(true)) => call.reply.ok(),
        Some(Some(false)) => {
            return Err(Refusal::new("ERR the snapshot could not be written: see the log").into());
        }
        Some(None) => return Err(Stop::Waiting),
        None if snapshots.is_busy() => return Err(BUSY.into()),
        None => {
            snapshots.wait(id, place);
            snapshots.ask();
            return Err(Stop::Waiting);
        }
    }
    Ok(())
}

fn bgsave(call: &mut Call<'_, '_>) -> Done {
    let is_scheduled = match call.arguments.len() {
        1 => false,
        2 if call.arguments[1].eq_ignore_ascii_case(b"schedule") => true,
        _ => return Err(Refusal::SYNTAX.into()),
    };
    let is_busy = call.server.snapshots.is_busy();
    if is_busy && !is_scheduled {
        return Err(BUSY.into());
    }
    call.server.snapshots.ask();
    call.reply.simple(if is_busy {
        "Background saving scheduled"
    } else {
        "Background saving started"
    });
    Ok(())
}

fn lastsave(call: &mut Call<'_, '_>) -> Done {
    call.reply.integer((call.server.snapshots.latest / 1000) as i64);
    Ok(())
}

fn shutdown(call: &mut Call<'_, '_>) -> Done {
    let (mut saves, mut is_abort, mut is_other) = (None, false, false);
    for argument in call.arguments.from(1).iter() {
        match argument.to_ascii_lowercase().as_slice() {
            b"nosave" if saves != Some(true) => saves = Some(false),
            b"save" if saves != Some(false) => saves = Some(true),
            // Nothing is waited for, and a failure ends the server too.
            b"now" | b"force" => is_other = true,
            b"abort" => is_abort = true,
            _ => return Err(Refusal::SYNTAX.into()),
        }
    }
    if is_abort {
        let is_alone = saves.is_none() && !is_other;
        let refusal = Refusal::new("ERR No shutdown in progress.");
        return Err(if is_alone { refusal } else { Refusal::SYNTAX }.into());
    }
    call.server.end(Ending { saves });
    // There is no answer: the connection ends with the server.
    Err(Stop::Waiting)
}
