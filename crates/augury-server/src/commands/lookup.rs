//! What a command's keys hold: found, of the right type, and written back.

use augury_core::clock::Millis;
use augury_core::slots::SlotId;

use super::{Call, Refusal};
use crate::keyspace::Asked;
use crate::object::hash::Hash;
use crate::object::{KEY_MAX, Marks, Object, VALUE_MAX};

/// The string of an object, if there is one.
#[inline]
pub fn text(object: Option<&Object>) -> Result<Option<&[u8]>, Refusal> {
    match object {
        None => Ok(None),
        Some(object) => object.as_text().map(Some).ok_or(Refusal::WRONG_TYPE),
    }
}

/// The fields of an object, if there is one.
pub fn fields(object: Option<&Object>) -> Result<Option<&Hash>, Refusal> {
    match object {
        None => Ok(None),
        Some(object) => object.as_hash().map(Some).ok_or(Refusal::WRONG_TYPE),
    }
}

impl<'a> Call<'a, '_> {
    /// The argument at a position that the command's arity guarantees.
    #[inline]
    pub fn argument(&self, at: usize) -> &'a [u8] {
        self.arguments.get(at).unwrap_or_default()
    }

    /// The key at a position, with its hash.
    #[inline]
    pub fn asked(&self, at: usize) -> Asked<'a> {
        self.server.keyspace.asked(self.client.db, self.argument(at))
    }

    /// The place of the key at a position, if it is there.
    pub fn find(&mut self, at: usize) -> Option<SlotId> {
        self.server.keyspace.find(self.asked(at), self.server.now)
    }

    /// The place of a key, if it is there; it has to hold a string.
    pub fn find_text(&mut self, asked: Asked<'_>) -> Result<Option<SlotId>, Refusal> {
        let found = self.server.keyspace.find(asked, self.server.now);
        text(found.and_then(|id| self.server.keyspace.object(id)))?;
        Ok(found)
    }

    /// The place of the key at a position, if it is there; it has to hold a hash.
    pub fn find_hash(&mut self, at: usize) -> Result<Option<SlotId>, Refusal> {
        let found = self.find(at);
        fields(found.and_then(|id| self.server.keyspace.object(id)))?;
        Ok(found)
    }

    /// The string in this place; an empty one where there is none.
    pub fn text_in(&self, id: Option<SlotId>) -> &[u8] {
        let object = id.and_then(|id| self.server.keyspace.object(id));
        object.and_then(Object::as_text).unwrap_or_default()
    }

    /// Writes a string, made of several parts, under a key, in the place where it was found, if it
    /// was. What expires at once is not written: the key leaves.
    pub fn write_text(
        &mut self,
        asked: Asked<'_>,
        value: &[&[u8]],
        marks: Marks,
        deadline: Option<Millis>,
        found: Option<SlotId>,
    ) -> Result<(), Refusal> {
        storable(asked.key)?;
        let keyspace = &mut self.server.keyspace;
        if deadline.is_some_and(|at| at <= self.server.now) {
            if let Some(id) = found {
                keyspace.remove(id);
            }
            return Ok(());
        }
        let object = Object::joined(asked.db, asked.key, value, marks, None);
        keyspace.put(asked.hash, object, deadline, found);
        Ok(())
    }

    /// Overwrites the string of a key from an offset on, with zeros before it where
    /// the string is shorter. It then is as Redis keeps what was changed: `raw`. Its deadline stays.
    pub fn overwrite(
        &mut self,
        asked: Asked<'_>,
        found: Option<SlotId>,
        offset: usize,
        part: &[u8],
    ) -> Result<(), Refusal> {
        let before = self.text_in(found).len();
        self.grow(offset, part.len())?;
        let zeros = vec![0; offset.saturating_sub(before)];
        let Some(id) = found else {
            return self.write_text(asked, &[&zeros, part], Marks::RAW, None, None);
        };
        self.server.keyspace.revise(id, |object| {
            if let Some(held) = object.as_text_mut().and_then(|it| it.get_mut(offset..))
                && let Some(overwritten) = held.get_mut(..part.len())
            {
                overwritten.copy_from_slice(part);
                return;
            }
            let held = object.as_text().unwrap_or_default();
            let kept = &held[..offset.min(before)];
            let rest = held.get(offset + part.len()..).unwrap_or_default();
            let parts = [kept, &zeros, part, rest];
            *object = Object::joined(object.db(), object.key(), &parts, Marks::RAW, None);
        });
        Ok(())
    }

    /// Whether a string may be as long as two lengths together: no longer than the limit of
    /// arguments, and than the memory.
    pub fn grow(&self, length: usize, more: usize) -> Result<usize, Refusal> {
        let limit = self.server.settings.bulk_max.min(VALUE_MAX);
        let length = length.checked_add(more).filter(|&length| length <= limit);
        let length = length.ok_or(Refusal::TOO_LONG)?;
        let memory = self.server.keyspace.capacity();
        if length as u64 > memory {
            return Err(Refusal::of(format!(
                "OOM a string of {length} bytes does not fit into the memory of {memory} bytes: \
                 raise --memory"
            )));
        }
        Ok(length)
    }
}

/// Whether a key can be stored.
#[inline]
pub fn storable(key: &[u8]) -> Result<(), Refusal> {
    if key.len() > KEY_MAX { Err(Refusal::KEY_TOO_LONG) } else { Ok(()) }
}
