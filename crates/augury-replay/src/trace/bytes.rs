//! A trace's contents as one bounded window of bytes, decompressed on the way.
//!
//! First step of reading: compression is told by magic bytes, never by name. The window is
//! [`WINDOW`] bytes; whatever a file claims, no more of it is held here. Plain `read` into a
//! buffer that stays in the second-level cache is several times faster than any record decoder
//! behind it, so there is no memory map (and no fault when the file shrinks under us).
//! This module must not know records.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::TraceError;

/// Bytes of contents held at once.
pub(crate) const WINDOW: usize = 256 * 1024;

/// How the contents are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// Zstandard.
    Zstd,
    /// gzip.
    Gzip,
}

impl Compression {
    /// Told by the first bytes of a file.
    pub fn of_magic(head: &[u8]) -> Compression {
        match head {
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd,
            // A skippable frame, with which parallel compressors begin.
            [first, 0x2a, 0x4d, 0x18, ..] if first & 0xf0 == 0x50 => Compression::Zstd,
            [0x1f, 0x8b, 0x08, ..] => Compression::Gzip,
            _ => Compression::None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Compression::None => "uncompressed",
            Compression::Zstd => "zstd",
            Compression::Gzip => "gzip",
        }
    }
}

/// How much of the file, as stored, has been read; shared with whoever draws a progress bar.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    read: Arc<AtomicU64>,
    total: Option<u64>,
}

impl Progress {
    /// Share of the file read, 0 to 1; `None` where the length is unknown.
    pub fn fraction(&self) -> Option<f64> {
        let total = self.total.filter(|total| *total > 0)?;
        Some((self.read.load(Ordering::Relaxed) as f64 / total as f64).min(1.0))
    }
}

struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// The window over a trace's contents.
pub(crate) struct ByteStream {
    file: Arc<str>,
    inner: Box<dyn Read + Send>,
    window: Box<[u8]>,
    start: usize,
    end: usize,
    offset: u64,
    at_end: bool,
    damaged: bool,
    failure: Option<TraceError>,
    compression: Compression,
    stored_bytes: Option<u64>,
    progress: Progress,
}

impl ByteStream {
    /// Opens a file, or standard input for `-`.
    pub(crate) fn open(name: &str) -> Result<Self, TraceError> {
        if name == "-" {
            return Self::from_reader(name, Box::new(io::stdin()), None);
        }
        let cannot_open = |source| TraceError::CannotOpen { file: name.to_owned(), source };
        let file = File::open(name).map_err(cannot_open)?;
        let metadata = file.metadata().map_err(cannot_open)?;
        if metadata.is_dir() {
            return Err(cannot_open(io::ErrorKind::IsADirectory.into()));
        }
        let stored = metadata.is_file().then_some(metadata.len());
        Self::from_reader(name, Box::new(file), stored)
    }

    /// Reads from any source; `stored_bytes` is its length where known.
    pub(crate) fn from_reader(
        name: &str,
        mut raw: Box<dyn Read + Send>,
        stored_bytes: Option<u64>,
    ) -> Result<Self, TraceError> {
        let cannot_read =
            |source| TraceError::CannotRead { file: name.to_owned(), offset: 0, source };
        let mut head = Vec::with_capacity(8);
        raw.by_ref().take(8).read_to_end(&mut head).map_err(cannot_read)?;
        let compression = Compression::of_magic(&head);
        let progress = Progress { read: Arc::default(), total: stored_bytes };
        let raw = Counted { inner: io::Cursor::new(head).chain(raw), read: progress.read.clone() };
        let inner: Box<dyn Read + Send> = match compression {
            Compression::None => Box::new(raw),
            Compression::Zstd => Box::new(zstd::Decoder::new(raw).map_err(cannot_read)?),
            Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(
                io::BufReader::with_capacity(WINDOW / 4, raw),
            )),
        };
        let mut stream = ByteStream {
            file: name.into(),
            inner,
            window: vec![0; WINDOW].into_boxed_slice(),
            start: 0,
            end: 0,
            offset: 0,
            at_end: false,
            damaged: false,
            failure: None,
            compression,
            stored_bytes,
            progress,
        };
        if stream.at_least(1)?.is_empty() {
            let found = match compression {
                Compression::None => "the file has 0 bytes".to_owned(),
                other => format!("the {} stream has 0 bytes of contents", other.name()),
            };
            return Err(TraceError::Empty { file: name.to_owned(), found });
        }
        Ok(stream)
    }

    /// The unread bytes, at least `count` of them (at most [`WINDOW`]) unless the contents end.
    ///
    /// Damage is reported once, when fewer bytes are left than asked for; the bytes before it can
    /// still be read, then the contents end.
    pub(crate) fn at_least(&mut self, count: usize) -> Result<&[u8], TraceError> {
        if self.end - self.start < count {
            self.fill(count);
            if self.end - self.start < count
                && let Some(failure) = self.failure.take()
            {
                return Err(failure);
            }
        }
        Ok(&self.window[self.start..self.end])
    }

    /// A look at the unread bytes, as many as the window holds; damage is left to be reported by
    /// whoever reads on.
    pub(crate) fn peek(&mut self) -> &[u8] {
        self.fill(WINDOW);
        &self.window[self.start..self.end]
    }

    /// The unread bytes that are in the window already.
    pub(crate) fn at_hand(&self) -> &[u8] {
        &self.window[self.start..self.end]
    }

    fn fill(&mut self, count: usize) {
        debug_assert!(count <= WINDOW);
        self.window.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while self.end < count && !self.at_end {
            match self.inner.read(&mut self.window[self.end..]) {
                Ok(0) => self.at_end = true,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.at_end = true;
                    self.damaged = true;
                    self.failure = Some(self.describe(error));
                }
            }
        }
    }

    /// Marks the first `count` unread bytes as read.
    pub(crate) fn consume(&mut self, count: usize) {
        debug_assert!(count <= self.end - self.start);
        self.start += count;
        self.offset += count as u64;
    }

    fn describe(&self, error: io::Error) -> TraceError {
        let offset = self.offset + (self.end - self.start) as u64;
        let file = self.file.to_string();
        match self.compression {
            Compression::None => TraceError::CannotRead { file, offset, source: error },
            damaged => TraceError::BadCompression {
                file,
                compression: damaged.name(),
                offset,
                detail: error.to_string(),
            },
        }
    }

    /// The file as the caller named it.
    pub(crate) fn file(&self) -> Arc<str> {
        self.file.clone()
    }

    /// Whether the contents ended by damage: a record cut off there is part of that damage.
    pub(crate) fn damaged(&self) -> bool {
        self.damaged
    }

    /// Bytes of contents read so far.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Length of the contents, where it is known before reading.
    pub(crate) fn contents_bytes(&self) -> Option<u64> {
        self.stored_bytes.filter(|_| self.compression == Compression::None)
    }

    pub(crate) fn progress(&self) -> Progress {
        self.progress.clone()
    }
}
