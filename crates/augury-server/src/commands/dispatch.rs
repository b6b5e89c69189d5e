//! From arguments to an answer: which command it is, whether it may run, and running it.

use super::{Call, Command, Done, Flags, Refusal, Stop, guard, table};
use crate::acl::catalog::catalog;
use crate::client::{Answers, Client};
use crate::resp::{Arguments, Reply};
use crate::server::Server;

/// What has become of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is answered.
    Answered,
    /// It waits: nothing is written, and it runs anew when its client is woken.
    Waiting,
}

/// Runs a command of a client and writes its answer.
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
    server.counters.commands += 1;
    let done = find(arguments).and_then(|command| {
        client.latest = command.name;
        admit(server, client, command, arguments)?;
        if client.transaction.is_some() && !command.flags.contains(Flags::IMMEDIATE) {
            client.queue(arguments);
            reply.simple("QUEUED");
            return Ok(());
        }
        let mut call = Call { server, client, arguments, reply: &mut reply, command };
        (command.run)(&mut call)
    });
    match done {
        Ok(()) => {}
        Err(Stop::Waiting) => {
            out.truncate(start);
            return Outcome::Waiting;
        }
        Err(Stop::Refused(refusal)) => {
            out.truncate(start);
            server.counters.errors += 1;
            Reply::new(out, protocol).error(refusal.text());
        }
    }
    if client.answers != Answers::On {
        silence(client, out, start);
    }
    Outcome::Answered
}

/// The command that the arguments name.
#[inline]
pub(super) fn find(arguments: Arguments<'_>) -> Result<&'static Command, Stop> {
    let name = &arguments[0];
    let Some(command) = table::find(name) else {
        return Err(Refusal::unknown(name, arguments.from(1).iter()).into());
    };
    if command.subcommands.is_empty() || arguments.len() < 2 {
        return Ok(command);
    }
    let sub = &arguments[1];
    let found = command.subcommands.iter().find(|it| it.name.as_bytes().eq_ignore_ascii_case(sub));
    found.ok_or_else(|| Refusal::unknown_subcommand(command.name, sub).into())
}

/// Whether a command may run.
#[inline]
fn admit(
    server: &mut Server,
    client: &mut Client,
    command: &'static Command,
    arguments: Arguments<'_>,
) -> Done {
    if !command.accepts(arguments.len()) {
        break_transaction(client);
        return Err(Refusal::arity(catalog().full(command)).into());
    }
    if !client.is_free {
        guard::permit(server, client, command, arguments)
            .inspect_err(|_| break_transaction(client))?;
    }
    Ok(())
}

/// A command that was refused between MULTI and EXEC makes EXEC refuse.
fn break_transaction(client: &mut Client) {
    if let Some(transaction) = &mut client.transaction {
        transaction.is_broken = true;
    }
}

#[cold]
fn silence(client: &mut Client, out: &mut Vec<u8>, start: usize) {
    match client.answers {
        Answers::On => {}
        Answers::Off => out.truncate(start),
        Answers::SkipNext => client.answers = Answers::Skip,
        Answers::Skip => {
            out.truncate(start);
            client.answers = Answers::On;
        }
    }
}
