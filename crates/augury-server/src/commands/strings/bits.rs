//! Strings as bits, the first the highest of the first byte.

use std::ops::Range;

use super::{READ, READ_SLOWLY, WRITE_SLOWLY};
use crate::commands::lookup::text;
use crate::commands::{Call, Command, Done, Keys, Refusal, number};
use crate::object::Marks;

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "setbit",
        arity: 4,
        since: "2.2.0",
        summary: "Sets a bit of a key's string; what it was",
        run: setbit,
        ..WRITE_SLOWLY
    },
    Command {
        name: "getbit",
        arity: 3,
        since: "2.2.0",
        summary: "A bit of a key's string",
        run: getbit,
        ..READ
    },
    Command {
        name: "bitcount",
        arity: -2,
        since: "2.6.0",
        summary: "How many bits of a key's string are set",
        run: bitcount,
        ..READ_SLOWLY
    },
    Command {
        name: "bitpos",
        arity: -3,
        since: "2.8.7",
        summary: "The first bit of a key's string that is set, or clear",
        run: bitpos,
        ..READ_SLOWLY
    },
    Command {
        name: "bitop",
        arity: -4,
        since: "2.6.0",
        keys: Keys::Range { first: 2, last: -1, step: 1 },
        summary: "AND, OR, XOR or NOT of the strings of keys, stored under another",
        run: bitop,
        ..WRITE_SLOWLY
    },
];

/// A bit's position, as an argument says it.
pub(super) fn position(call: &Call<'_, '_>, text: &[u8]) -> Result<u64, Refusal> {
    const WRONG: Refusal = Refusal::new("ERR bit offset is not an integer or out of range");
    let position = number::integer(text).and_then(|it| u64::try_from(it).ok());
    position.filter(|at| at / 8 < call.server.settings.bulk_max as u64).ok_or(WRONG)
}

fn bit_of(bytes: &[u8], at: u64) -> bool {
    bytes.get((at / 8) as usize).is_some_and(|byte| byte & (0x80 >> (at % 8)) != 0)
}

fn setbit(call: &mut Call<'_, '_>) -> Done {
    let at = position(call, call.argument(2))?;
    let is_set = match number::integer(call.argument(3)) {
        Some(bit @ 0..=1) => bit == 1,
        _ => return Err(Refusal::new("ERR bit is not an integer or out of range").into()),
    };
    let asked = call.asked(1);
    let found = call.find_text(asked)?;
    let (held, byte) = (call.text_in(found), (at / 8) as usize);
    let before = bit_of(held, at);
    if before != is_set || byte >= held.len() {
        let mask = 0x80 >> (at % 8);
        let value = held.get(byte).copied().unwrap_or(0);
        let value = if is_set { value | mask } else { value & !mask };
        call.overwrite(asked, found, byte, &[value])?;
    }
    call.reply.integer(before.into());
    Ok(())
}

fn getbit(call: &mut Call<'_, '_>) -> Done {
    let at = position(call, call.argument(2))?;
    let asked = call.asked(1);
    let held = text(call.server.keyspace.read(asked, call.server.now))?;
    call.reply.integer(bit_of(held.unwrap_or_default(), at).into());
    Ok(())
}

/// Positions from one to another, as arguments say them: in bytes or bits.
struct Stretch {
    first: i64,
    last: i64,
    is_bits: bool,
}

impl Stretch {
    /// Of arguments from a position on, the first of which is there. `last`: where none is said.
    fn parse(call: &Call<'_, '_>, at: usize) -> Result<Stretch, Refusal> {
        let first = number::whole(call.argument(at))?;
        let is_bits = match call.arguments.get(at + 2) {
            None => false,
            Some(unit) if unit.eq_ignore_ascii_case(b"BIT") => true,
            Some(unit) if unit.eq_ignore_ascii_case(b"BYTE") => false,
            Some(_) => return Err(Refusal::SYNTAX),
        };
        let last = call.arguments.get(at + 1).map_or(Ok(-1), number::whole)?;
        Ok(Stretch { first, last, is_bits })
    }

    /// The bits that are meant, of so many bytes.
    fn within(&self, bytes: usize) -> Range<u64> {
        let length = if self.is_bits { bytes as i64 * 8 } else { bytes as i64 };
        let from_start = |at: i64| if at < 0 { at.saturating_add(length).max(0) } else { at };
        let (first, last) = (from_start(self.first), from_start(self.last).min(length - 1));
        if first > last {
            return 0..0;
        }
        let unit = if self.is_bits { 1 } else { 8 };
        first as u64 * unit..(last as u64 + 1) * unit
    }
}

