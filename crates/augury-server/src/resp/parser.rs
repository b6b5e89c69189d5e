//! Bytes to commands, resumed where they end.
//!
//! A [`Batch`](super::batch::Batch) holds what a client has sent at once, so that the commands can be looked at before the
//! first of them runs. Nothing is allocated by a declared length: a command's parts are ranges of the bytes that have
//! come. Declared numbers are checked against limits, which are far lower before a client has
//! authenticated (CVE-2021-32675 and its kin).

use std::ops::Range;

use memchr::memchr;
use thiserror::Error;

/// Longest line: a header, or an inline command.
const LINE_MAX: usize = 64 << 10;

/// What a client may send.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Arguments of one command, its name among them.
    pub arguments: usize,
    /// Bytes of one argument.
    pub bulk: usize,
}

impl Limits {
    /// For who has not authenticated yet, and has to.
    pub const STRANGER: Limits = Limits { arguments: 10, bulk: 16 << 10 };
}

/// What is not the protocol. The connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[allow(missing_docs)]
pub enum ProtocolError {
    #[error("Protocol error: invalid multibulk length")]
    Count,
    #[error("Protocol error: unauthenticated multibulk length")]
    StrangersCount,
    #[error("Protocol error: invalid bulk length")]
    Length,
    #[error("Protocol error: unauthenticated bulk length")]
    StrangersLength,
    #[error("Protocol error: expected '$', got '{}'", .0.escape_ascii())]
    Marker(u8),
    #[error("Protocol error: too big mbulk count string")]
    CountLine,
    #[error("Protocol error: too big bulk count string")]
    LengthLine,
    #[error("Protocol error: too big inline request")]
    Inline,
    #[error("Protocol error: unbalanced quotes in request")]
    Quotes,
}

/// A command that has begun to come.
#[derive(Debug, Default)]
struct Begun {
    /// Arguments still to come.
    missing: usize,
    /// Length of the argument whose header has come.
    bulk: Option<usize>,
}

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct Parser {
    begun: Option<Begun>,
    /// How far the present command has been read.
    at: usize,
    /// Where the present command begins.
    start: usize,
    ranges: Vec<Range<usize>>,
    /// Arguments of inline commands, which are not where they came from: quotes are resolved.
    inline: Vec<u8>,
    is_inline: bool,
}

/// The arguments of one command, its name first.
#[derive(Clone, Copy)]
pub struct Arguments<'a> {
    bytes: &'a [u8],
    ranges: &'a [Range<usize>],
}

impl<'a> Arguments<'a> {
    /// Arguments that are ranges of `bytes`.
    ///
    /// Panics on access where a range is not within them.
    pub fn new(bytes: &'a [u8], ranges: &'a [Range<usize>]) -> Arguments<'a> {
        Arguments { bytes, ranges }
    }

    /// How many there are, the command's name among them.
    #[inline]
    pub fn len(self) -> usize {
        self.ranges.len()
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.ranges.is_empty()
    }

    /// The argument at a position, if there are so many.
    #[inline]
    pub fn get(self, at: usize) -> Option<&'a [u8]> {
        self.ranges.get(at).map(|range| &self.bytes[range.clone()])
    }

    /// All of them, in order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = &'a [u8]> + Clone {
        self.ranges.iter().map(move |range| &self.bytes[range.clone()])
    }

    /// Those from a position on.
    pub fn from(self, at: usize) -> Arguments<'a> {
        Arguments { bytes: self.bytes, ranges: self.ranges.get(at..).unwrap_or_default() }
    }
}

impl std::ops::Index<usize> for Arguments<'_> {
    type Output = [u8];

    #[inline]
    fn index(&self, at: usize) -> &[u8] {
        &self.bytes[self.ranges[at].clone()]
    }
}

