//! From arguments to an answer: which command it is, whether it may run, and running it.

use std::time::Instant;

use super::{
    Call, Command, Done, Flags, Refusal, Stop, guard, monitor, secrets, table, through, unsupported,
};
use crate::acl::catalog::{Number, catalog};
use crate::client::{Answers, Client, Modes};
use crate::config::Notified;
use crate::events;
use crate::notices;
use crate::resp::{Arguments, Protocol, Reply};
use crate::server::Server;
use crate::tallies::Tallies;

/// What has become of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is answered.
    Answered,
    /// It waits: nothing is written, and it runs anew when its client is woken.
    Waiting,
}

/// Runs a command of a client and writes its answer, and behind it what the command has brought its
/// own client from elsewhere.
#[inline]
pub fn run(
    server: &mut Server,
    client: &mut Client,
    arguments: Arguments<'_>,
    out: &mut Vec<u8>,
) -> Outcome {
    let start = out.len();
    let protocol = client.protocol;
    let mut reply = Reply::new(out, protocol).within(server.settings.output_most());
    let done = match find(arguments) {
        Ok(command) => enter(Call { server, client, arguments, reply: &mut reply, command }),
        Err(stop) => {
            break_transaction(client);
            Err(stop)
        }
    };
    if server.keyspace.has_changes() {
        notices::tell(server, Some(client));
    }
    match done {
        Ok(()) => {}
        Err(Stop::Waiting) => {
            out.truncate(start);
            return Outcome::Waiting;
        }
        Err(Stop::Refused(refusal)) => {
            out.truncate(start);
            server.counters.errors += 1;
            server.errors.count(refusal.text());
            Reply::new(out, protocol).error(refusal.text());
        }
    }
    server.counters.commands += 1;
    if client.answers != Answers::On {
        silence(client, arguments, out, start);
    }
    if !client.outbox.is_empty() {
        out.append(&mut client.outbox);
    }
    Outcome::Answered
}

/// Runs a command that has waited for EXEC and writes its answer, which may be an error.
pub fn perform(call: &mut Call<'_, '_>, arguments: Arguments<'_>) {
    let start = call.reply.buffer().len();
    let done = find(arguments).and_then(|command| {
        let Call { server, client, reply, .. } = call;
        // What was permitted when it was queued may not be any more.
        if !client.is_free {
            guard::permit(server, client, command, arguments)?;
        }
        let mut call = Call { server, client, arguments, reply, command };
        let done = execute(&mut call);
        if call.server.upstream.is_some() {
            through::revoke(&mut call);
        }
        done
    });
    call.server.counters.commands += 1;
    match done {
        Ok(()) => {}
        // Between MULTI and EXEC nothing can be waited for: it is as if it had not come.
        Err(Stop::Waiting) => {
            call.reply.buffer().truncate(start);
            call.reply.null();
        }
        Err(Stop::Refused(refusal)) => {
            call.reply.buffer().truncate(start);
            call.server.counters.errors += 1;
            call.server.errors.count(refusal.text());
            call.reply.error(refusal.text());
        }
    }
}

