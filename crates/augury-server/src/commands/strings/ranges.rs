//! Parts of a string.

use super::{READ_SLOWLY, WRITE, WRITE_SLOWLY};
use crate::commands::lookup::text;
use crate::commands::{Call, Command, Done, Refusal, Through, number};
use crate::object::Marks;

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "append",
        arity: 3,
        since: "2.0.0",
        summary: "Adds to the end of a key's string",
        run: append,
        ..WRITE
    },
    Command {
        name: "getrange",
        arity: 4,
        since: "2.4.0",
        summary: "Bytes of a key's string, from one to another",
        through: Through::Reads,
        run: getrange,
        ..READ_SLOWLY
    },
    Command {
        name: "substr",
        arity: 4,
        summary: "Old name of GETRANGE",
        through: Through::Reads,
        run: getrange,
        ..READ_SLOWLY
    },
    Command {
        name: "setrange",
        arity: 4,
        since: "2.2.0",
        summary: "Overwrites bytes of a key's string from an offset on",
        run: setrange,
        ..WRITE_SLOWLY
    },
];

fn append(call: &mut Call<'_, '_>) -> Done {
    let asked = call.asked(1);
    let found = call.find_text(asked)?;
    let more = call.argument(2);
    if found.is_none() {
        call.write_text(asked, &[more], Marks::empty(), None, None)?;
        call.reply.integer(more.len() as i64);
        return Ok(());
    }
    let before = call.text_in(found).len();
    call.overwrite(asked, found, before, more)?;
    call.reply.integer((before + more.len()) as i64);
    Ok(())
}

/// Bytes from one position to another, both counted; from the end where negative.
fn part(bytes: &[u8], first: i64, last: i64) -> &[u8] {
    let length = bytes.len() as i64;
    if first < 0 && last < 0 && first > last {
        return &[];
    }
    let from_start = |at: i64| if at < 0 { at.saturating_add(length).max(0) } else { at };
    let (first, last) = (from_start(first), from_start(last).min(length - 1));
    if first > last { &[] } else { &bytes[first as usize..=last as usize] }
}

fn getrange(call: &mut Call<'_, '_>) -> Done {
    let (first, last) = (number::whole(call.argument(2))?, number::whole(call.argument(3))?);
    let asked = call.asked(1);
    let held = text(call.server.keyspace.read(asked, call.server.now))?;
    call.reply.bulk(part(held.unwrap_or_default(), first, last));
    Ok(())
}

fn setrange(call: &mut Call<'_, '_>) -> Done {
    let offset = number::whole(call.argument(2))?;
    let offset = usize::try_from(offset).ok().ok_or(Refusal::new("ERR offset is out of range"))?;
    let part = call.argument(3);
    let asked = call.asked(1);
    let found = call.find_text(asked)?;
    let before = call.text_in(found).len();
    if part.is_empty() {
        call.reply.integer(before as i64);
        return Ok(());
    }
    call.overwrite(asked, found, offset, part)?;
    let end = offset + part.len();
    call.reply.integer(end.max(before) as i64);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn parts_are_those_of_redis() {
        for (first, last, expected) in [
            (0, -1, "hello"),
            (1, 3, "ell"),
            (-3, -1, "llo"),
            (-3, -4, ""),
            (3, 1, ""),
            (0, 100, "hello"),
            (-100, 1, "he"),
            (0, -100, "h"),
            (i64::MIN, i64::MAX, "hello"),
            (5, 10, ""),
        ] {
            assert_eq!(expected.as_bytes(), part(b"hello", first, last), "{first} to {last}");
        }
        assert!(part(b"", 0, -1).is_empty());
    }
}
