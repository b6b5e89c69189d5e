//! Commands where there is an upstream: the keys of those that read are loaded before they run, and those
//! that write revoke what is on its way.

use super::dispatch::execute;
use super::spec::Group;
use super::{Call, Command, Done, Flags, Refusal, Stop, Through};
use crate::acl::check::check;
use crate::client::Client;
use crate::resp::Arguments;
use crate::server::Server;
use crate::upstream::asking::{self, Reading, Verdict};
use crate::upstream::written;

/// Runs a command of a server that has an upstream.
#[cold]
pub fn execute_through(call: &mut Call<'_, '_>) -> Done {
    if call.command.through == Through::No {
        let done = execute(call);
        revoke(call);
        return done;
    }
    let Call { server, client, arguments, command, .. } = call;
    let arguments = *arguments;
    let keys = command.keys.positions(arguments).filter_map(|at| arguments.get(at));
    let keys: smallvec::SmallVec<[&[u8]; 8]> = keys.collect();
    match asking::ask(server, client, keys.iter().copied(), reading(command)) {
        Verdict::Run => {}
        Verdict::RunQuietly => server.keyspace.set_quiet(true),
        Verdict::Wait => return Err(Stop::Waiting),
        Verdict::Fail(text) => return Err(Refusal::of(format!("UPSTREAM {text}")).into()),
    }
    let done = execute(call);
    call.server.keyspace.set_quiet(false);
    asking::done(call.server);
    // GETEX without an option is a read.
    if call.arguments.len() > 2 {
        revoke(call);
    }
    done
}

/// After a command: where it may have written, what is on its way to its keys is not stored.
pub fn revoke(call: &mut Call<'_, '_>) {
    if call.command.flags.contains(Flags::WRITE) {
        let arguments = call.arguments;
        let positions = call.command.keys.positions(arguments);
        written(call.server, positions.filter_map(|at| arguments.get(at)));
    }
}

/// A command waits for a load: the loads of those that follow it on its connection begin too, as far
/// as they read one key each. `commands` are those that follow, in order.
pub fn foresee<'a>(
    server: &mut Server,
    client: &mut Client,
    commands: impl Iterator<Item = Arguments<'a>>,
) {
    for arguments in commands {
        let Ok(command) = super::dispatch::find(arguments) else { return };
        let is_permitted = client.is_free || check(&client.user, command, arguments).is_ok();
        if !command.flags.contains(Flags::READONLY) || !is_permitted {
            return;
        }
        let mut positions = command.keys.positions(arguments);
        if let (Some(at), None) = (positions.next(), positions.next())
            && command.through != Through::No
            && command.accepts(arguments.len())
            && let Some(key) = arguments.get(at)
        {
            asking::foresee(server, client, key, reading(command));
        }
    }
}

fn reading(command: &Command) -> Reading {
    Reading {
        counts: command.through == Through::Reads,
        prefers_hash: command.group == Group::Hash,
    }
}
