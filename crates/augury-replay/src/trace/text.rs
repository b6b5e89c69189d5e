//! The lines of any text file, for whoever turns logs into traces.
//!
//! Beside the trace readers: the same decompression, the same bounded lines and the same words
//! about what is wrong with them, without a format. This module must not know what a line means.

use super::bytes::ByteStream;
use super::error::TraceError;
use super::lines::Lines;

/// A chunk ends behind this many bytes of text.
const CHUNK_BYTES: usize = 1 << 20;

/// One line: its number from 1, and its text or what is wrong with it.
pub type NumberedLine = (u64, Result<String, TraceError>);

/// Reads a file, plain or compressed by zstd or gzip, line by line.
pub struct TextLines {
    lines: Lines,
    failure: Option<TraceError>,
}

impl TextLines {
    /// Opens a file, or standard input for `-`.
    pub fn open(name: &str) -> Result<Self, TraceError> {
        Ok(TextLines { lines: Lines::new(ByteStream::open(name)?), failure: None })
    }

    /// Replaces the contents of `chunk` by the next lines, blank ones left out; none at the end.
    ///
    /// Waits for one line and takes what else has come in, so that a log which grows slowly is
    /// handed on as it grows. Lines before a failure are handed out before it.
    pub fn next_chunk(&mut self, chunk: &mut Vec<NumberedLine>) -> Result<(), TraceError> {
        chunk.clear();
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let mut bytes = 0;
        while bytes < CHUNK_BYTES && (chunk.is_empty() || self.lines.has_line()) {
            let line = match self.lines.next_line() {
                Ok(None) => break,
                Ok(Some(line)) => Ok(String::from_utf8_lossy(line).into_owned()),
                Err(error) if is_about_a_line(&error) => Err(error),
                Err(error) if chunk.is_empty() => return Err(error),
                Err(error) => {
                    self.failure = Some(error);
                    break;
                }
            };
            bytes += line.as_ref().map_or(0, String::len) + size_of::<NumberedLine>();
            chunk.push((self.lines.number(), line));
        }
        Ok(())
    }
}

fn is_about_a_line(error: &TraceError) -> bool {
    matches!(error, TraceError::LineTooLong { .. } | TraceError::BinaryData { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(contents: &[u8]) -> TextLines {
        let bytes = std::io::Cursor::new(contents.to_vec());
        let bytes = ByteStream::from_reader("log", Box::new(bytes), None).unwrap();
        TextLines { lines: Lines::new(bytes), failure: None }
    }

    fn all(mut lines: TextLines) -> Vec<(u64, Result<String, &'static str>)> {
        let (mut found, mut chunk) = (Vec::new(), Vec::new());
        loop {
            lines.next_chunk(&mut chunk).unwrap();
            if chunk.is_empty() {
                return found;
            }
            found.extend(chunk.drain(..).map(|(at, line)| (at, line.map_err(|e| e.code()))));
        }
    }

    #[test]
    fn lines_have_their_numbers_and_bad_ones_their_fault() {
        let long = vec![b'x'; super::super::LINE_LIMIT + 1];
        let contents = [&b"one\n\n"[..], &long, b"\nt\xffo\r\nlast"].concat();
        let expected = vec![
            (1, Ok("one".to_owned())),
            (3, Err("line_too_long")),
            (4, Err("binary_data")),
            (5, Ok("last".to_owned())),
        ];
        assert_eq!(expected, all(lines_of(&contents)));
    }

    #[test]
    fn lines_before_damage_are_handed_out_before_it() {
        let mut stored = zstd::encode_all(&b"one\ntwo\n".repeat(100_000)[..], 3).unwrap();
        stored.truncate(stored.len() / 2);
        let mut lines = lines_of(&stored);
        let (mut count, mut chunk) = (0, Vec::new());
        let failure = loop {
            match lines.next_chunk(&mut chunk) {
                Ok(()) => assert!(!chunk.is_empty()),
                Err(error) => break error,
            }
            count += chunk.len();
        };
        assert_eq!("bad_compression", failure.code());
        assert!(count > 0);
        lines.next_chunk(&mut chunk).unwrap();
        assert!(chunk.is_empty());
    }
}
