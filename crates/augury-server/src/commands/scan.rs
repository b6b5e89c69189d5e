//! Going through the keys: SCAN, KEYS, RANDOMKEY.
//!
//! A cursor is the number of a slot. A key keeps its slot for as long as it stays, so a scan from
//! the first slot to the last misses none that stays, and shows none twice.

use augury_core::slots::SlotId;

use super::keys::type_of;
use super::spec::Group;
use super::{Call, Command, Done, Flags, Refusal, number};
use crate::glob;
use crate::object::Object;
use crate::resp::Arguments;

const PLAIN: Command = Command { group: Group::Generic, flags: Flags::READONLY, ..Command::PLAIN };

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "scan",
        arity: -2,
        since: "2.8.0",
        summary: "Some of the keys, and from where to go on",
        differs: "a cursor is the number of a slot; none is told twice",
        run: scan,
        ..PLAIN
    },
    Command {
        name: "keys",
        arity: 2,
        summary: "All keys that match",
        differs: "a pattern of two stars or more matches the empty key too",
        run: keys,
        ..PLAIN
    },
    Command { name: "randomkey", arity: 1, summary: "One key", run: randomkey, ..PLAIN },
];

/// Slots looked at for each key that was asked for: vacant ones, and those of other databases.
const SLOTS_FOR_A_KEY: usize = 10;
/// Keys where no number is asked for.
const COUNT: usize = 10;
/// Random slots that are tried before all are gone through.
const TRIES: usize = 100;

/// The options of SCAN and HSCAN.
pub struct Options<'a> {
    /// What keys or fields have to match, if anything.
    pub pattern: Option<&'a [u8]>,
    /// Keys or fields to look at.
    pub count: usize,
    /// What keys have to hold, if anything.
    pub kind: Option<&'a [u8]>,
    /// Whether values are left out.
    pub without_values: bool,
}

impl<'a> Options<'a> {
    /// The options that arguments are. `is_hash`: those of HSCAN.
    pub fn parse(arguments: Arguments<'a>, is_hash: bool) -> Result<Options<'a>, Refusal> {
        let mut options =
            Options { pattern: None, count: COUNT, kind: None, without_values: false };
        let mut at = 0;
        while let Some(option) = arguments.get(at) {
            let is = |name: &str| option.eq_ignore_ascii_case(name.as_bytes());
            let value = arguments.get(at + 1);
            at += 2;
            match value {
                _ if is_hash && is("NOVALUES") => {
                    options.without_values = true;
                    at -= 1;
                }
                Some(count) if is("COUNT") => {
                    let count = usize::try_from(number::whole(count)?).unwrap_or(0);
                    options.count = Some(count).filter(|&it| it > 0).ok_or(Refusal::SYNTAX)?;
                }
                Some(pattern) if is("MATCH") => {
                    options.pattern = Some(pattern).filter(|&it| it != b"*");
                }
                Some(kind) if is("TYPE") && !is_hash => options.kind = Some(kind),
                _ => return Err(Refusal::SYNTAX),
            }
        }
        Ok(options)
    }

    /// Whether a key or field is asked for.
    pub fn admits(&self, name: &[u8]) -> bool {
        self.pattern.is_none_or(|pattern| glob::matches(pattern, name))
    }
}

/// From where to go on.
pub fn cursor(text: &[u8]) -> Result<u64, Refusal> {
    let digits = std::str::from_utf8(text).ok().filter(|it| !it.starts_with('+'));
    digits.and_then(|it| it.parse().ok()).ok_or(Refusal::new("ERR invalid cursor"))
}

/// The object in a slot, if it is in this database and fresh.
fn fresh<'a>(call: &'a Call<'_, '_>, id: SlotId) -> Option<&'a Object> {
    let (keyspace, now) = (&call.server.keyspace, call.server.now);
    let object = keyspace.object(id).filter(|object| keyspace.db_of(object) == call.client.db)?;
    let is_fresh = keyspace.deadline(id).is_none_or(|at| at > now)
        && object.as_hash().is_none_or(|hash| hash.is_live(now));
    is_fresh.then_some(object)
}

fn scan(call: &mut Call<'_, '_>) -> Done {
    let from = cursor(call.argument(1))?;
    let options = Options::parse(call.arguments.from(2), false)?;
    let bound = call.server.keyspace.bound();
    let mut at = SlotId::try_from(from).unwrap_or(bound);
    let mut slots = options.count.saturating_mul(SLOTS_FOR_A_KEY);
    let (mut seen, mut keys) = (0, Vec::new());
    while at < bound && seen < options.count && slots > 0 {
        if let Some(object) = fresh(call, at) {
            seen += 1;
            let is_kind = |kind: &[u8]| kind.eq_ignore_ascii_case(type_of(object).as_bytes());
            if options.kind.is_none_or(is_kind) && options.admits(object.key()) {
                keys.push(at);
            }
        }
        slots -= 1;
        at += 1;
    }
    let mut digits = itoa::Buffer::new();
    call.reply.array(2);
    call.reply.bulk(digits.format(if at < bound { at } else { 0 }).as_bytes());
    answer(call, &keys);
    Ok(())
}

/// Answers the keys in these places.
fn answer(call: &mut Call<'_, '_>, places: &[SlotId]) {
    call.reply.array(places.len());
    for &id in places {
        let object = call.server.keyspace.object(id);
        call.reply.bulk(object.map(Object::key).unwrap_or_default());
    }
}

fn keys(call: &mut Call<'_, '_>) -> Done {
    let pattern = call.argument(1);
    let is_asked = |object: &Object| glob::matches(pattern, object.key());
    let bound = call.server.keyspace.bound();
    let places: Vec<_> = (0..bound).filter(|&id| fresh(call, id).is_some_and(is_asked)).collect();
    answer(call, &places);
    Ok(())
}

fn randomkey(call: &mut Call<'_, '_>) -> Done {
    let bound = call.server.keyspace.bound();
    let found = (call.server.keyspace.len(call.client.db) > 0).then(|| {
        let mut random = (0..TRIES).map(|_| fastrand::u32(0..bound.max(1)));
        random.find(|&id| fresh(call, id).is_some()).or_else(|| {
            let from = fastrand::u32(0..bound.max(1));
            (from..bound).chain(0..from).find(|&id| fresh(call, id).is_some())
        })
    });
    let object = found.flatten().and_then(|id| call.server.keyspace.object(id));
    call.reply.bulk_or_null(object.map(Object::key));
    Ok(())
}