impl Parser {
    /// Reads the next whole command, which is then in [`Parser::ranges`]; false where more has to
    /// come. Empty commands (blank lines) are skipped.
    ///
    /// # Errors
    /// The bytes are not the protocol, or beyond the limits: the connection cannot go on.
    #[inline]
    pub(super) fn next(&mut self, input: &[u8], limits: Limits) -> Result<bool, ProtocolError> {
        loop {
            let is_whole = match self.begun {
                None => {
                    self.begin(input, limits)? && (self.is_inline || self.go_on(input, limits)?)
                }
                Some(_) => self.go_on(input, limits)?,
            };
            if !is_whole {
                return Ok(false);
            }
            self.begun = None;
            if !self.ranges.is_empty() {
                return Ok(true);
            }
            self.start = self.at;
        }
    }

    /// The arguments of the command just read: ranges of the input, or of the inline text.
    #[inline]
    pub(super) fn ranges(&self) -> &[Range<usize>] {
        &self.ranges
    }

    /// Where the command just read ends.
    #[inline]
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Whether the command just read is an inline one.
    #[inline]
    pub(super) fn is_inline(&self) -> bool {
        self.is_inline
    }

    /// The text of the inline command just read.
    pub(super) fn take_inline(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.inline)
    }

    /// Gives the command just read back: it will be read once more.
    pub(super) fn back(&mut self) {
        self.at = self.start;
    }

    /// All whole commands have run: how many bytes of the input the caller is to drop.
    pub(super) fn settle(&mut self) -> usize {
        let start = if self.begun.is_some() { self.start } else { self.at };
        self.at -= start;
        self.start = 0;
        if self.begun.is_some() {
            for range in &mut self.ranges {
                *range = range.start - start..range.end - start;
            }
        }
        start
    }

    /// How many bytes the input will have when the argument that is coming is complete, if one is.
    pub(super) fn wants(&self) -> Option<usize> {
        let bulk = self.begun.as_ref()?.bulk?;
        Some(self.at + bulk + 2)
    }

    fn begin(&mut self, input: &[u8], limits: Limits) -> Result<bool, ProtocolError> {
        self.ranges.clear();
        self.start = self.at;
        let Some(&first) = input.get(self.at) else { return Ok(false) };
        if first != b'*' {
            self.is_inline = true;
            return self.begin_inline(input, limits);
        }
        self.is_inline = false;
        let Some((line, next)) = header(&input[self.at + 1..]) else {
            return if input.len() - self.at > LINE_MAX {
                Err(ProtocolError::CountLine)
            } else {
                Ok(false)
            };
        };
        let count = number(line).ok_or(ProtocolError::Count)?;
        if count > i64::from(i32::MAX) {
            return Err(ProtocolError::Count);
        }
        let count = usize::try_from(count).unwrap_or(0);
        if count > limits.arguments {
            let is_strangers = limits.arguments == Limits::STRANGER.arguments;
            return Err(if is_strangers {
                ProtocolError::StrangersCount
            } else {
                ProtocolError::Count
            });
        }
        self.at += 1 + next;
        self.begun = Some(Begun { missing: count, bulk: None });
        Ok(true)
    }

    fn go_on(&mut self, input: &[u8], limits: Limits) -> Result<bool, ProtocolError> {
        let Some(begun) = &mut self.begun else { return Ok(false) };
        while begun.missing > 0 {
            let length = match begun.bulk {
                Some(length) => length,
                None => {
                    let Some(&marker) = input.get(self.at) else { return Ok(false) };
                    if marker != b'$' {
                        return Err(ProtocolError::Marker(marker));
                    }
                    let Some((line, next)) = header(&input[self.at + 1..]) else {
                        return if input.len() - self.at > LINE_MAX {
                            Err(ProtocolError::LengthLine)
                        } else {
                            Ok(false)
                        };
                    };
                    let length = number(line)
                        .and_then(|length| usize::try_from(length).ok())
                        .ok_or(ProtocolError::Length)?;
                    if length > limits.bulk {
                        let is_strangers = limits.bulk == Limits::STRANGER.bulk;
                        return Err(if is_strangers {
                            ProtocolError::StrangersLength
                        } else {
                            ProtocolError::Length
                        });
                    }
                    self.at += 1 + next;
                    begun.bulk = Some(length);
                    length
                }
            };
            if input.len() < self.at + length + 2 {
                return Ok(false);
            }
            self.ranges.push(self.at..self.at + length);
            self.at += length + 2;
            begun.bulk = None;
            begun.missing -= 1;
        }
        Ok(true)
    }

    fn begin_inline(&mut self, input: &[u8], limits: Limits) -> Result<bool, ProtocolError> {
        let rest = &input[self.at..];
        let Some(end) = memchr(b'\n', rest) else {
            return if rest.len() > LINE_MAX { Err(ProtocolError::Inline) } else { Ok(false) };
        };
        if end > LINE_MAX {
            return Err(ProtocolError::Inline);
        }
        let line = &rest[..end];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        self.inline.clear();
        split_quoted(line, &mut self.inline, &mut self.ranges).ok_or(ProtocolError::Quotes)?;
        if self.ranges.len() > limits.arguments {
            return Err(ProtocolError::StrangersCount);
        }
        self.at += end + 1;
        Ok(true)
    }
}

