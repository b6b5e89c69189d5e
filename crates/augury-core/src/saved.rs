//! What has been learned, as bytes that outlive the process, and back.
//!
//! Beside the flow: whoever has something to keep writes little-endian numbers through [`Writer`]
//! and reads them through [`Reader`], which believes nothing: it asks for no memory by a number
//! that it has read, and every number is brought into its range by whoever reads it. A reader that
//! has failed once answers with zeros and says so at its end, so nobody checks twice.
//!
//! Files, checksums, keys and values are not its business: see the Python package.

use std::fmt;

/// Version of what policies write. Another one is refused: what was learned is then learned anew.
pub const VERSION: u8 = 1;

/// Why bytes are not what a policy wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SavedError {
    /// It ends too early, or goes on after its end.
    Length,
    /// It was written by another version.
    Version(u8),
    /// A number is out of its range: what it counts cannot be so many.
    Range(&'static str),
}

impl fmt::Display for SavedError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SavedError::Length => out.write_str("it is shorter or longer than it says"),
            SavedError::Version(version) => {
                write!(out, "version {version}, where {VERSION} is expected")
            }
            SavedError::Range(what) => write!(out, "the number of {what} is out of its range"),
        }
    }
}

impl std::error::Error for SavedError {}

/// Appends numbers.
#[derive(Debug, Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// One byte.
    pub fn u8(&mut self, number: u8) {
        self.0.push(number);
    }

    /// Two bytes.
    pub fn u16(&mut self, number: u16) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// Four bytes.
    pub fn u32(&mut self, number: u32) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// Four bytes.
    pub fn f32(&mut self, number: f32) {
        self.u32(number.to_bits());
    }

    /// What was written.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Takes numbers from the front.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    has_failed: bool,
}

impl<'a> Reader<'a> {
    /// From the first byte on.
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes, has_failed: false }
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        match self.rest.split_first_chunk::<N>() {
            Some((taken, rest)) => {
                self.rest = rest;
                *taken
            }
            None => {
                self.has_failed = true;
                [0; N]
            }
        }
    }

    /// One byte.
    pub fn u8(&mut self) -> u8 {
        self.take::<1>()[0]
    }

    /// Two bytes.
    pub fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.take())
    }

    /// Four bytes.
    pub fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    /// A number from 0 to `most`; what is none, or below, is 0.
    pub fn f32(&mut self, most: f32) -> f32 {
        f32::from_bits(self.u32()).max(0.0).min(most)
    }

    /// How many there are of something, each of at least `bytes`: no more than there is room for.
    pub fn count(
        &mut self,
        what: &'static str,
        most: usize,
        bytes: usize,
    ) -> Result<usize, SavedError> {
        let count = usize::from(self.u16());
        if self.has_failed || count > most || count * bytes > self.rest.len() {
            return Err(SavedError::Range(what));
        }
        Ok(count)
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Whether all was there, and nothing is left.
    pub fn finish(&self) -> Result<(), SavedError> {
        if self.has_failed || !self.rest.is_empty() { Err(SavedError::Length) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_too_early_is_zeros_and_an_error() {
        let mut reader = Reader::new(&[1, 2, 3]);
        assert_eq!((0x0201, 0), (reader.u16(), reader.u32()));
        assert_eq!(Err(SavedError::Length), reader.finish());
    }

    #[test]
    fn a_number_that_is_none_is_zero() {
        let mut writer = Writer::default();
        for number in [f32::NAN, -1.0, f32::INFINITY, 2.0] {
            writer.f32(number);
        }
        let bytes = writer.finish();
        let mut reader = Reader::new(&bytes);
        let read: [f32; 4] = std::array::from_fn(|_| reader.f32(9.0));
        assert_eq!([0.0, 0.0, 9.0, 2.0], read);
    }

    #[test]
    fn a_count_is_no_larger_than_what_follows() {
        let bytes = [4, 0, 9, 9, 9];
        assert!(Reader::new(&bytes).count("things", 9, 1).is_err());
        assert_eq!(Ok(4), Reader::new(&[4, 0, 9, 9, 9, 9]).count("things", 9, 1));
    }
}
