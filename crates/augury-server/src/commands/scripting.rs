//! SCRIPT and FUNCTION as far as they are about what is there: nothing, since none can be loaded.
//!
//! Programs, and the public tests of Redis and Valkey, empty both before they begin; that is done
//! where there is nothing. What would run or load one is refused, see [`super::unsupported`].

use super::spec::Group;
use super::{Call, Command, Done, Refusal, help};

const PLAIN: Command = Command { group: Group::Scripting, ..Command::PLAIN };

/// The containers.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "script",
        arity: -2,
        since: "2.6.0",
        summary: "A container for commands about scripts, of which there are none",
        differs: "no script can be loaded or run",
        subcommands: SCRIPT,
        ..PLAIN
    },
    Command {
        name: "function",
        arity: -2,
        since: "7.0.0",
        summary: "A container for commands about functions, of which there are none",
        differs: "no function can be loaded or run",
        subcommands: FUNCTION,
        ..PLAIN
    },
];

const SCRIPT: &[Command] = &[
    Command {
        name: "script|exists",
        arity: -3,
        since: "2.6.0",
        summary: "Whether scripts are there: none is",
        run: exists,
        ..PLAIN
    },
    Command {
        name: "script|flush",
        arity: -2,
        since: "2.6.0",
        summary: "Removes all scripts: there are none",
        run: |call| flush(call, "SCRIPT FLUSH only support SYNC|ASYNC option"),
        ..PLAIN
    },
    help::of("script|help", Group::Scripting),
];

const FUNCTION: &[Command] = &[
    Command {
        name: "function|flush",
        arity: -2,
        since: "7.0.0",
        summary: "Removes all functions: there are none",
        run: |call| flush(call, "FUNCTION FLUSH only supports SYNC|ASYNC option"),
        ..PLAIN
    },
    help::of("function|help", Group::Scripting),
    Command {
        name: "function|list",
        arity: -2,
        since: "7.0.0",
        summary: "All functions: there are none",
        run: list,
        ..PLAIN
    },
];

fn exists(call: &mut Call<'_, '_>) -> Done {
    let asked = call.arguments.len() - 2;
    call.reply.array(asked);
    (0..asked).for_each(|_| call.reply.integer(0));
    Ok(())
}

fn flush(call: &mut Call<'_, '_>, otherwise: &'static str) -> Done {
    let how =
        |word: &[u8]| word.eq_ignore_ascii_case(b"sync") || word.eq_ignore_ascii_case(b"async");
    let is_known = match call.arguments.len() {
        2 => true,
        3 => how(call.argument(2)),
        _ => false,
    };
    if !is_known {
        return Err(Refusal::of([b"ERR ", otherwise.as_bytes()].concat()).into());
    }
    call.reply.ok();
    Ok(())
}

fn list(call: &mut Call<'_, '_>) -> Done {
    let mut rest = call.arguments.from(2).iter();
    while let Some(word) = rest.next() {
        let has_pattern = word.eq_ignore_ascii_case(b"libraryname");
        if has_pattern && rest.next().is_none() {
            return Err(Refusal::new("ERR library name argument was not given").into());
        }
        if !has_pattern && !word.eq_ignore_ascii_case(b"withcode") {
            let said = [b"ERR Unknown argument ", word].concat();
            return Err(Refusal::of(said).into());
        }
    }
    call.reply.array(0);
    Ok(())
}