/// The line up to CR LF, and where the next begins. Redis looks for the CR and skips one more.
#[inline]
fn header(input: &[u8]) -> Option<(&[u8], usize)> {
    // Headers are short: a plain look beats a search that is made for long texts.
    let window = &input[..input.len().min(32)];
    let end = match window.iter().position(|&byte| byte == b'\r') {
        Some(end) => end,
        None if input.len() <= 32 => return None,
        None => memchr(b'\r', input)?,
    };
    (end + 1 < input.len()).then(|| (&input[..end], end + 2))
}

/// A decimal number as Redis's `string2ll` reads it: no space, no plus, no leading zero.
#[inline]
pub fn number(digits: &[u8]) -> Option<i64> {
    let (is_negative, digits) = match digits {
        [b'-', rest @ ..] => (true, rest),
        all => (false, all),
    };
    match digits {
        [] => return None,
        [b'0'] if !is_negative => return Some(0),
        [b'0', ..] => return None,
        _ if digits.len() > 19 => return None,
        _ => {}
    }
    let mut value: u64 = 0;
    for &byte in digits {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?;
    }
    if is_negative { 0i64.checked_sub_unsigned(value) } else { i64::try_from(value).ok() }
}

/// Splits a line as a shell would: spaces part, `"..."` with escapes and `'...'` keep together.
/// None where a quote is not closed or closes before a letter.
pub fn split_quoted(line: &[u8], out: &mut Vec<u8>, ranges: &mut Vec<Range<usize>>) -> Option<()> {
    let mut at = 0;
    loop {
        while line.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        }
        if at == line.len() {
            return Some(());
        }
        let from = out.len();
        while let Some(&byte) = line.get(at).filter(|byte| !byte.is_ascii_whitespace()) {
            at += 1;
            if byte != b'"' && byte != b'\'' {
                out.push(byte);
                continue;
            }
            loop {
                let next = *line.get(at)?;
                at += 1;
                if next == byte {
                    break;
                }
                if next != b'\\' {
                    out.push(next);
                } else if byte == b'\'' {
                    if line.get(at) == Some(&b'\'') {
                        at += 1;
                        out.push(b'\'');
                    } else {
                        out.push(b'\\');
                    }
                } else {
                    at += escape(line.get(at..)?, out)?;
                }
            }
            if line.get(at).is_some_and(|next| !next.is_ascii_whitespace()) {
                return None;
            }
        }
        ranges.push(from..out.len());
    }
}

/// What stands behind a backslash in double quotes; how many bytes that is.
fn escape(rest: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    if let [b'x', high, low, ..] = *rest
        && let Some((high, low)) = char::from(high).to_digit(16).zip(char::from(low).to_digit(16))
    {
        out.push((high * 16 + low) as u8);
        return Some(3);
    }
    out.push(match *rest.first()? {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'a' => 7,
        other => other,
    });
    Some(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_strictly() {
        let read = |text: &str| number(text.as_bytes());
        assert_eq!((Some(0), Some(-7)), (read("0"), read("-7")));
        assert_eq!(Some(i64::MIN), read("-9223372036854775808"));
        assert_eq!(Some(i64::MAX), read("9223372036854775807"));
        for wrong in ["", "-", "-0", "01", "+1", " 1", "1 ", "9223372036854775808", "1e3"] {
            assert_eq!(None, read(wrong), "{wrong:?}");
        }
    }
}
