//! A command line to a request.
//!
//! What is wrong with a line is answered as memcached does, and in its order: `noreply` silences
//! most errors.

use super::flags::{self, BAD_FORMAT, TOKENS_MAX};
use super::line::Line;
use super::number::{signed, unsigned, unsigned32};
use super::request::{Meta, Mode, Request, Store, key};
use super::{KEY_MAX, VERSION_LINE};

/// Length of a data block, beyond which a command is not understood.
const LENGTH_MAX: i64 = i32::MAX as i64 - 2;

/// What a line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Something that the line tells in full.
    Whole(Request),
    /// A storage command, whose block of so many bytes follows.
    Block { storing: Storing, length: usize },
    /// A line to answer; a block of so many bytes is to be skipped.
    Skip(Request, usize),
}

/// A storage command without its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Storing {
    Plain { store: Store, is_quiet: bool },
    Meta { meta: Meta, mode: Mode },
}

const ERROR: Asked = Asked::Whole(Request::Say("ERROR"));

fn say(text: &'static str) -> Asked {
    Asked::Whole(Request::Say(text))
}

/// A line to say, unless the client wants no answer.
fn say_unless(is_quiet: bool, text: &'static str) -> Asked {
    Asked::Whole(if is_quiet { Request::Nothing } else { Request::Say(text) })
}

/// Reads the line between two places of the input, its end left out.
pub(super) fn read(input: &[u8], from: usize, to: usize) -> Asked {
    let line = &Line::new(input, from, to);
    let arguments = line.count.wrapping_sub(1);
    match line.get(0) {
        b"get" | b"bget" => get(line, false),
        b"gets" => get(line, true),
        b"gat" => get_and_touch(line, false),
        b"gats" => get_and_touch(line, true),
        b"set" => store(line, Mode::Set),
        b"add" => store(line, Mode::Add),
        b"replace" => store(line, Mode::Replace),
        b"append" => store(line, Mode::Append),
        b"prepend" => store(line, Mode::Prepend),
        b"cas" => store(line, Mode::Cas),
        b"mg" => meta(line, Request::MetaGet),
        b"ms" => meta_set(line),
        b"md" => meta(line, Request::MetaDelete),
        b"ma" => meta_delta(line),
        b"me" => meta_debug(line),
        b"mn" => say("MN"),
        b"incr" if matches!(arguments, 2 | 3) => delta(line, true),
        b"decr" if matches!(arguments, 2 | 3) => delta(line, false),
        b"touch" if matches!(arguments, 2 | 3) => touch(line),
        b"delete" if (1..=3).contains(&arguments) => delete(line),
        b"flush_all" if arguments <= 2 => flush(line),
        b"version" => say(VERSION_LINE),
        b"verbosity" if matches!(arguments, 1 | 2) => verbosity(line),
        b"quit" => Asked::Whole(Request::Close(None)),
        b"shutdown" => say("ERROR: shutdown not enabled"),
        b"cache_memlimit" if matches!(arguments, 1 | 2) => limit(line),
        b"stats" => Asked::Whole(Request::Stats(line.span_from(1))),
        b"watch" => say_unless(line.is_quiet(), "CLIENT_ERROR watch commands not allowed"),
        b"slabs" if arguments == 3 && line.get(1) == b"reassign" => {
            say("CLIENT_ERROR slab reassignment disabled")
        }
        b"lru_crawler" if arguments == 2 => match line.get(1) {
            b"crawl" => say("CLIENT_ERROR lru crawler disabled"),
            b"metadump" => say("ERROR metadump not allowed"),
            _ => ERROR,
        },
        // A browser that was led here must not get further: what follows its request line is the
        // attacker's.
        _ if line.tokens(0).last().is_some_and(|last| last.starts_with(b"HTTP/")) => {
            Asked::Whole(Request::Close(None))
        }
        _ => ERROR,
    }
}

fn get(line: &Line<'_>, with_unique: bool) -> Asked {
    if line.count < 2 {
        return ERROR;
    }
    let keys = line.span_from(1);
    Asked::Whole(Request::Get { keys, with_unique, exptime: None })
}

fn get_and_touch(line: &Line<'_>, with_unique: bool) -> Asked {
    if line.count < 2 {
        return ERROR;
    }
    let Some(exptime) = signed(line.get(1)) else {
        return say("CLIENT_ERROR invalid exptime argument");
    };
    let keys = line.span_from(2);
    Asked::Whole(Request::Get { keys, with_unique, exptime: Some(exptime) })
}

fn store(line: &Line<'_>, mode: Mode) -> Asked {
    let least = if mode == Mode::Cas { 6 } else { 5 };
    if line.count != least && line.count != least + 1 {
        return ERROR;
    }
    let is_quiet = line.is_quiet();
    let read = || {
        let flags = unsigned32(line.get(2))?;
        let exptime = signed(line.get(3))?;
        let length = signed(line.get(4)).filter(|length| (0..=LENGTH_MAX).contains(length))?;
        let unique = if mode == Mode::Cas { Some(unsigned(line.get(5))?) } else { None };
        let key = line.span(1);
        let store = Store { mode, key, flags, exptime, unique };
        (line.get(1).len() <= KEY_MAX).then_some((store, length as usize))
    };
    match read() {
        Some((store, length)) => {
            Asked::Block { storing: Storing::Plain { store, is_quiet }, length }
        }
        None => say_unless(is_quiet, BAD_FORMAT),
    }
}

