//! One entry as bytes, and back.
//!
//! ```text
//! flags | marks and database | key | [deadline] | [history] | text or fields
//! text:   [memcached's flags, unique] | length | bytes
//! fields: count | (field | value | deadline, 0 for none) ...
//! ```
//! Lengths and counts have four or eight bytes, little endian as everything.

use augury_core::clock::Millis;
use augury_core::history::{SAVED_BYTES, SavedHistory};

use crate::keyspace::Kept;
use crate::object::hash::Hash;
use crate::object::{Content, DATABASES, Extra, KEY_MAX, Marks, Object, VALUE_MAX};

const DEADLINE: u8 = 1;
const HISTORY: u8 = 2;
const EXTRA: u8 = 4;
const FIELDS: u8 = 8;

/// An entry that was read.
pub struct Entry {
    /// Key and value.
    pub object: Object,
    /// From this moment of Unix time on it is expired.
    pub deadline: Option<Millis>,
    /// What was remembered of it.
    pub history: Option<SavedHistory>,
}

/// Appends an entry.
pub fn encode(kept: &Kept<'_>, now: Millis, out: &mut Vec<u8>) {
    let object = kept.object;
    let fields = match object.content() {
        Content::Hash(fields) => Some(fields),
        Content::Text(_) => None,
    };
    let mut flags = 0;
    for (flag, is_set) in [
        (DEADLINE, kept.deadline.is_some()),
        (HISTORY, kept.history.is_some()),
        (EXTRA, object.extra().is_some()),
        (FIELDS, fields.is_some()),
    ] {
        flags |= if is_set { flag } else { 0 };
    }
    out.extend([flags, object.marks().bits() & !Marks::EXTRA.bits() | kept.db]);
    put(out, object.key());
    if let Some(at) = kept.deadline {
        out.extend(at.to_le_bytes());
    }
    if let Some(history) = kept.history {
        out.extend(history.to_bytes());
    }
    match object.content() {
        Content::Text(value) => {
            if let Some(extra) = object.extra() {
                out.extend(extra.flags.to_le_bytes());
                out.extend(extra.unique.to_le_bytes());
                out.extend(extra.accessed.to_le_bytes());
                out.push(u8::from(extra.is_fetched));
            }
            put(out, value);
        }
        Content::Hash(fields) => put_fields(fields, now, out),
    }
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend((bytes.len() as u32).to_le_bytes());
    out.extend_from_slice(bytes);
}

fn put_fields(fields: &Hash, now: Millis, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend(0u64.to_le_bytes());
    let mut count = 0u64;
    for (field, value, deadline) in (0..fields.len()).filter_map(|at| fields.at(at)) {
        if deadline.is_some_and(|at| at <= now) {
            continue;
        }
        put(out, field);
        put(out, value);
        out.extend(deadline.unwrap_or(0).to_le_bytes());
        count += 1;
    }
    out[start..start + 8].copy_from_slice(&count.to_le_bytes());
}

/// Takes an entry from the front; none where the bytes are no entry.
pub fn decode(from: &mut &[u8], now: Millis) -> Option<Entry> {
    let [flags, marks] = take(from)?;
    if flags & !(DEADLINE | HISTORY | EXTRA | FIELDS) != 0 {
        return None;
    }
    let db = marks & 0x0f;
    let marks = Marks::from_bits_truncate(marks & !0x0f & !Marks::EXTRA.bits());
    let key = text(from, KEY_MAX)?;
    if db >= DATABASES {
        return None;
    }
    let deadline = match flags & DEADLINE {
        0 => None,
        _ => Some(u64::from_le_bytes(take(from)?)),
    };
    let history = match flags & HISTORY {
        0 => None,
        _ => Some(SavedHistory::from_bytes(&take::<SAVED_BYTES>(from)?)),
    };
    if flags & FIELDS != 0 {
        let fields = take_fields(from, now)?;
        return Some(Entry { object: Object::hash(db, key, fields), deadline, history });
    }
    let extra = match flags & EXTRA {
        0 => None,
        _ => {
            let flags = u32::from_le_bytes(take(from)?);
            let unique = u64::from_le_bytes(take(from)?);
            let accessed = u32::from_le_bytes(take(from)?);
            let is_fetched = take(from)? != [0];
            Some(Extra { flags, unique, accessed, is_fetched })
        }
    };
    let value = text(from, VALUE_MAX)?;
    Some(Entry { object: Object::joined(db, key, &[value], marks, extra), deadline, history })
}

fn take_fields(from: &mut &[u8], now: Millis) -> Option<Hash> {
    let mut fields = Hash::default();
    for _ in 0..u64::from_le_bytes(take(from)?) {
        let (field, value) = (text(from, VALUE_MAX)?, text(from, VALUE_MAX)?);
        let deadline = Some(u64::from_le_bytes(take(from)?)).filter(|&at| at != 0);
        if deadline.is_none_or(|at| at > now) {
            fields.set_until(field, value, deadline);
        }
    }
    Some(fields)
}

fn take<const N: usize>(from: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = from.split_first_chunk::<N>()?;
    *from = rest;
    Some(*taken)
}

fn text<'a>(from: &mut &'a [u8], most: usize) -> Option<&'a [u8]> {
    let length = u32::from_le_bytes(take(from)?) as usize;
    if length > most {
        return None;
    }
    let (text, rest) = from.split_at_checked(length)?;
    *from = rest;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_in_comes_out() {
        let mut fields = Hash::default();
        fields.set(b"stays", b"1");
        fields.set_until(b"leaves", b"2", Some(1_000));
        fields.set_until(b"gone", b"3", Some(5));
        let extra = Some(Extra { flags: 7, unique: 9, accessed: 5, is_fetched: true });
        let history = Some(SavedHistory::counted(3));
        for (object, deadline, history) in [
            (Object::text(0, b"k", b"v"), None, None),
            (Object::joined(15, b"", &[b""], Marks::RAW, None), Some(77), history),
            (Object::joined(1, b"m", &[b"x"], Marks::STALE | Marks::WON, extra), None, history),
            (Object::hash(3, b"h", fields), Some(2_000), None),
        ] {
            let mut bytes = Vec::new();
            encode(&Kept { db: object.db(), object: &object, deadline, history }, 10, &mut bytes);
            let mut rest = &bytes[..];
            let back = decode(&mut rest, 10).expect("it was written");
            assert!(rest.is_empty() && back.object.is_under(object.db(), object.key()));
            assert_eq!(object.as_text(), back.object.as_text());
            assert_eq!(
                (object.marks(), object.extra()),
                (back.object.marks(), back.object.extra())
            );
            assert_eq!((deadline, history), (back.deadline, back.history));
            if let Some(fields) = back.object.as_hash() {
                assert_eq!((2, Some(Some(1_000))), (fields.len(), fields.deadline(b"leaves", 10)));
            }
            for length in 0..bytes.len() {
                assert!(decode(&mut &bytes[..length], 10).is_none(), "{length} bytes");
            }
        }
    }
}
