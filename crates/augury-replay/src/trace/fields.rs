//! The fields of a text record: key, time, size, operation and TTL from bytes.
//!
//! Integers keep their value as object ids; any other key is hashed by XXH64 with seed 0. The
//! fast path of every number is a run of ASCII digits. This module must not know in which column
//! a field stands.

use augury_core::request::Op;
use xxhash_rust::xxh64::xxh64;

use super::error::{Position, TraceError};

/// The object id of a key as written.
///
/// Only the usual way to write an integer counts as one: `007` and `+7` are names, not seven.
pub fn object_id(key: &[u8]) -> u64 {
    let is_canonical = key.first().is_some_and(|first| *first != b'0') || key == b"0";
    match digits(key) {
        Some(number) if is_canonical => number,
        _ => xxh64(key, 0),
    }
}

/// The number of a client or session as written: a whole number from 1 keeps its value where it
/// fits, another name is hashed; 0 or nothing is none.
pub(crate) fn session_id(name: &[u8]) -> u32 {
    match numbered(name) {
        Some(number) if number <= u64::from(u32::MAX) => number as u32,
        _ => (xxh64(name, 0) % u64::from(u32::MAX)) as u32 + 1,
    }
}

/// The number of a namespace by its name, from 1 to 65,535, in the same way; 0 for none.
pub(crate) fn namespace_id(name: &[u8]) -> u16 {
    match numbered(name) {
        Some(number) if number <= u64::from(u16::MAX) => number as u16,
        _ => (xxh64(name, 0) % u64::from(u16::MAX)) as u16 + 1,
    }
}

/// The namespace of a key: its text up to the first `:` or `/`; 0 where it has neither.
pub(crate) fn namespace_of(key: &[u8]) -> u16 {
    memchr::memchr2(b':', b'/', key).map_or(0, |end| namespace_id(&key[..end]))
}

/// The value of a name that is a whole number; nothing written counts as 0.
fn numbered(name: &[u8]) -> Option<u64> {
    if name.is_empty() { Some(0) } else { digits(name) }
}

/// The value of a run of ASCII digits that fits 64 bits.
fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 20 {
        return None;
    }
    text.iter().try_fold(0_u64, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// Where a field stands, for messages.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) file: &'a str,
    pub(crate) line: u64,
}

impl Place<'_> {
    fn not_a_number(self, column: &str, text: &[u8], expected: &'static str) -> TraceError {
        TraceError::NotANumber {
            file: self.file.to_owned(),
            at: Position::Line(self.line),
            column: column.to_owned(),
            found: shown(text),
            expected,
        }
    }

    /// Time in whole seconds; fractions are cut off.
    pub(crate) fn time(self, text: &[u8]) -> Result<u64, TraceError> {
        let whole = text.split(|byte| *byte == b'.').next().unwrap_or_default();
        let fraction = &text[(whole.len() + 1).min(text.len())..];
        if let (Some(time), true) = (digits(whole), fraction.iter().all(u8::is_ascii_digit)) {
            return Ok(time);
        }
        match real(text) {
            Some(time) if (0.0..1e18).contains(&time) => Ok(time as u64),
            _ => Err(self.not_a_number("time", text, "a time in seconds, 0 or later")),
        }
    }

    /// A size in bytes, up to the largest 64-bit number; the caller sums and narrows.
    pub(crate) fn size(self, column: &str, text: &[u8]) -> Result<u64, TraceError> {
        if let Some(size) = digits(text) {
            return Ok(size);
        }
        let (file, at) = (self.file.to_owned(), Position::Line(self.line));
        match real(text) {
            Some(size) if size < 0.0 => {
                Err(TraceError::NegativeSize { file, at, found: shown(text) })
            }
            Some(size) if size > f64::from(u32::MAX) => {
                Err(TraceError::SizeTooLarge { file, at, found: shown(text) })
            }
            Some(size) if size.fract() == 0.0 => Ok(size as u64),
            _ => Err(self.not_a_number(column, text, "a whole number of bytes")),
        }
    }

    /// The size of an object, at least 1 as everywhere in augury.
    pub(crate) fn object_size(self, bytes: u64) -> Result<u32, TraceError> {
        u32::try_from(bytes.max(1)).map_err(|_| TraceError::SizeTooLarge {
            file: self.file.to_owned(),
            at: Position::Line(self.line),
            found: bytes.to_string(),
        })
    }

    /// A TTL in seconds, 0 or empty for none. 136 years and more are all the same.
    pub(crate) fn ttl(self, text: &[u8]) -> Result<u32, TraceError> {
        if text.is_empty() {
            return Ok(0);
        }
        let seconds = match digits(text) {
            Some(seconds) => Some(seconds),
            None => real(text).filter(|ttl| (0.0..1e18).contains(ttl)).map(|ttl| ttl as u64),
        };
        match seconds {
            Some(seconds) => Ok(u32::try_from(seconds).unwrap_or(u32::MAX)),
            None => Err(self.not_a_number("ttl", text, "a TTL in seconds, 0 for none")),
        }
    }

    /// An operation: memcached's names, and the usual words for reading and writing.
    pub(crate) fn operation(self, text: &[u8]) -> Result<Op, TraceError> {
        if text == b"get" {
            return Ok(Op::Get);
        }
        let name = std::str::from_utf8(text).unwrap_or_default();
        Op::from_name(name).or_else(|| synonym(name)).ok_or_else(|| TraceError::UnknownOperation {
            file: self.file.to_owned(),
            at: Position::Line(self.line),
            found: shown(text),
        })
    }
}

