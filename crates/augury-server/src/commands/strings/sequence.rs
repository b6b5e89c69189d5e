//! The longest common subsequence of two strings.

use super::READ_SLOWLY;
use crate::commands::{Call, Command, Done, Keys, Refusal, number};
use crate::object::VALUE_MAX;
use crate::resp::Reply;

/// The commands of this family.
pub const COMMANDS: &[Command] = &[Command {
    name: "lcs",
    arity: -3,
    since: "7.0.0",
    keys: Keys::Range { first: 1, last: 2, step: 1 },
    summary: "The longest common subsequence of two keys' strings",
    run: lcs,
    ..READ_SLOWLY
}];

/// What LCS was asked for.
#[derive(Default)]
struct Options {
    is_length: bool,
    is_index: bool,
    has_lengths: bool,
    shortest: usize,
}

fn parse(call: &Call<'_, '_>) -> Result<Options, Refusal> {
    let mut options = Options::default();
    let mut at = 3;
    while let Some(option) = call.arguments.get(at) {
        at += 1;
        let is = |name: &str| option.eq_ignore_ascii_case(name.as_bytes());
        if is("LEN") {
            options.is_length = true;
        } else if is("IDX") {
            options.is_index = true;
        } else if is("WITHMATCHLEN") {
            options.has_lengths = true;
        } else if is("MINMATCHLEN") {
            let least = number::whole(call.arguments.get(at).ok_or(Refusal::SYNTAX)?)?;
            options.shortest = usize::try_from(least).unwrap_or(0);
            at += 1;
        } else {
            return Err(Refusal::SYNTAX);
        }
    }
    if options.is_length && options.is_index {
        return Err(Refusal::new(
            "ERR If you want both the length and indexes, please just use IDX.",
        ));
    }
    Ok(options)
}

/// Lengths of the longest common subsequences of all beginnings of two strings.
struct Table {
    lengths: Vec<u32>,
    width: usize,
}

impl Table {
    fn new(one: &[u8], other: &[u8]) -> Table {
        let width = other.len() + 1;
        let mut table = Table { lengths: vec![0; (one.len() + 1) * width], width };
        for (row, a) in one.iter().enumerate() {
            for (column, b) in other.iter().enumerate() {
                let length = if a == b {
                    table.at(row, column) + 1
                } else {
                    table.at(row, column + 1).max(table.at(row + 1, column))
                };
                table.lengths[(row + 1) * width + column + 1] = length;
            }
        }
        table
    }

    fn at(&self, row: usize, column: usize) -> u32 {
        self.lengths[row * self.width + column]
    }
}

/// A stretch that both strings have: where it begins in each, and its length.
struct Match {
    starts: (usize, usize),
    length: usize,
}

/// The subsequence, and its stretches from the last to the first.
fn trace(table: &Table, one: &[u8], other: &[u8]) -> (Vec<u8>, Vec<Match>) {
    let (mut common, mut matches) = (Vec::new(), Vec::<Match>::new());
    let (mut row, mut column) = (one.len(), other.len());
    while row > 0 && column > 0 {
        if one[row - 1] == other[column - 1] {
            common.push(one[row - 1]);
            match matches.last_mut() {
                Some(latest) if latest.starts == (row, column) => {
                    latest.starts = (row - 1, column - 1);
                    latest.length += 1;
                }
                _ => matches.push(Match { starts: (row - 1, column - 1), length: 1 }),
            }
            (row, column) = (row - 1, column - 1);
        } else if table.at(row - 1, column) > table.at(row, column - 1) {
            row -= 1;
        } else {
            column -= 1;
        }
    }
    common.reverse();
    (common, matches)
}

fn lcs(call: &mut Call<'_, '_>) -> Done {
    let mut strings = [Vec::new(), Vec::new()];
    let mut are_strings = true;
    for (at, string) in (1..).zip(&mut strings) {
        let asked = call.asked(at);
        if let Some(object) = call.server.keyspace.read(asked, call.server.now) {
            are_strings &= object.as_text().is_some();
            *string = object.as_text().map(<[u8]>::to_vec).unwrap_or_default();
        }
    }
    if !are_strings {
        return Err(Refusal::new("ERR The specified keys must contain string values").into());
    }
    let options = parse(call)?;
    let [one, other] = &strings;
    let cells = (one.len() as u64 + 1).saturating_mul(other.len() as u64 + 1);
    let limit = call.server.settings.bulk_max.min(VALUE_MAX);
    if cells.saturating_mul(size_of::<u32>() as u64) > limit as u64 {
        return Err(Refusal::new(
            "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
        )
        .into());
    }
    let table = Table::new(one, other);
    let length = table.at(one.len(), other.len());
    if options.is_length {
        call.reply.integer(length.into());
        return Ok(());
    }
    let (common, mut matches) = trace(&table, one, other);
    if !options.is_index {
        call.reply.bulk(&common);
        return Ok(());
    }
    matches.retain(|it| it.length >= options.shortest);
    call.reply.map(2);
    call.reply.bulk(b"matches");
    call.reply.array(matches.len());
    for it in &matches {
        call.reply.array(if options.has_lengths { 3 } else { 2 });
        stretch(call.reply, it.starts.0, it.length);
        stretch(call.reply, it.starts.1, it.length);
        if options.has_lengths {
            call.reply.integer(it.length as i64);
        }
    }
    call.reply.bulk(b"len");
    call.reply.integer(length.into());
    Ok(())
}

/// Answers the first and last position of a stretch.
fn stretch(reply: &mut Reply<'_>, start: usize, length: usize) {
    reply.array(2);
    reply.integer(start as i64);
    reply.integer((start + length - 1) as i64);
}
