//! What reading through needs of the databases: values that an upstream brings are stored as such,
//! what has expired of them is handed over, and a value that is not stored can be lent to one command.

use std::sync::Arc;

use augury_core::clock::Millis;
use augury_core::slots::SlotId;

use super::databases::named;
use super::residents::weight;
use super::{Act, Asked, Change, Keyspace};
use crate::object::Object;

/// See the module's head.
#[derive(Default)]
pub(super) struct Loading {
    /// Objects that reads find where nothing is stored, while one command runs.
    pub(super) lent: Vec<Arc<Object>>,
    /// Whether what an upstream brought is kept when it has expired.
    pub(super) keeps_expired: bool,
    /// What has expired and waits to be taken.
    pub(super) expired: Vec<Object>,
    /// How often database 0 was flushed.
    pub(super) flushes: u64,
}

impl Keyspace {
    /// Lends an object to the reads of one command, until [`Keyspace::take_back`]: they find it where
    /// nothing is stored under its key.
    pub fn lend(&mut self, object: Arc<Object>) {
        self.loading.lent.push(object);
    }

    /// Nothing is lent any more.
    pub fn take_back(&mut self) {
        self.loading.lent.clear();
    }

    /// What is lent under this key.
    pub fn lent(&self, asked: Asked<'_>) -> Option<&Object> {
        let mut lent = self.loading.lent.iter();
        lent.find(|object| object.is_under(asked.db, asked.key)).map(|object| &**object)
    }

    /// Says whether what an upstream brought is to be handed over once it has expired.
    pub fn keep_expired(&mut self, keeps: bool) {
        self.loading.keeps_expired = keeps;
        if !keeps {
            self.loading.expired = Vec::new();
        }
    }

    /// What an upstream brought and has expired since the last call.
    pub fn take_expired(&mut self) -> Vec<Object> {
        if self.loading.keeps_expired {
            self.bury();
        }
        std::mem::take(&mut self.loading.expired)
    }

    /// How often database 0 was flushed.
    pub fn flushes(&self) -> u64 {
        self.loading.flushes
    }

    /// Stores what an upstream has brought under a key that was not there, or anew in its place; the
    /// object comes back where it is turned away. Who watches the key does not hear of a newcomer:
    /// that it is here now is no change of what it is.
    pub fn put_loaded(
        &mut self,
        asked: Asked<'_>,
        object: Object,
        deadline: Option<Millis>,
        found: Option<SlotId>,
    ) -> Result<(), Object> {
        if weight(&object) as u64 > self.capacity() {
            if let Some(id) = found {
                self.remove(id);
            }
            return Err(object);
        }
        let is_watched = std::mem::take(&mut self.is_watched);
        if is_watched {
            let (db, key) = (named(&self.stored, object.db()), object.key().into());
            let act = if found.is_none() { Act::Loaded } else { Act::Written { is_new: false } };
            self.changes.push(Change { db, key, act });
        }
        let is_stored = self.put(asked.hash, object, deadline, found);
        self.is_watched = is_watched;
        let mut turned_away = self.leaving.iter();
        let at = turned_away.position(|left| left.value.is_under(asked.db, asked.key));
        let turned_away = at.filter(|_| !is_stored).map(|at| self.leaving.remove(at));
        if let Some(left) = &turned_away {
            self.count_out(left);
        }
        if is_watched {
            // What was evicted for it is told of all the same.
            self.bury();
        }
        turned_away.map_or(Ok(()), |left| Err(left.value))
    }

    /// What is in this place is worth as much as what was brought anew: only its deadline is another,
    /// and nobody is told.
    pub fn prolong(&mut self, id: SlotId, deadline: Option<Millis>) {
        self.residents.set_deadline(id, deadline);
    }

    /// Whether anything of this hash is resident.
    pub fn holds(&self, hash: u64) -> bool {
        self.residents.holds(hash)
    }
}