/// The command that the arguments name.
#[inline]
pub fn find(arguments: Arguments<'_>) -> Result<&'static Command, Stop> {
    let name = &arguments[0];
    let Some(command) = table::find(name) else {
        let unknown = || Refusal::unknown(name, arguments.from(1).iter());
        return Err(unsupported::refusal(name).unwrap_or_else(unknown).into());
    };
    if command.subcommands.is_empty() || arguments.len() < 2 {
        return Ok(command);
    }
    let sub = &arguments[1];
    let found = command.subcommands.iter().find(|it| it.own_name().eq_ignore_ascii_case(sub));
    found.ok_or_else(|| {
        let full = [command.name.as_bytes(), b"|", sub].concat();
        let unknown = || Refusal::unknown_subcommand(command.name, sub);
        unsupported::refusal(&full).unwrap_or_else(unknown).into()
    })
}

/// From a command that is known to one that runs, is queued, waits or is refused.
#[inline]
fn enter(mut call: Call<'_, '_>) -> Done {
    let Call { server, client, command, arguments, .. } = &mut call;
    client.latest = command.name;
    if let Err(stop) = admit(server, client, command, *arguments) {
        server.tallies.reject(command);
        break_transaction(client);
        client.parked = None;
        return Err(stop);
    }
    if call.server.pause.is_some() && holds_back(&mut call) {
        return Err(Stop::Waiting);
    }
    if call.client.transaction.is_some() && !call.command.flags.contains(Flags::IMMEDIATE) {
        call.client.queue(call.arguments);
        call.reply.simple("QUEUED");
        return Ok(());
    }
    if call.server.upstream.is_some() {
        return through::execute_through(&mut call);
    }
    execute(&mut call)
}

/// Whether a command may run.
#[inline]
fn admit(
    server: &mut Server,
    client: &Client,
    command: &'static Command,
    arguments: Arguments<'_>,
) -> Done {
    if !command.accepts(arguments.len()) {
        return Err(Refusal::arity(catalog().full(command)).into());
    }
    if !client.is_free {
        guard::permit(server, client, command, arguments)?;
    }
    if client.modes.contains(Modes::SUBSCRIBED)
        && client.protocol == Protocol::Resp2
        && !command.flags.contains(Flags::WHILE_SUBSCRIBED)
    {
        return Err(Refusal::while_subscribed(command.name).into());
    }
    if client.transaction.is_some() && command.flags.contains(Flags::NO_MULTI) {
        return Err(Refusal::new("ERR Command not allowed inside a transaction").into());
    }
    Ok(())
}

/// A command that was refused between MULTI and EXEC makes EXEC refuse.
fn break_transaction(client: &mut Client) {
    if let Some(transaction) = &mut client.transaction {
        transaction.is_broken = true;
    }
}

/// Whether a command has to wait for the end of a pause; then its client will be woken.
#[cold]
fn holds_back(call: &mut Call<'_, '_>) -> bool {
    let Some(pause) = &mut call.server.pause else { return false };
    let writes = |command: &Command| {
        command.flags.contains(Flags::WRITE) || matches!(command.name, "publish" | "spublish")
    };
    let is_held = if pause.is_for_writes {
        let mut queued = call.client.transaction.iter().flat_map(|it| &it.commands);
        writes(call.command)
            || call.command.name == "exec"
                && queued.any(|queued| find(queued.arguments()).is_ok_and(writes))
    } else {
        call.command.name != "client|unpause"
    };
    if is_held {
        pause.hold(call.client.place);
    }
    is_held
}

/// Runs a command, whoever looks on.
#[inline]
pub(super) fn execute(call: &mut Call<'_, '_>) -> Done {
    let server = &mut *call.server;
    let number = Tallies::number(call.command);
    let is_timed = server.tallies.begin(number)
        | server.slowlog.times(call.command.flags.contains(Flags::FAST));
    let is_seen = !server.monitors.is_empty() || server.settings.notified.is_on();
    let done = if call.client.modes.is_empty() && !is_timed && !is_seen {
        (call.command.run)(call)
    } else {
        execute_observed(call, is_timed, number)
    };
    if done != Err(Stop::Waiting) {
        call.server.tallies.end(number, done.is_err());
    }
    done
}

fn execute_observed(call: &mut Call<'_, '_>, is_timed: bool, number: Number) -> Done {
    // Before it runs: RESET ends what it was.
    let modes = call.client.modes;
    let db = call.client.db;
    let begin = is_timed.then(Instant::now);
    if modes.contains(Modes::NO_TOUCH) {
        call.server.keyspace.set_quiet(call.command.name != "touch");
    }
    let notified = call.server.settings.notified;
    if notified.is_on() && notified.contains(Notified::MISS) {
        let read = (call.command, call.arguments);
        events::publish_misses(call.server, Some(call.client), db, read);
    }
    let done = (call.command.run)(call);
    if modes.contains(Modes::NO_TOUCH) {
        call.server.keyspace.set_quiet(false);
    }
    if done == Err(Stop::Waiting) {
        return done;
    }
    if let Some(begin) = begin {
        let took = begin.elapsed();
        call.server.tallies.time(number, took);
        if !call.command.flags.contains(Flags::SKIP_SLOWLOG) {
            let micros = took.as_micros().try_into().unwrap_or(u64::MAX);
            let shown = secrets::hide(call.command, call.arguments);
            call.server.slowlog.note(micros, call.server.now / 1_000, call.client, shown);
        }
    }
    if notified.is_on() && call.server.keyspace.has_changes() {
        let made = Some((call.command, call.arguments));
        events::publish(call.server, Some(call.client), made);
    }
    if !call.server.monitors.is_empty() {
        monitor::feed(call, db);
    }
    if call.client.modes.contains(Modes::TRACKING) {
        track(call);
    }
    done
}

/// What a client has read is remembered, if it wants to be told of changes.
fn track(call: &mut Call<'_, '_>) {
    let Call { server, client, arguments, command, .. } = call;
    if command.flags.contains(Flags::READONLY) {
        // What the command itself has found expired is told before: it is read as absent.
        if server.keyspace.has_changes() && !client.modes.contains(Modes::EXECUTING) {
            notices::tell(server, Some(client));
        }
        let keys = command.keys.positions(*arguments).filter_map(|at| arguments.get(at));
        server.tracking.remember(&mut server.clients, client, keys);
    }
    if let Some(tracking) = &mut client.tracking
        && client.transaction.is_none()
        && !client.modes.contains(Modes::EXECUTING)
        && !command.name.starts_with("client")
    {
        tracking.caching = None;
    }
}

/// Takes back an answer that its client does not want. Confirmations of subscriptions are pushes, and
/// stay.
#[cold]
fn silence(client: &mut Client, arguments: Arguments<'_>, out: &mut Vec<u8>, start: usize) {
    let is_push = find(arguments).is_ok_and(|command| command.name.ends_with("subscribe"));
    match client.answers {
        Answers::On => {}
        Answers::Off if is_push => {}
        Answers::Off => out.truncate(start),
        Answers::SkipNext => client.answers = Answers::Skip,
        Answers::Skip => {
            if !is_push {
                out.truncate(start);
            }
            client.answers = Answers::On;
        }
    }
}
