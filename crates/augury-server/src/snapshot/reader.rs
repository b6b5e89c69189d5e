//! From a file to databases that are empty still.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use augury_core::clock::Millis;
use tracing::warn;

use super::entry::decode;
use super::section::{Kind, SectionReader, SnapshotError};
use crate::keyspace::Keyspace;

/// What has become of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Restored {
    /// Entries that are resident now.
    pub entries: u64,
    /// Entries that have expired, or that there was no room for.
    pub left_out: u64,
    /// Milliseconds of Unix time at which it was written.
    pub written: Millis,
    /// Whether what was learned is gone on with.
    pub has_learned: bool,
}

/// Fills databases that are empty with what a snapshot has; none where there is no file.
///
/// # Errors
/// The file is damaged: what the databases have then is to be thrown away.
pub fn restore(
    path: &Path,
    keyspace: &mut Keyspace,
    policy: &str,
    now: Millis,
) -> Result<Option<Restored>, SnapshotError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    read(BufReader::with_capacity(1 << 20, file), keyspace, policy, now).map(Some)
}

/// As [`restore`], from any bytes.
///
/// # Errors
/// See [`restore`].
pub fn read(
    from: impl Read,
    keyspace: &mut Keyspace,
    policy: &str,
    now: Millis,
) -> Result<Restored, SnapshotError> {
    let mut sections = SectionReader::new(from)?;
    let mut restored = Restored::default();
    let (kind, about) = sections.next()?;
    let wrong = |section, what| SnapshotError::Content { section, what };
    let about = Some(about).filter(|_| kind == Kind::About).and_then(About::read);
    let about = about.ok_or(wrong(0, "it does not say what it is about"))?;
    restored.written = about.written;
    // Without room for all, the tail stays: what would have left last.
    let mut surplus = about.used.saturating_sub(keyspace.capacity());
    let mut entries = 0u64;
    loop {
        let (kind, mut bytes) = sections.next()?;
        match kind {
            Kind::Learned if about.policy == policy.as_bytes() => {
                match keyspace.restore_memory(about.tick, Some(bytes)) {
                    Ok(()) => restored.has_learned = true,
                    Err(error) => warn!(%error, "what was learned is learned anew"),
                }
            }
            Kind::Learned => warn!("another policy has learned: its entries alone are restored"),
            Kind::Entries => {
                while !bytes.is_empty() {
                    let Some(entry) = decode(&mut bytes, now) else {
                        return Err(wrong(sections.number(), "an entry is none"));
                    };
                    entries += 1;
                    if surplus > 0 {
                        surplus = surplus.saturating_sub(Keyspace::weight(&entry.object));
                        restored.left_out += 1;
                    } else if keyspace.restore(entry.object, entry.deadline, entry.history, now) {
                        restored.entries += 1;
                    } else {
                        restored.left_out += 1;
                    }
                }
            }
            Kind::End => {
                let is_whole = *bytes == entries.to_le_bytes() && sections.is_done()?;
                keyspace.reset_stats();
                return if is_whole {
                    Ok(restored)
                } else {
                    Err(wrong(sections.number(), "there are more or fewer entries than it says"))
                };
            }
            Kind::About => return Err(wrong(sections.number(), "it is there twice")),
        }
    }
}

/// Keeps a damaged file for whoever wants to look at it; its new path.
///
/// # Errors
/// The system refused.
pub fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let mut name = path.as_os_str().to_owned();
    name.push(".damaged");
    std::fs::rename(path, &name)?;
    Ok(PathBuf::from(name))
}

struct About {
    written: Millis,
    used: u64,
    tick: u64,
    policy: Vec<u8>,
}

