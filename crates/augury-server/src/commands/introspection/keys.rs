//! COMMAND GETKEYS: which arguments of a command are keys, and what becomes of them.

use super::super::{Keys, Stop, dispatch};
use super::{Call, Command, Done, Flags, Refusal};
use crate::resp::Arguments;

/// What a command does with its keys, in Redis's words.
pub(super) fn flags(command: &Command) -> impl ExactSizeIterator<Item = &'static str> + use<> {
    let words: &[&str] = match command.name {
        // Names of channels, which only look like keys to a cluster.
        "ssubscribe" | "sunsubscribe" | "spublish" => &["not_key"],
        "watch" | "exists" | "touch" | "type" | "ttl" | "pttl" | "strlen" => &["RO"],
        "del" | "unlink" => &["RM", "delete"],
        "set" => &["RW", "access", "update", "variable_flags"],
        "mset" | "msetex" | "setex" | "psetex" => &["OW", "update"],
        "setnx" | "msetnx" => &["OW", "insert"],
        "getdel" => &["RW", "access", "delete"],
        "hdel" => &["RW", "delete"],
        "getset" | "getex" | "incr" | "decr" | "incrby" | "decrby" | "incrbyfloat" | "hincrby"
        | "hincrbyfloat" => &["RW", "access", "update"],
        "append" | "hsetnx" => &["RW", "insert"],
        _ if command.flags.contains(Flags::WRITE) => &["RW", "update"],
        _ => &["RO", "access"],
    };
    words.iter().copied()
}

/// What becomes of the key of a command that does other things by its options.
fn of_options(command: &Command, asked: Arguments<'_>) -> Option<&'static [&'static str]> {
    let has = |from: usize, names: &[&str]| {
        let is = |it: &[u8]| names.iter().any(|name| it.eq_ignore_ascii_case(name.as_bytes()));
        asked.from(from).iter().any(is)
    };
    match command.name {
        "set" if has(3, &["get"]) => Some(&["RW", "access", "update"]),
        "set" => Some(&["OW", "update"]),
        "bitfield" if !has(2, &["set", "incrby"]) => Some(&["RO", "access"]),
        "bitfield" => Some(&["RW", "access", "update"]),
        _ => None,
    }
}

/// The command behind GETKEYS, with its arguments and the places of its keys.
fn looked_at<'a>(
    arguments: Arguments<'a>,
) -> Result<(&'static Command, Arguments<'a>, Vec<usize>), Stop> {
    let asked = arguments.from(2);
    let Ok(command) = dispatch::find(asked) else {
        return Err(Refusal::new("ERR Invalid command specified").into());
    };
    if command.keys == Keys::None {
        return Err(Refusal::new("ERR The command has no key arguments").into());
    }
    if !command.accepts(asked.len()) {
        let text = "ERR Invalid number of arguments specified for command";
        return Err(Refusal::new(text).into());
    }
    Ok((command, asked, command.keys.positions(asked).collect()))
}

pub(super) fn keys(call: &mut Call<'_, '_>) -> Done {
    let (_, asked, places) = looked_at(call.arguments)?;
    call.reply.array(places.len());
    for at in places {
        call.reply.bulk(&asked[at]);
    }
    Ok(())
}

pub(super) fn keys_and_flags(call: &mut Call<'_, '_>) -> Done {
    let (command, asked, places) = looked_at(call.arguments)?;
    call.reply.array(places.len());
    for at in places {
        call.reply.array(2);
        call.reply.bulk(&asked[at]);
        let words: Vec<&str> = match of_options(command, asked) {
            Some(words) => words.to_vec(),
            None => flags(command).collect(),
        };
        call.reply.set(words.len());
        words.iter().for_each(|word| call.reply.simple(word));
    }
    Ok(())
}
