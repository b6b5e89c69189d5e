//! The databases by their numbers: how many keys each has, flushing and exchanging them.
//!
//! An object carries the number under which its database is stored, which is the database's own until
//! two of them are exchanged.

use augury_core::clock::Millis;
use augury_core::metrics::RemovalCause;
use augury_core::shard::Removed;
use augury_core::slots::SlotId;

use super::Keyspace;
use crate::object::{DATABASES, Object};

/// Deadlines in a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Census {
    /// Keys that have one.
    pub expires: u64,
    /// Their mean time to live in milliseconds.
    pub ttl_millis: u64,
    /// Hashes with fields that expire.
    pub partly: u64,
}

/// Places that a census looks at.
const CENSUS_PLACES: SlotId = 8192;

impl Keyspace {
    /// Number of keys in a database, those that have expired and not yet left among them.
    pub fn len(&self, db: u8) -> u64 {
        let db = self.stored[usize::from(db)];
        let has_left = |left: &&Removed<(), Object>| {
            left.cause != RemovalCause::Replaced && left.value.db() == db
        };
        self.keys[usize::from(db)] - self.leaving.iter().filter(has_left).count() as u64
    }

    /// Removes all keys of a database, or of all: one change, see [`Keyspace::take_flushes`].
    pub fn flush(&mut self, db: Option<u8>) {
        if self.is_watched {
            self.flushes.push(db);
        }
        let is_watched = std::mem::take(&mut self.is_watched);
        let is_of_first = db.is_none_or(|db| db == 0);
        let db = db.map(|db| self.stored[usize::from(db)]);
        for id in 0..self.residents.bound() {
            if self.residents.object(id).is_some_and(|object| db.is_none_or(|db| db == object.db()))
            {
                self.residents.remove(id, RemovalCause::Explicit, &mut self.gone);
                self.settle_gone();
            }
        }
        // What a flush removes is told of by it alone.
        self.bury();
        self.is_watched = is_watched;
        self.dirty += 1;
        if is_of_first {
            self.loading.flushes += 1;
            self.loading.expired.clear();
        }
    }

    /// Deadlines in a database: counted where there are few keys, else estimated from some of the
    /// places, evenly apart.
    pub fn census(&self, db: u8, now: Millis) -> Census {
        if !self.has_deadlines() && self.fields.is_empty() {
            return Census::default();
        }
        let stored = self.stored[usize::from(db)];
        let step = self.bound().div_ceil(CENSUS_PLACES).max(1) as usize;
        let (mut seen, mut volatile, mut ttl, mut partly) = (0u64, 0u64, 0u64, 0u64);
        for id in (0..self.bound()).step_by(step) {
            let object = self.residents.object(id).filter(|object| object.db() == stored);
            let Some(object) = object else { continue };
            seen += 1;
            partly += u64::from(object.as_hash().is_some_and(|it| it.earliest().is_some()));
            if let Some(deadline) = self.residents.deadline(id) {
                volatile += 1;
                ttl = ttl.saturating_add(deadline.saturating_sub(now));
            }
        }
        let keys = if step == 1 { seen } else { self.len(db) };
        let of_all = |count: u64| (count * keys).checked_div(seen).unwrap_or(0);
        Census {
            expires: of_all(volatile),
            partly: of_all(partly),
            ttl_millis: ttl.checked_div(volatile).unwrap_or(0),
        }
    }

    /// Exchanges two databases: keys keep their places, the numbers are exchanged.
    pub fn swap(&mut self, one: u8, other: u8) {
        self.stored.swap(one.into(), other.into());
        self.dirty += 1;
    }

    /// The number of the database that an object is in.
    #[inline]
    pub fn db_of(&self, object: &Object) -> u8 {
        named(&self.stored, object.db())
    }
}

/// The number of the database whose objects are stored under this one.
#[inline]
pub(super) fn named(stored: &[u8; DATABASES as usize], db: u8) -> u8 {
    stored.iter().position(|&it| it == db).map_or(db, |at| at as u8)
}
