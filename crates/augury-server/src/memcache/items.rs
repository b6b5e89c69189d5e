//! Strings of database 0 as memcached's items: expiry, flags, uniques, marks.

use augury_core::clock::Millis;
use augury_core::slots::SlotId;

use crate::keyspace::Asked;
use crate::object::{Extra, Marks, Object};
use crate::server::Server;

/// The database of memcached clients.
pub(super) const DB: u8 = 0;
/// Longest expiry that counts from now, in seconds: beyond it is Unix time.
const RELATIVE_MAX: i64 = 60 * 60 * 24 * 30;

/// When an item ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expiry {
    Never,
    At(Millis),
    /// It has ended already.
    Past,
}

impl Expiry {
    /// Of what a client wrote.
    pub(super) fn of(exptime: i64, now: Millis) -> Expiry {
        let seconds = match u64::try_from(exptime) {
            Ok(0) => return Expiry::Never,
            Ok(seconds) => seconds,
            Err(_) => return Expiry::Past,
        };
        let millis = seconds.saturating_mul(1000);
        let at = if exptime > RELATIVE_MAX { millis } else { now.saturating_add(millis) };
        if at > now { Expiry::At(at) } else { Expiry::Past }
    }

    /// As the engine has it; what has ended has ended now.
    pub(super) fn deadline(self, now: Millis) -> Option<Millis> {
        match self {
            Expiry::Never => None,
            Expiry::At(at) => Some(at),
            Expiry::Past => Some(now),
        }
    }
}

/// Seconds until a deadline, begun ones counted in full; -1 where there is none.
pub(super) fn remaining(deadline: Option<Millis>, now: Millis) -> i64 {
    deadline.map_or(-1, |at| at.saturating_sub(now).div_ceil(1000).try_into().unwrap_or(i64::MAX))
}

/// Seconds of Unix time, as items keep them.
pub(super) fn seconds(now: Millis) -> u32 {
    u32::try_from(now / 1000).unwrap_or(u32::MAX)
}

/// An item that was found: what is said beside its value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) id: SlotId,
    pub(super) extra: Extra,
    pub(super) marks: Marks,
    pub(super) deadline: Option<Millis>,
}

/// What is under a key.
pub(super) enum Under {
    Nothing,
    Item(Found),
    /// Something of a Redis client that is no string.
    Other(SlotId),
}

impl Server {
    /// What is in this place, as an item.
    pub(super) fn item(&self, id: SlotId) -> Under {
        let Some(object) = self.keyspace.object(id) else { return Under::Nothing };
        let Some(value) = object.as_text() else { return Under::Other(id) };
        let extra = object.extra().unwrap_or_else(|| Extra {
            flags: 0,
            unique: self.memcache.made_up(value),
            accessed: seconds(self.now),
            is_fetched: false,
        });
        let (marks, deadline) = (object.marks(), self.keyspace.deadline(id));
        Under::Item(Found { id, extra, marks, deadline })
    }

    /// What is said beside a value that is not stored.
    pub(super) fn lent_item(&self, value: &[u8]) -> Found {
        let extra = Extra {
            flags: 0,
            unique: self.memcache.made_up(value),
            accessed: seconds(self.now),
            is_fetched: false,
        };
        Found { id: SlotId::MAX, extra, marks: Marks::empty(), deadline: None }
    }

    /// What is under a key; no request.
    pub(super) fn look(&mut self, key: &[u8]) -> Under {
        let asked = self.keyspace.asked(DB, key);
        match self.keyspace.find(asked, self.now) {
            Some(id) => self.item(id),
            None => Under::Nothing,
        }
    }

    /// Notes that an item was fetched.
    pub(super) fn note_fetch(&mut self, found: &Found) {
        let accessed = seconds(self.now);
        if found.extra.is_fetched && found.extra.accessed == accessed {
            return;
        }
        if let Some(object) = self.keyspace.annotate(found.id) {
            object.set_extra(Extra { accessed, is_fetched: true, ..found.extra });
        }
    }

    /// A new item's fields.
    pub(super) fn fresh(&mut self, flags: u32, unique: Option<u64>) -> Extra {
        // The highest bit is not an item's to have.
        let unique = unique.map_or_else(|| self.memcache.next_unique(), |it| it & (u64::MAX >> 1));
        Extra { flags, unique, accessed: seconds(self.now), is_fetched: false }
    }

    /// Stores an item; what has ended already only takes the place of what was there.
    pub(super) fn put_item(
        &mut self,
        asked: Asked<'_>,
        value: &[&[u8]],
        marks: Marks,
        extra: Extra,
        deadline: Option<Millis>,
    ) {
        let object = Object::joined(DB, asked.key, value, marks, Some(extra));
        self.put_object(asked, object, deadline);
    }

    /// As [`Server::put_item`], of an object that is made.
    pub(super) fn put_object(
        &mut self,
        asked: Asked<'_>,
        object: Object,
        deadline: Option<Millis>,
    ) {
        let found = self.keyspace.find(asked, self.now);
        if deadline.is_none_or(|at| at > self.now) {
            self.keyspace.put(asked.hash, object, deadline, found);
        } else if let Some(id) = found {
            self.keyspace.remove(id);
        }
    }

    /// Sets an item's expiry.
    pub(super) fn set_expiry(&mut self, id: SlotId, deadline: Option<Millis>) {
        if deadline.is_some_and(|at| at <= self.now) {
            self.keyspace.remove(id);
        } else {
            self.keyspace.set_deadline(id, deadline);
        }
    }

    /// Flushes what is due to be flushed.
    pub fn flush_when_due(&mut self) {
        if self.memcache.flush_at.is_some_and(|at| at <= self.now) {
            self.memcache.flush_at = None;
            self.keyspace.flush(Some(DB));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_counts_from_now_or_is_unix_time() {
        let now = 1_800_000_000_000;
        for (exptime, expiry) in [
            (0, Expiry::Never),
            (-1, Expiry::Past),
            (1, Expiry::At(now + 1000)),
            (RELATIVE_MAX, Expiry::At(now + 2_592_000_000)),
            (RELATIVE_MAX + 1, Expiry::Past),
            (1_800_000_000, Expiry::Past),
            (1_800_000_001, Expiry::At(now + 1000)),
        ] {
            assert_eq!(expiry, Expiry::of(exptime, now), "{exptime}");
        }
        assert_eq!((-1, 0), (remaining(None, now), remaining(Some(now), now)));
        assert_eq!((1, 2), (remaining(Some(now + 1), now), remaining(Some(now + 1001), now)));
    }
}