fn synonym(name: &str) -> Option<Op> {
    match name.to_ascii_lowercase().as_str() {
        "read" | "r" | "mget" => Some(Op::Get),
        "write" | "w" | "put" | "insert" | "update" | "setex" => Some(Op::Set),
        "remove" | "del" | "unlink" => Some(Op::Delete),
        _ => None,
    }
}

fn real(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.parse::<f64>().ok().filter(|value| value.is_finite())
}

/// A field's text as messages show it.
pub(crate) fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(&text[..text.len().min(160)]);
    if text.chars().count() <= 40 {
        return text.into_owned();
    }
    text.chars().take(40).chain("...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place<'static> = Place { file: "t", line: 7 };

    #[test]
    fn integers_keep_their_value_and_names_are_hashed() {
        assert_eq!(0, object_id(b"0"));
        assert_eq!(u64::MAX, object_id(b"18446744073709551615"));
        for name in ["18446744073709551616", "007", "-1", "user:7", ""] {
            assert_eq!(xxh64(name.as_bytes(), 0), object_id(name.as_bytes()));
        }
        assert_eq!(0xef46_db37_51d8_e999, object_id(b""), "XXH64 of nothing, seed 0");
    }

    #[test]
    fn sessions_and_namespaces_keep_small_numbers_and_hash_names() {
        assert_eq!([0, 0, 7, u32::MAX], [&b""[..], b"0", b"7", b"4294967295"].map(session_id));
        assert!(session_id(b"4294967296") > 0 && session_id(b"alice") > 0);
        assert_ne!(session_id(b"alice"), session_id(b"bob"));
        assert_eq!(namespace_of(b"user:1"), namespace_of(b"user:2"));
        assert_eq!(namespace_of(b"user:1"), namespace_of(b"user/1:x"));
        assert_ne!(namespace_of(b"user:1"), namespace_of(b"page:1"));
        assert_eq!([0, 0, 65_535], [&b"user"[..], b":x", b"65535:x"].map(namespace_of));
        assert!(namespace_of(b"65536:x") > 0);
    }

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(12, HERE.time(b"12.999").unwrap());
        assert_eq!(1500, HERE.time(b"1.5e3").unwrap());
        assert_eq!(64, HERE.size("size", b"64.0").unwrap());
        assert_eq!(1, HERE.object_size(0).unwrap());
        assert_eq!(0, HERE.ttl(b"").unwrap());
        assert_eq!(u32::MAX, HERE.ttl(b"99999999999").unwrap());
        assert_eq!(Op::Set, HERE.operation(b"PUT").unwrap());
    }

    #[test]
    fn what_is_not_a_number_gets_its_own_error() {
        let code = |result: Result<u64, TraceError>| result.unwrap_err().code();
        assert_eq!("not_a_number", code(HERE.time(b"-3")));
        assert_eq!("not_a_number", code(HERE.time(b"nan")));
        assert_eq!("negative_size", code(HERE.size("size", b"-3")));
        assert_eq!("not_a_number", code(HERE.size("size", b"big")));
        assert_eq!("size_too_large", code(HERE.size("size", b"1e300")));
        assert_eq!("size_too_large", HERE.object_size(1 << 32).unwrap_err().code());
        assert_eq!("not_a_number", HERE.ttl(b"-1").unwrap_err().code());
        assert_eq!("unknown_operation", HERE.operation(b"fly").unwrap_err().code());
    }
}
