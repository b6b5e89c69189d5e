//! What has happened to keys, kept for those who wait for it until they are told.

use augury_core::metrics::RemovalCause;

use super::Keyspace;

/// A change that somebody may wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Number of the database.
    pub db: u8,
    /// The key.
    pub key: Box<[u8]>,
    /// What has happened.
    pub act: Act,
}

/// What has happened to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// It was written.
    Written {
        /// Whether it was not there.
        is_new: bool,
    },
    /// An upstream was asked for what it has, and it was not here: nobody has changed anything.
    Loaded,
    /// Fields of its hash have expired.
    FieldsExpired,
    /// It has left.
    Left(RemovalCause),
}

impl Change {
    /// Whether a client asked for it: it wrote or removed the key.
    pub fn is_by_client(&self) -> bool {
        matches!(self.act, Act::Written { .. } | Act::Left(RemovalCause::Explicit))
    }
}

impl Keyspace {
    /// Says whether changes are to be kept for [`Keyspace::take_changes`].
    pub fn watch(&mut self, is_watched: bool) {
        self.is_watched = is_watched;
    }

    /// Whether there are changes to be told of.
    #[inline]
    pub fn has_changes(&self) -> bool {
        !self.changes.is_empty() || !self.flushes.is_empty()
    }

    /// The changes since the last call, in order.
    pub fn take_changes(&mut self) -> Vec<Change> {
        self.published = 0;
        std::mem::take(&mut self.changes)
    }

    /// Those of the changes to be taken that have not been shown here.
    pub fn unpublished(&mut self) -> &[Change] {
        let from = std::mem::replace(&mut self.published, self.changes.len());
        &self.changes[from..]
    }

    /// The databases that were flushed since the last call (None: all of them); their keys are not
    /// among the changes.
    pub fn take_flushes(&mut self) -> Vec<Option<u8>> {
        std::mem::take(&mut self.flushes)
    }
}
