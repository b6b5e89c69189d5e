//! What a snapshot takes from the databases, and how they go on from one.

use augury_core::clock::Millis;
use augury_core::history::SavedHistory;
use augury_core::request::Tick;
use augury_core::saved::SavedError;
use augury_core::slots::SlotId;

use super::Keyspace;
use super::residents::weight;
use crate::object::{Content, Object};

/// A resident, with what is remembered of it.
pub struct Kept<'a> {
    /// Number of its database.
    pub db: u8,
    /// Key and value.
    pub object: &'a Object,
    /// From this moment of Unix time on it is expired.
    pub deadline: Option<Millis>,
    /// Its history, where the policy keeps one.
    pub history: Option<SavedHistory>,
}

impl Keyspace {
    /// Requests so far, and what the policy has learned of objects in general.
    pub fn memory(&self) -> (Tick, Option<Vec<u8>>) {
        self.residents.memory()
    }

    /// All places in use, about in the order in which their objects would leave. Takes time
    /// with their number.
    pub fn leaving_order(&self) -> Vec<SlotId> {
        self.residents.leaving_order()
    }

    /// What is in this place, unless it is vacant or expired.
    pub fn kept(&self, id: SlotId, now: Millis) -> Option<Kept<'_>> {
        let deadline = self.residents.deadline(id);
        let object = self.residents.object(id).filter(|_| deadline.is_none_or(|at| at > now))?;
        Some(Kept { db: self.db_of(object), object, deadline, history: self.residents.history(id) })
    }

    /// Number of residents in all databases.
    pub fn count(&self) -> usize {
        self.residents.len()
    }

    /// Bytes that an object counts for.
    pub fn weight(object: &Object) -> u64 {
        weight(object).into()
    }

    /// Goes on with what was learned elsewhere; for databases that are empty still.
    ///
    /// # Errors
    /// It is none that this policy wrote; entries can be restored all the same.
    pub fn restore_memory(&mut self, tick: Tick, learned: Option<&[u8]>) -> Result<(), SavedError> {
        self.residents.restore_memory(tick, learned)
    }

    /// Adds what was resident elsewhere, as no request; whether it is resident now: it is not
    /// where there is no room, or where its deadline has passed. A later one replaces an earlier.
    pub fn restore(
        &mut self,
        object: Object,
        deadline: Option<Millis>,
        history: Option<SavedHistory>,
        now: Millis,
    ) -> bool {
        let is_empty = matches!(object.content(), Content::Hash(fields) if fields.is_empty());
        if is_empty || deadline.is_some_and(|at| at <= now) {
            return false;
        }
        let asked = self.asked(object.db(), object.key());
        let hash = asked.hash;
        if let Some(old) = self.find(asked, now) {
            self.remove(old);
        }
        let room = self.residents.capacity().saturating_sub(self.residents.used());
        if Keyspace::weight(&object) > room {
            return false;
        }
        self.keys[usize::from(object.db())] += 1;
        self.residents.restore(hash, object, deadline, history);
        true
    }
}