/// What all meta commands look at first.
fn check_meta(line: &Line<'_>) -> Result<(), &'static str> {
    if line.count < 2 {
        return Err("ERROR");
    }
    if line.get(1).len() > KEY_MAX {
        return Err(BAD_FORMAT);
    }
    if line.count > TOKENS_MAX {
        let is_get = line.get(0) == b"mg";
        return Err(if is_get {
            "CLIENT_ERROR options flags are too long"
        } else {
            "CLIENT_ERROR options flags too long"
        });
    }
    Ok(())
}

fn meta(line: &Line<'_>, request: fn(Meta) -> Request) -> Asked {
    if let Err(refused) = check_meta(line) {
        return say(refused);
    }
    match flags::read(line, 2) {
        Ok(_) if flags::has_long_opaque(line, 2) => say(flags::OPAQUE_TOO_LONG),
        Ok(meta) => Asked::Whole(request(meta)),
        Err(error) if line.get(0) == b"mg" => say(error),
        Err(_) => say("CLIENT_ERROR invalid or duplicate flag"),
    }
}

fn meta_set(line: &Line<'_>) -> Asked {
    if let Err(refused) = check_meta(line) {
        return say(refused);
    }
    let length = signed(line.get(2)).filter(|length| (0..=LENGTH_MAX).contains(length));
    let Some(length) = length.map(|length| length as usize) else { return say(BAD_FORMAT) };
    // From here on the length is known, so that the block can be skipped.
    let skip = |error| Asked::Skip(Request::Say(error), length);
    let meta = match flags::read(line, 3) {
        Ok(meta) => meta,
        Err(error) => return skip(error),
    };
    let mode = match meta.mode {
        None | Some(b'S') if meta.compare.is_some() => Mode::Cas,
        None | Some(b'S') => Mode::Set,
        Some(b'R') if meta.compare.is_some() => Mode::Cas,
        Some(b'R') => Mode::Replace,
        Some(b'E') => Mode::Add,
        Some(b'A') => Mode::Append,
        Some(b'P') => Mode::Prepend,
        Some(_) => return skip("CLIENT_ERROR invalid mode for ms M token"),
    };
    if flags::has_long_opaque(line, 3) {
        return skip(flags::OPAQUE_TOO_LONG);
    }
    Asked::Block { storing: Storing::Meta { meta, mode }, length }
}

fn meta_delta(line: &Line<'_>) -> Asked {
    let asked = meta(line, Request::MetaDelete);
    let Asked::Whole(Request::MetaDelete(meta)) = asked else { return asked };
    let is_increment = match meta.mode {
        None | Some(b'I' | b'+') => true,
        Some(b'D' | b'-') => false,
        Some(_) => return say("CLIENT_ERROR invalid mode for ma M token"),
    };
    Asked::Whole(Request::MetaDelta { meta, is_increment })
}

fn meta_debug(line: &Line<'_>) -> Asked {
    let is_base64 = line.get(2) == b"b";
    if line.count < 2 || line.get(1).len() > KEY_MAX || key(line.get(1), is_base64).is_none() {
        return say(BAD_FORMAT);
    }
    Asked::Whole(Request::MetaDebug { key: line.span(1), is_base64 })
}

fn delta(line: &Line<'_>, is_increment: bool) -> Asked {
    let is_quiet = line.is_quiet();
    if line.get(1).len() > KEY_MAX {
        return say_unless(is_quiet, BAD_FORMAT);
    }
    match unsigned(line.get(2)) {
        None => say_unless(is_quiet, "CLIENT_ERROR invalid numeric delta argument"),
        Some(delta) => {
            let key = line.span(1);
            Asked::Whole(Request::Delta { key, delta, is_increment, is_quiet })
        }
    }
}

fn touch(line: &Line<'_>) -> Asked {
    let is_quiet = line.is_quiet();
    if line.get(1).len() > KEY_MAX {
        return say_unless(is_quiet, BAD_FORMAT);
    }
    match signed(line.get(2)) {
        None => say_unless(is_quiet, "CLIENT_ERROR invalid exptime argument"),
        Some(exptime) => Asked::Whole(Request::Touch { key: line.span(1), exptime, is_quiet }),
    }
}

fn delete(line: &Line<'_>) -> Asked {
    let is_quiet = line.count > 2 && line.is_quiet();
    let is_zero = line.get(2) == b"0";
    let is_valid = match line.count {
        2 => true,
        3 => is_zero || is_quiet,
        _ => is_zero && is_quiet,
    };
    if !is_valid {
        let usage = "CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]";
        return say_unless(is_quiet, usage);
    }
    if line.get(1).len() > KEY_MAX {
        return say_unless(is_quiet, BAD_FORMAT);
    }
    Asked::Whole(Request::Delete { key: line.span(1), is_quiet })
}

fn flush(line: &Line<'_>) -> Asked {
    let is_quiet = line.is_quiet();
    let exptime =
        if line.count == if is_quiet { 2 } else { 1 } { Some(0) } else { signed(line.get(1)) };
    match exptime {
        None => say_unless(is_quiet, "CLIENT_ERROR invalid exptime argument"),
        Some(exptime) => Asked::Whole(Request::Flush { exptime, is_quiet }),
    }
}

fn verbosity(line: &Line<'_>) -> Asked {
    let is_quiet = line.is_quiet();
    match unsigned32(line.get(1)) {
        None => say_unless(is_quiet, BAD_FORMAT),
        Some(level) => Asked::Whole(Request::Verbosity { level, is_quiet }),
    }
}

fn limit(line: &Line<'_>) -> Asked {
    let is_quiet = line.is_quiet();
    match unsigned32(line.get(1)) {
        None => say_unless(is_quiet, "ERROR"),
        Some(0..8) => {
            say_unless(is_quiet, "MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m")
        }
        Some(1_000_000_001..) => {
            say_unless(is_quiet, "MEMLIMIT_ADJUST_FAILED input value is megabytes not bytes")
        }
        Some(megabytes) => Asked::Whole(Request::Limit { megabytes, is_quiet }),
    }
}
