//! Some fields of a hash: random ones, and those of a scan.
//!
//! A scan goes through the positions from the last to the first, which misses no field that stays
//! (see [`crate::object::hash`]); a cursor is the number of positions that are left.

use std::ops::Range;

use super::{Hash, READ_ALL};
use crate::commands::lookup::fields;
use crate::commands::scan::{self, Options};
use crate::commands::{Call, Command, Done, Refusal, number};
use crate::object::hash::Listed;
use crate::resp::Protocol;

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "hrandfield",
        arity: -2,
        since: "6.2.0",
        summary: "Random fields of a hash",
        differs: "at most 1048576 fields at once where a field may come twice",
        run: hrandfield,
        ..READ_ALL
    },
    Command {
        name: "hscan",
        arity: -3,
        since: "2.8.0",
        summary: "Some fields of a hash, and from where to go on",
        run: hscan,
        ..READ_ALL
    },
];

/// Most fields that are answered at once where a field may come twice.
const REPEATED_MAX: u64 = 1 << 20;

/// A position of a hash that is not empty at this moment, at random.
fn random_live(hash: &Hash, now: u64) -> Option<usize> {
    let is_live = |&at: &usize| {
        hash.at(at).is_some_and(|(_, _, deadline)| deadline.is_none_or(|at| at > now))
    };
    // Expired fields are removed within a beat: they are few, or will be.
    let mut random = (0..100).map(|_| fastrand::usize(0..hash.len()));
    random.find(is_live).or_else(|| (0..hash.len()).find(is_live))
}

fn hrandfield(call: &mut Call<'_, '_>) -> Done {
    let now = call.server.now;
    let (asked, arguments) = (call.asked(1), call.arguments);
    let Some(count) = arguments.get(2) else {
        let hash = fields(call.server.keyspace.read(asked, now))?;
        let field = hash.and_then(|hash| hash.at(random_live(hash, now)?));
        call.reply.bulk_or_null(field.map(|(field, ..)| field));
        return Ok(());
    };
    let count = number::within(count, -i64::MAX, i64::MAX)?;
    let with_values = match arguments.get(3) {
        None => false,
        Some(option) if arguments.len() == 4 && option.eq_ignore_ascii_case(b"WITHVALUES") => true,
        Some(_) => return Err(Refusal::SYNTAX.into()),
    };
    const OUT_OF_RANGE: Refusal = Refusal::new("ERR value is out of range");
    if with_values && count.unsigned_abs() > i64::MAX as u64 / 2 {
        return Err(OUT_OF_RANGE.into());
    }
    let hash = fields(call.server.keyspace.read(asked, now))?;
    let Some(hash) = hash else {
        call.reply.array(0);
        return Ok(());
    };
    if count < 0 && count.unsigned_abs() > REPEATED_MAX {
        return Err(OUT_OF_RANGE.into());
    }
    let live = hash.live(now);
    let chosen: Vec<usize> = if count < 0 {
        (0..count.unsigned_abs()).filter_map(|_| random_live(hash, now)).collect()
    } else {
        let wanted = usize::try_from(count).unwrap_or(usize::MAX).min(live);
        distinct(hash, now, wanted)
    };
    let is_nested = with_values && call.reply.protocol() == Protocol::Resp3;
    let is_flat = with_values && !is_nested;
    call.reply.array(if is_flat { chosen.len() * 2 } else { chosen.len() });
    for (field, value, _) in chosen.into_iter().filter_map(|at| hash.at(at)) {
        if is_nested {
            call.reply.array(2);
        }
        call.reply.bulk(field);
        if with_values {
            call.reply.bulk(value);
        }
    }
    Ok(())
}

/// So many different positions of fields that are there at this moment.
fn distinct(hash: &Hash, now: u64, wanted: usize) -> Vec<usize> {
    let is_live =
        |at: usize| hash.at(at).is_some_and(|(_, _, deadline)| deadline.is_none_or(|at| at > now));
    if wanted < hash.len() / 4 && hash.earliest().is_none_or(|at| at > now) {
        let mut chosen = std::collections::HashSet::with_capacity(wanted);
        while chosen.len() < wanted {
            chosen.insert(fastrand::usize(0..hash.len()));
        }
        return chosen.into_iter().collect();
    }
    let mut all: Vec<usize> = (0..hash.len()).filter(|&at| is_live(at)).collect();
    if wanted < all.len() {
        for at in 0..wanted {
            let other = fastrand::usize(at..all.len());
            all.swap(at, other);
        }
        all.truncate(wanted);
    }
    all
}

/// The positions of a scan's next step: all where Redis would keep the fields in a list.
fn step(hash: &Hash, listed: Listed, cursor: u64, count: usize) -> Range<usize> {
    if !hash.is_large(listed) {
        return 0..hash.len();
    }
    let end = match usize::try_from(cursor) {
        Ok(0) | Err(_) => hash.len(),
        Ok(end) => end.min(hash.len()),
    };
    end.saturating_sub(count)..end
}

fn hscan(call: &mut Call<'_, '_>) -> Done {
    let cursor = scan::cursor(call.argument(2))?;
    let (asked, now) = (call.asked(1), call.server.now);
    let listed = call.server.settings.listed();
    let Some(hash) = fields(call.server.keyspace.read(asked, now))? else {
        call.reply.array(2);
        call.reply.bulk(b"0");
        call.reply.array(0);
        return Ok(());
    };
    let options = Options::parse(call.arguments.from(3), true)?;
    let positions = step(hash, listed, cursor, options.count);
    let is_live = |deadline: Option<u64>| deadline.is_none_or(|at| at > now);
    let found: Vec<(&[u8], &[u8])> = positions
        .clone()
        .filter_map(|at| hash.at(at))
        .filter(|(field, _, deadline)| is_live(*deadline) && options.admits(field))
        .map(|(field, value, _)| (field, value))
        .collect();
    let mut digits = itoa::Buffer::new();
    call.reply.array(2);
    call.reply.bulk(digits.format(positions.start).as_bytes());
    call.reply.array(if options.without_values { found.len() } else { found.len() * 2 });
    for (field, value) in found {
        call.reply.bulk(field);
        if !options.without_values {
            call.reply.bulk(value);
        }
    }
    Ok(())
}
