//! When fields of hashes expire: the places of the hashes, by their earliest deadline.
//!
//! A heap that is corrected where it is read: an entry may be too early, or its hash gone, so what
//! it says is looked up. Entries that nobody needs any more are dropped once they are the half.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use augury_core::clock::Millis;
use augury_core::metrics::RemovalCause;
use augury_core::slots::SlotId;

use super::databases::named;
use super::{Act, Change, Keyspace};
use crate::object::hash::Hash;

/// Entries below which none are dropped.
const KEPT: usize = 1024;

/// Fields of one hash that are removed at once because they have expired.
const FIELDS_AT_ONCE: usize = 128;

/// See the module's head.
#[derive(Default)]
pub(super) struct FieldDeadlines {
    heap: BinaryHeap<Reverse<(Millis, SlotId)>>,
    /// Length at which the heap is looked through.
    limit: usize,
}

impl FieldDeadlines {
    /// Whether no hash may have a field that expires.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// The hash in this place has a field that expires at this time, its earliest. `earliest` says
    /// the same of any place.
    pub(super) fn add(
        &mut self,
        at: Millis,
        id: SlotId,
        earliest: impl Fn(SlotId) -> Option<Millis>,
    ) {
        if self.heap.len() >= self.limit.max(KEPT) {
            let mut entries = std::mem::take(&mut self.heap).into_vec();
            entries.retain(|Reverse((at, id))| earliest(*id) == Some(*at));
            entries.sort_unstable();
            entries.dedup();
            self.limit = entries.len() * 2;
            self.heap = entries.into();
        }
        self.heap.push(Reverse((at, id)));
    }

    /// A place whose hash may have a field that has expired by now.
    pub(super) fn pop_due(&mut self, now: Millis) -> Option<SlotId> {
        let Reverse((at, id)) = *self.heap.peek()?;
        if at > now {
            return None;
        }
        self.heap.pop();
        Some(id)
    }

    /// Bytes that it takes.
    pub(super) fn memory_bytes(&self) -> usize {
        self.heap.capacity() * size_of::<(Millis, SlotId)>()
    }
}

impl Keyspace {
    /// Removes fields that have expired from up to `limit` hashes, so many of each at once; from
    /// how many hashes.
    pub fn expire_fields(&mut self, now: Millis, limit: usize) -> usize {
        let mut count = 0;
        while count < limit
            && let Some(id) = self.fields.pop_due(now)
        {
            self.without_expired_fields(id, now);
            count += 1;
        }
        count
    }

    /// The place of an object without fields that have expired, up to [`FIELDS_AT_ONCE`] (readers
    /// look at the time anyway); none where no field is left.
    pub(super) fn without_expired_fields(&mut self, id: SlotId, now: Millis) -> Option<SlotId> {
        let object = self.residents.object_mut(id)?;
        if !object.has_expired_fields(now) {
            return Some(id);
        }
        if self.is_watched {
            let (db, key) = (named(&self.stored, object.db()), object.key().into());
            self.changes.push(Change { db, key, act: Act::FieldsExpired });
        }
        let is_left = object.as_hash().is_some_and(|hash| hash.is_live(now));
        if is_left {
            let purged = object.as_hash_mut().map_or(0, |hash| hash.purge(now, FIELDS_AT_ONCE));
            self.fields_expired += purged as u64;
            self.residents.settle(id, false, &mut self.gone);
        } else {
            self.fields_expired += object.as_hash().map_or(0, Hash::len) as u64;
            self.residents.remove(id, RemovalCause::Expired, &mut self.gone);
        }
        self.settle_gone();
        self.note_fields(id);
        is_left.then_some(id)
    }

    /// Notes when the next field of the hash in this place expires, if it is one.
    #[inline]
    pub(super) fn note_fields(&mut self, id: SlotId) {
        let earliest = |id| self.residents.object(id)?.as_hash()?.earliest();
        if let Some(at) = earliest(id) {
            self.fields.add(at, id, earliest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_needs_is_dropped() {
        let mut deadlines = FieldDeadlines::default();
        for at in (0..1_000_000u64).rev() {
            deadlines.add(at, 7, |_| Some(at + 1));
        }
        assert!(deadlines.memory_bytes() <= 2 * KEPT * 16);
        assert_eq!((Some(7), true), (deadlines.pop_due(0), deadlines.pop_due(0).is_none()));
    }
}
