//! COMMAND INFO and COMMAND DOCS: commands as clients' libraries read them.

use super::super::{Categories, Keys};
use super::{Call, Command, Done, Flags, keys, named, table};
use crate::resp::{Arguments, Reply};

/// The category of a name, if there is one.
pub(super) fn category(name: &[u8]) -> Option<Categories> {
    let mut all = Categories::all().iter_names();
    all.find(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name)).map(|(_, one)| one)
}

/// The flags that clients know, in Redis's order.
const FLAGS: &[(Flags, &str)] = &[
    (Flags::WRITE, "write"),
    (Flags::READONLY, "readonly"),
    (Flags::DENYOOM, "denyoom"),
    (Flags::ADMIN, "admin"),
    (Flags::PUBSUB, "pubsub"),
    (Flags::NOSCRIPT, "noscript"),
    (Flags::LOADING, "loading"),
    (Flags::STALE, "stale"),
    (Flags::SKIP_MONITOR, "skip_monitor"),
    (Flags::SKIP_SLOWLOG, "skip_slowlog"),
    (Flags::FAST, "fast"),
    (Flags::NO_AUTH, "no_auth"),
    (Flags::NO_MULTI, "no_multi"),
    (Flags::MOVABLE_KEYS, "movablekeys"),
];

fn flag_names(flags: Flags) -> Vec<String> {
    let known = FLAGS.iter().filter(|(flag, _)| flags.contains(*flag));
    known.map(|(_, name)| (*name).to_owned()).collect()
}

fn names(
    reply: &mut Reply<'_>,
    names: impl IntoIterator<Item = String, IntoIter: ExactSizeIterator>,
) {
    let names = names.into_iter();
    reply.set(names.len());
    for name in names {
        reply.simple(&name);
    }
}

pub(super) fn all(call: &mut Call<'_, '_>) -> Done {
    let all: Vec<&'static Command> = table::all().collect();
    call.reply.array(all.len());
    for command in all {
        write_info(call.reply, command);
    }
    Ok(())
}

pub(super) fn info(call: &mut Call<'_, '_>) -> Done {
    let asked = call.arguments.from(2);
    if asked.is_empty() {
        return all(call);
    }
    call.reply.array(asked.len());
    for name in asked.iter() {
        match named(name) {
            Some(command) => write_info(call.reply, command),
            None => call.reply.null(),
        }
    }
    Ok(())
}

fn write_info(reply: &mut Reply<'_>, command: &'static Command) {
    let (first, last, step) = match command.keys {
        Keys::None | Keys::Counted { .. } => (0, 0, 0),
        Keys::Range { first, last, step } => (first, last, step),
    };
    reply.array(10);
    reply.bulk(command.name.as_bytes());
    reply.integer(command.arity.into());
    names(reply, flag_names(command.flags));
    for number in [first, last, step] {
        reply.integer(number.into());
    }
    let categories: Vec<String> = command
        .categories()
        .iter_names()
        .map(|(name, _)| format!("@{}", name.to_ascii_lowercase()))
        .collect();
    names(reply, categories);
    reply.set(0);
    write_key_specifications(reply, command);
    reply.array(command.subcommands.len());
    for subcommand in command.subcommands {
        write_info(reply, subcommand);
    }
}

fn write_key_specifications(reply: &mut Reply<'_>, command: &'static Command) {
    // In a specification the last key is counted from the first, or from the number of keys.
    let (first, find, numbers) = match command.keys {
        Keys::None => return reply.set(0),
        Keys::Range { first, last, step } => {
            let last = if last < 0 { last } else { last - first };
            (first, "range", [("lastkey", last), ("keystep", step), ("limit", 0)])
        }
        Keys::Counted { at, step } => {
            let step = step as i16;
            (at as i16, "keynum", [("keynumidx", 0), ("firstkey", 1), ("keystep", step)])
        }
    };
    reply.set(1);
    reply.map(3);
    reply.bulk(b"flags");
    names(reply, keys::flags(command).map(str::to_owned));
    reply.bulk(b"begin_search");
    reply.map(2);
    word_pair(reply, "type", "index");
    reply.bulk(b"spec");
    reply.map(1);
    reply.bulk(b"index");
    reply.integer(first.into());
    reply.bulk(b"find_keys");
    reply.map(2);
    word_pair(reply, "type", find);
    reply.bulk(b"spec");
    reply.map(3);
    for (name, number) in numbers {
        reply.bulk(name.as_bytes());
        reply.integer(number.into());
    }
}

fn word_pair(reply: &mut Reply<'_>, name: &str, word: &str) {
    reply.bulk(name.as_bytes());
    reply.bulk(word.as_bytes());
}

pub(super) fn docs(call: &mut Call<'_, '_>) -> Done {
    let asked: Arguments<'_> = call.arguments.from(2);
    let found: Vec<&'static Command> = if asked.is_empty() {
        table::all().collect()
    } else {
        asked.iter().filter_map(named).collect()
    };
    write_docs(call.reply, &mut found.into_iter());
    Ok(())
}

fn write_docs(
    reply: &mut Reply<'_>,
    commands: &mut dyn ExactSizeIterator<Item = &'static Command>,
) {
    reply.map(commands.len());
    for command in commands {
        reply.bulk(command.name.as_bytes());
        let has_subcommands = !command.subcommands.is_empty();
        reply.map(3 + usize::from(has_subcommands));
        word_pair(reply, "summary", command.summary);
        word_pair(reply, "since", command.since);
        word_pair(reply, "group", command.group.name());
        if has_subcommands {
            reply.bulk(b"subcommands");
            write_docs(reply, &mut command.subcommands.iter());
        }
    }
}