impl About {
    fn read(bytes: &[u8]) -> Option<About> {
        let (written, rest) = bytes.split_first_chunk()?;
        let (used, rest) = rest.split_first_chunk()?;
        let (tick, policy) = rest.split_first_chunk()?;
        let [written, used, tick] = [written, used, tick].map(|it| u64::from_le_bytes(*it));
        Some(About { written, used, tick, policy: policy.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Order, write};
    use super::*;
    use crate::config::Settings;
    use crate::keyspace::Plan;
    use crate::object::Object;
    use crate::server::{Server, Shared};

    fn keyspace(memory: u64) -> Keyspace {
        let settings = Settings::default();
        Keyspace::new(Plan { policy: settings.policy, memory, seed: 1 })
    }

    fn put(keyspace: &mut Keyspace, number: u32) {
        let key = number.to_le_bytes();
        let asked = keyspace.asked(0, &key);
        let object = Object::text(0, &key, &[number as u8; 100]);
        keyspace.read(asked, 0);
        keyspace.put(asked.hash, object, None, None);
    }

    fn written(folder: &Path, count: u32, order: Order) -> (PathBuf, Shared) {
        let shared = Shared::new(Server::new(Settings::default()));
        for number in 0..count {
            put(&mut shared.lock().keyspace, number);
        }
        let path = folder.join("it");
        let written = write(&shared, &path, order, || false).expect("it is written");
        assert_eq!(u64::from(count), written.entries);
        assert_eq!(std::fs::metadata(&path).expect("it is there").len(), written.bytes);
        (path, shared)
    }

    #[test]
    fn everything_comes_back() {
        let folder = tempfile::tempdir().expect("a folder");
        for order in [Order::Leaving, Order::Short] {
            let (path, shared) = written(folder.path(), 20_000, order);
            let mut back = keyspace(64 << 20);
            let restored = restore(&path, &mut back, "auto", 1).expect("whole").expect("there");
            assert_eq!(
                (20_000, 0, true),
                (restored.entries, restored.left_out, restored.has_learned)
            );
            assert_eq!(shared.lock().keyspace.used(), back.used());
            for number in 0..20_000u32 {
                let key = number.to_le_bytes();
                let asked = back.asked(0, &key);
                let object = back.peek(asked, 1).expect("it is there");
                assert_eq!(Some(&[number as u8; 100][..]), object.as_text());
            }
        }
    }

    #[test]
    fn with_less_room_the_tail_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, shared) = written(folder.path(), 20_000, Order::Leaving);
        let order = shared.lock().keyspace.leaving_order();
        let mut back = keyspace(1 << 20);
        let restored = restore(&path, &mut back, "auto", 1).expect("whole").expect("there");
        assert!(restored.entries > 4_000 && back.used() <= 1 << 20, "{restored:?}");
        let server = shared.lock();
        let last = server.keyspace.object(*order.last().expect("some")).expect("it is there");
        let asked = back.asked(0, last.key());
        assert!(back.peek(asked, 1).is_some());
    }

    #[test]
    fn one_wrong_byte_is_enough() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, _) = written(folder.path(), 20, Order::Leaving);
        let bytes = std::fs::read(&path).expect("it is there");
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert!(read(&damaged[..], &mut keyspace(1 << 20), "auto", 1).is_err(), "byte {at}");
            assert!(read(&bytes[..at], &mut keyspace(1 << 20), "auto", 1).is_err(), "{at} bytes");
        }
        let longer = [&bytes[..], b"x"].concat();
        assert!(read(&longer[..], &mut keyspace(1 << 20), "auto", 1).is_err());
        assert!(read(&bytes[..], &mut keyspace(1 << 20), "lru", 1).is_ok());
    }

    #[test]
    fn a_snapshot_that_is_given_up_leaves_the_old_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, shared) = written(folder.path(), 20_000, Order::Leaving);
        let before = std::fs::read(&path).expect("it is there");
        let given_up = write(&shared, &path, Order::Short, || true);
        assert!(matches!(given_up, Err(SnapshotError::Cancelled)));
        assert_eq!(before, std::fs::read(&path).expect("it is there"));
        assert_eq!(1, std::fs::read_dir(folder.path()).expect("it is there").count());
    }
}
