//! What was denied to whom: ACL LOG. Passwords never get here.

use std::collections::VecDeque;

use augury_core::clock::Millis;

/// Time within which what is alike is one entry.
const ALIKE: Millis = 60_000;
/// Bytes of an object or name that are kept.
const TEXT_MAX: usize = 256;

/// Why something was denied; what comes later came closer to running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Reason {
    Command,
    Key,
    Channel,
    Authentication,
}

impl Reason {
    /// As ACL LOG has it.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Command => "command",
            Reason::Key => "key",
            Reason::Channel => "channel",
            Reason::Authentication => "auth",
        }
    }
}

/// An entry.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its number, never used twice.
    pub id: u64,
    /// How often it was so.
    pub count: u64,
    /// Why.
    pub reason: Reason,
    /// `toplevel` or `multi`.
    pub context: &'static str,
    /// The command, key or channel.
    pub object: Box<[u8]>,
    /// The user, or the name that was given.
    pub user: Box<[u8]>,
    /// The client, as CLIENT LIST shows it.
    pub client: String,
    /// When it was first so.
    pub created: Millis,
    /// When it was so last.
    pub updated: Millis,
}

/// See the module's head.
#[derive(Debug, Default)]
pub struct Log {
    entries: VecDeque<Entry>,
    next: u64,
}

impl Log {
    /// Notes what was denied at `now`; the oldest of more than `most` entries leave.
    pub fn note(
        &mut self,
        (reason, context): (Reason, &'static str),
        object: &[u8],
        user: &[u8],
        client: String,
        now: Millis,
        most: usize,
    ) {
        let (object, user) = (shorten(object), shorten(user));
        let alike = self.entries.iter().position(|it| {
            now.saturating_sub(it.updated) <= ALIKE
                && (it.reason, it.context, &it.object, &it.user)
                    == (reason, context, &object, &user)
        });
        let entry = match alike.and_then(|at| self.entries.remove(at)) {
            Some(known) => Entry { count: known.count + 1, client, updated: now, ..known },
            None => {
                let id = self.next;
                self.next += 1;
                let (created, updated) = (now, now);
                Entry { id, count: 1, reason, context, object, user, client, created, updated }
            }
        };
        self.entries.push_front(entry);
        self.entries.truncate(most);
    }

    /// The latest entries, latest first.
    pub fn latest(&self, count: usize) -> impl ExactSizeIterator<Item = &Entry> {
        self.entries.iter().take(count)
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}

fn shorten(text: &[u8]) -> Box<[u8]> {
    text[..text.len().min(TEXT_MAX)].into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(log: &mut Log, object: &str, now: Millis) {
        let what = (Reason::Key, "toplevel");
        log.note(what, object.as_bytes(), b"bob", String::new(), now, 2);
    }

    fn shown(log: &Log) -> Vec<(u64, u64, &[u8])> {
        log.latest(9).map(|it| (it.id, it.count, &*it.object)).collect()
    }

    #[test]
    fn what_is_alike_is_one_entry_for_a_minute() {
        let mut log = Log::default();
        for (object, now) in [("a", 0), ("b", 1), ("a", ALIKE)] {
            note(&mut log, object, now);
        }
        assert_eq!(vec![(0, 2, &b"a"[..]), (1, 1, b"b")], shown(&log));
        note(&mut log, "a", 2 * ALIKE + 1);
        assert_eq!(vec![(2, 1, &b"a"[..]), (0, 2, b"a")], shown(&log));
    }

    #[test]
    fn entries_are_few_and_short() {
        let mut log = Log::default();
        note(&mut log, &"x".repeat(10_000), 0);
        assert_eq!(TEXT_MAX, log.latest(1).map(|it| it.object.len()).sum::<usize>());
        log.clear();
        assert!(shown(&log).is_empty());
    }
}
