//! From the databases to a file.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use augury_core::slots::SlotId;

use super::entry::encode;
use super::section::{Kind, SectionWriter, SnapshotError};
use crate::keyspace::Keyspace;
use crate::server::Shared;

/// Places looked at in one hold of the lock.
const PLACES_AT_ONCE: usize = 2048;
/// Bytes copied in one hold of the lock; a larger entry is copied as a whole.
const BYTES_AT_ONCE: usize = 256 << 10;
/// Residents that are put in order while clients wait for it: it takes some milliseconds.
const ORDERED_AT_MOST: usize = 16_384;

/// In which order entries are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// In the order in which they would leave: for when no client waits.
    Leaving,
    /// As they stand, unless they are few: ordering many would make clients wait. Their histories
    /// are written in any case, by which a policy that learns ranks them.
    Short,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Entries.
    pub entries: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// Writes a snapshot in place of the one that is there, which stays whole until then.
///
/// # Errors
/// The system refused, or `is_cancelled` said so: the old snapshot is as it was.
pub fn write(
    shared: &Shared,
    path: &Path,
    order: Order,
    is_cancelled: impl Fn() -> bool,
) -> Result<Written, SnapshotError> {
    let beside = beside(path);
    let written = create(&beside).map_err(SnapshotError::from).and_then(|file| {
        let written = fill(shared, file, order, is_cancelled)?;
        std::fs::rename(&beside, path)?;
        sync_folder(path)?;
        Ok(written)
    });
    if written.is_err() {
        // What was begun is of no use; that it is not there is as good.
        let _ = std::fs::remove_file(&beside);
    }
    written
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    PathBuf::from(name)
}

/// A new file for the owner alone; what a killed server has left is removed.
fn create(path: &Path) -> io::Result<File> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// A rename is on the disk once its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn fill(
    shared: &Shared,
    file: File,
    order: Order,
    is_cancelled: impl Fn() -> bool,
) -> Result<Written, SnapshotError> {
    let mut sections = SectionWriter::new(BufWriter::with_capacity(1 << 20, file))?;
    let (about, learned, mut places) = {
        let server = shared.lock();
        let keyspace = &server.keyspace;
        let (tick, learned) = keyspace.memory();
        let mut about = Vec::new();
        about.extend(server.now.to_le_bytes());
        about.extend(keyspace.counted().to_le_bytes());
        about.extend(tick.to_le_bytes());
        about.extend_from_slice(server.settings.policy.name().as_bytes());
        let is_ordered = order == Order::Leaving || keyspace.count() <= ORDERED_AT_MOST;
        let places = if is_ordered {
            Places::Ordered(keyspace.leaving_order().into_iter())
        } else {
            Places::Standing(0)
        };
        (about, learned, places)
    };
    sections.write(Kind::About, &about)?;
    if let Some(learned) = learned {
        sections.write(Kind::Learned, &learned)?;
    }
    let (mut entries, mut chunk) = (0, Vec::new());
    loop {
        chunk.clear();
        let begin = Instant::now();
        let is_done = {
            let server = shared.lock();
            copy(&server.keyspace, server.now, &mut places, &mut chunk, &mut entries)
        };
        if !chunk.is_empty() {
            sections.write(Kind::Entries, &chunk)?;
        }
        if is_done {
            break;
        }
        if is_cancelled() {
            return Err(SnapshotError::Cancelled);
        }
        // Those who wait for the lock get their turn: at most half of the time is a snapshot's.
        if order == Order::Short {
            std::thread::sleep(begin.elapsed());
        }
    }
    sections.write(Kind::End, &entries.to_le_bytes())?;
    let bytes = sections.bytes();
    let mut file = sections.into_inner();
    file.flush()?;
    file.get_ref().sync_all()?;
    Ok(Written { entries, bytes })
}

/// The places that are still to be copied.
enum Places {
    Ordered(std::vec::IntoIter<SlotId>),
    Standing(SlotId),
}

impl Places {
    fn next(&mut self, keyspace: &Keyspace) -> Option<SlotId> {
        match self {
            Places::Ordered(rest) => rest.next(),
            Places::Standing(next) => {
                let id = *next;
                *next = id.saturating_add(1);
                (id < keyspace.bound()).then_some(id)
            }
        }
    }
}

/// Copies what one hold of the lock allows; whether that was the last.
fn copy(
    keyspace: &Keyspace,
    now: u64,
    places: &mut Places,
    chunk: &mut Vec<u8>,
    entries: &mut u64,
) -> bool {
    for _ in 0..PLACES_AT_ONCE {
        let Some(id) = places.next(keyspace) else { return true };
        if let Some(kept) = keyspace.kept(id, now) {
            encode(&kept, now, chunk);
            *entries += 1;
        }
        if chunk.len() >= BYTES_AT_ONCE {
            break;
        }
    }
    false
}
