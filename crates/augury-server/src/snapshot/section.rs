//! Sections of a file: bytes with their kind, length and checksum.

use std::io::{self, Read, Write};

use xxhash_rust::xxh3::Xxh3Default;

/// The first bytes of every snapshot.
pub(super) const MAGIC: [u8; 8] = *b"\x93AUGURY\n";
/// Version of the format; another one is refused.
pub(super) const VERSION: u32 = 1;

/// What a section holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// When it was written, how much there is, by which policy.
    About = 1,
    /// What the policy has learned.
    Learned = 2,
    /// Entries, one after the other.
    Entries = 3,
    /// How many entries there were.
    End = 4,
}

/// Why a snapshot was refused, or not written.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// It begins otherwise than a snapshot.
    #[error("it is no snapshot of augury")]
    Magic,
    /// It was written by another version.
    #[error("it has version {0}, where {VERSION} is expected")]
    Version(u32),
    /// A section's bytes are not those that were written.
    #[error("section {0} is damaged: its checksum is another")]
    Checksum(u64),
    /// A section is not what is expected where it stands.
    #[error("section {section} is damaged: {what}")]
    Content {
        /// Its number, from 0.
        section: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// It ends too early.
    #[error("it ends within section {0}")]
    Truncated(u64),
    /// The server is to end: the snapshot was given up.
    #[error("it was given up, as the server ends")]
    Cancelled,
    /// The system refused.
    #[error("{0}")]
    Io(#[from] io::Error),
}

fn checksum(kind: u8, number: u64, bytes: &[u8]) -> u64 {
    let mut hash = Xxh3Default::new();
    hash.update(&[kind]);
    hash.update(&number.to_le_bytes());
    hash.update(&(bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
    hash.digest()
}

/// Writes sections.
pub(super) struct SectionWriter<W> {
    to: W,
    number: u64,
    bytes: u64,
}

impl<W: Write> SectionWriter<W> {
    pub(super) fn new(mut to: W) -> io::Result<SectionWriter<W>> {
        to.write_all(&MAGIC)?;
        to.write_all(&VERSION.to_le_bytes())?;
        Ok(SectionWriter { to, number: 0, bytes: 12 })
    }

    pub(super) fn write(&mut self, kind: Kind, bytes: &[u8]) -> io::Result<()> {
        let kind = kind as u8;
        self.to.write_all(&[kind])?;
        self.to.write_all(&(bytes.len() as u64).to_le_bytes())?;
        self.to.write_all(bytes)?;
        self.to.write_all(&checksum(kind, self.number, bytes).to_le_bytes())?;
        self.number += 1;
        self.bytes += 17 + bytes.len() as u64;
        Ok(())
    }

    /// Bytes so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn into_inner(self) -> W {
        self.to
    }
}

/// Reads sections.
pub(super) struct SectionReader<R> {
    from: R,
    number: u64,
    buffer: Vec<u8>,
}

impl<R: Read> SectionReader<R> {
    pub(super) fn new(mut from: R) -> Result<SectionReader<R>, SnapshotError> {
        let mut magic = [0; MAGIC.len()];
        let mut version = [0; 4];
        let whole = |error: io::Error| match error.kind() {
            io::ErrorKind::UnexpectedEof => SnapshotError::Magic,
            _ => error.into(),
        };
        from.read_exact(&mut magic).map_err(whole)?;
        if magic != MAGIC {
            return Err(SnapshotError::Magic);
        }
        from.read_exact(&mut version).map_err(whole)?;
        match u32::from_le_bytes(version) {
            VERSION => Ok(SectionReader { from, number: 0, buffer: Vec::new() }),
            other => Err(SnapshotError::Version(other)),
        }
    }

    /// Number of the section that [`SectionReader::next`] read last.
    pub(super) fn number(&self) -> u64 {
        self.number.saturating_sub(1)
    }

    /// The next section, checked. The buffer grows with what comes, not with what is announced.
    pub(super) fn next(&mut self) -> Result<(Kind, &[u8]), SnapshotError> {
        let number = self.number;
        let truncated = |error: io::Error| match error.kind() {
            io::ErrorKind::UnexpectedEof => SnapshotError::Truncated(number),
            _ => error.into(),
        };
        let (mut kind, mut length, mut sum) = ([0; 1], [0; 8], [0; 8]);
        self.from.read_exact(&mut kind).map_err(truncated)?;
        self.from.read_exact(&mut length).map_err(truncated)?;
        let length = u64::from_le_bytes(length);
        self.buffer.clear();
        let read = self.from.by_ref().take(length).read_to_end(&mut self.buffer)?;
        if (read as u64) < length {
            return Err(SnapshotError::Truncated(number));
        }
        self.from.read_exact(&mut sum).map_err(truncated)?;
        if checksum(kind[0], number, &self.buffer) != u64::from_le_bytes(sum) {
            return Err(SnapshotError::Checksum(number));
        }
        self.number += 1;
        let kind = match kind[0] {
            1 => Kind::About,
            2 => Kind::Learned,
            3 => Kind::Entries,
            4 => Kind::End,
            _ => {
                return Err(SnapshotError::Content {
                    section: number,
                    what: "its kind is unknown",
                });
            }
        };
        Ok((kind, &self.buffer))
    }

    /// Whether nothing comes any more.
    pub(super) fn is_done(&mut self) -> Result<bool, SnapshotError> {
        Ok(self.from.read(&mut [0])? == 0)
    }
}