/// The bits of a byte that are within a range of all bits.
fn masked(byte: u8, at: usize, range: &Range<u64>) -> u8 {
    let start = at as u64 * 8;
    let before = range.start.saturating_sub(start).min(8) as u32;
    let behind = (start + 8).saturating_sub(range.end).min(8) as u32;
    let low = 0xffu8.checked_shr(before).unwrap_or(0);
    let high = 0xffu8.checked_shl(behind).unwrap_or(0);
    byte & low & high
}

/// The bytes that have bits of a range.
fn bytes_of(range: &Range<u64>) -> Range<usize> {
    (range.start / 8) as usize..range.end.div_ceil(8) as usize
}

fn bitcount(call: &mut Call<'_, '_>) -> Done {
    let stretch = match call.arguments.len() {
        2 => None,
        4 | 5 => Some(Stretch::parse(call, 2)?),
        _ => return Err(Refusal::SYNTAX.into()),
    };
    let asked = call.asked(1);
    let held = text(call.server.keyspace.read(asked, call.server.now))?.unwrap_or_default();
    let all = 0..held.len() as u64 * 8;
    // Redis looks at the first byte where both ends are before it, but not where they are crossed.
    let is_crossed = |it: &Stretch| it.first < 0 && it.last < 0 && it.first > it.last;
    let range = match stretch {
        Some(stretch) if is_crossed(&stretch) => 0..0,
        Some(stretch) => stretch.within(held.len()),
        None => all,
    };
    let bytes = bytes_of(&range);
    let count: u64 = bytes
        .clone()
        .zip(&held[bytes])
        .map(|(at, &byte)| u64::from(masked(byte, at, &range).count_ones()))
        .sum();
    call.reply.integer(count as i64);
    Ok(())
}

fn bitpos(call: &mut Call<'_, '_>) -> Done {
    let is_set = match number::whole(call.argument(2))? {
        0 => false,
        1 => true,
        _ => return Err(Refusal::new("ERR The bit argument must be 1 or 0.").into()),
    };
    let count = call.arguments.len();
    let stretch = match count {
        3 => None,
        4..=6 => Some(Stretch::parse(call, 3)?),
        _ => return Err(Refusal::SYNTAX.into()),
    };
    let asked = call.asked(1);
    let Some(held) = text(call.server.keyspace.read(asked, call.server.now))? else {
        call.reply.integer(if is_set { -1 } else { 0 });
        return Ok(());
    };
    let all = 0..held.len() as u64 * 8;
    let range = stretch.map_or(all, |stretch| stretch.within(held.len()));
    let bytes = bytes_of(&range);
    let found = bytes.clone().zip(&held[bytes]).find_map(|(at, &byte)| {
        let wanted = masked(if is_set { byte } else { !byte }, at, &range);
        (wanted != 0).then(|| at as i64 * 8 + i64::from(wanted.leading_zeros()))
    });
    // Behind the string all bits are clear, unless the end was said.
    let has_end = count >= 5;
    let behind = if is_set || has_end || range.is_empty() { -1 } else { range.end as i64 };
    call.reply.integer(found.unwrap_or(behind));
    Ok(())
}

fn bitop(call: &mut Call<'_, '_>) -> Done {
    let name = call.argument(1);
    let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
    let combine: fn(u8, u8) -> u8 = if is("AND") {
        |a, b| a & b
    } else if is("OR") || is("NOT") {
        |a, b| a | b
    } else if is("XOR") {
        |a, b| a ^ b
    } else {
        return Err(Refusal::SYNTAX.into());
    };
    let sources = 3..call.arguments.len();
    if is("NOT") && sources.len() != 1 {
        return Err(Refusal::new("ERR BITOP NOT must be called with a single source key.").into());
    }
    let mut strings = Vec::with_capacity(sources.len());
    for at in sources {
        let asked = call.asked(at);
        let held = text(call.server.keyspace.read(asked, call.server.now))?;
        strings.push(held.unwrap_or_default().to_vec());
    }
    let length = strings.iter().map(Vec::len).max().unwrap_or(0);
    let mut strings = strings.into_iter();
    let mut result = strings.next().unwrap_or_default();
    result.resize(length, 0);
    for string in strings {
        let padded = string.iter().copied().chain(std::iter::repeat(0));
        result.iter_mut().zip(padded).for_each(|(a, b)| *a = combine(*a, b));
    }
    if is("NOT") {
        result.iter_mut().for_each(|byte| *byte = !*byte);
    }
    let asked = call.asked(2);
    let found = call.server.keyspace.find(asked, call.server.now);
    if length > 0 {
        call.write_text(asked, &[&result], Marks::empty(), None, found)?;
    } else if let Some(id) = found {
        call.server.keyspace.remove(id);
    }
    call.reply.integer(length as i64);
    Ok(())
}
