//! Hashes: fields, values, and when a field expires.
//!
//! Fields stand in the order of insertion, behind a table of their positions once there are many.
//! Each is one allocation. An expired field is there until somebody looks: reading treats it as
//! gone, and [`Hash::purge`] removes it.

use indexmap::IndexMap;
use std::hash::RandomState;

use super::block::usable;

/// A moment, in milliseconds of Unix time.
type Millis = u64;

#[derive(Debug, Clone)]
struct Held {
    value: Box<[u8]>,
    /// From this moment on the field is gone; `Millis::MAX` where it stays.
    deadline: Millis,
}

const STAYS: Millis = Millis::MAX;

/// See the module's head.
#[derive(Debug, Clone, Default)]
pub struct Hash {
    fields: IndexMap<Box<[u8]>, Held, RandomState>,
    /// Bytes of fields and values, with the allocator's rounding.
    held: usize,
    /// At or before the earliest deadline.
    earliest: Option<Millis>,
}

fn weight(field: &[u8], value: &[u8]) -> usize {
    usable(field.len()) + usable(value.len())
}

impl Hash {
    /// Number of fields, those that have expired and are not purged among them.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// A field's value, if it is there at this moment.
    pub fn get(&self, field: &[u8], now: Millis) -> Option<&[u8]> {
        self.fields.get(field).filter(|held| held.deadline > now).map(|held| &*held.value)
    }

    /// Sets a field, which then does not expire; whether it is new.
    pub fn set(&mut self, field: &[u8], value: &[u8]) -> bool {
        self.set_until(field, value, None)
    }

    /// Sets a field with a deadline, or none; whether it is new.
    pub fn set_until(&mut self, field: &[u8], value: &[u8], deadline: Option<Millis>) -> bool {
        self.held += weight(field, value);
        let held = Held { value: value.into(), deadline: deadline.unwrap_or(STAYS) };
        if let Some(at) = deadline {
            self.earliest = Some(self.earliest.map_or(at, |earliest| earliest.min(at)));
        }
        let old = self.fields.insert(field.into(), held);
        if let Some(old) = &old {
            self.held -= weight(field, &old.value);
        }
        old.is_none()
    }

    /// Removes a field; its value, if it was there.
    pub fn remove(&mut self, field: &[u8]) -> Option<Box<[u8]>> {
        let (field, held) = self.fields.swap_remove_entry(field)?;
        self.held -= weight(&field, &held.value);
        Some(held.value)
    }

    /// A field's deadline: None where there is no such field, `Some(None)` where it stays.
    pub fn deadline(&self, field: &[u8], now: Millis) -> Option<Option<Millis>> {
        let held = self.fields.get(field).filter(|held| held.deadline > now)?;
        Some((held.deadline != STAYS).then_some(held.deadline))
    }

    /// Gives a field a deadline, or takes it away; whether there is such a field.
    pub fn set_deadline(&mut self, field: &[u8], deadline: Option<Millis>) -> bool {
        let Some(held) = self.fields.get_mut(field) else { return false };
        held.deadline = deadline.unwrap_or(STAYS);
        if let Some(at) = deadline {
            self.earliest = Some(self.earliest.map_or(at, |earliest| earliest.min(at)));
        }
        true
    }

    /// Whether a field may have expired by now: then [`Hash::purge`] is due.
    pub fn is_due(&self, now: Millis) -> bool {
        self.earliest.is_some_and(|at| at <= now)
    }

    /// When the next field expires, at the earliest.
    pub fn earliest(&self) -> Option<Millis> {
        self.earliest
    }

    /// Removes the fields that have expired; how many.
    pub fn purge(&mut self, now: Millis) -> usize {
        let before = self.fields.len();
        let (mut freed, mut earliest) = (0, STAYS);
        self.fields.retain(|field, held| {
            let stays = held.deadline > now;
            if stays {
                earliest = earliest.min(held.deadline);
            } else {
                freed += weight(field, &held.value);
            }
            stays
        });
        self.held -= freed;
        self.earliest = (earliest != STAYS).then_some(earliest);
        before - self.fields.len()
    }

    /// Fields and values that are there at this moment, in order.
    pub fn iter(&self, now: Millis) -> impl Iterator<Item = (&[u8], &[u8])> {
        let fields = self.fields.iter().filter(move |(_, held)| held.deadline > now);
        fields.map(|(field, held)| (&**field, &*held.value))
    }

    /// Field, value and deadline at a position from 0 to [`Hash::len`].
    pub fn at(&self, position: usize) -> Option<(&[u8], &[u8], Option<Millis>)> {
        let (field, held) = self.fields.get_index(position)?;
        Some((field, &held.value, (held.deadline != STAYS).then_some(held.deadline)))
    }

    /// Bytes that it takes beside itself, with the allocator's rounding.
    pub fn memory_bytes(&self) -> usize {
        let table = self.fields.capacity() * (size_of::<(Box<[u8]>, Held)>() + 16);
        self.held + usable(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expired_fields_are_gone_and_purged() {
        let mut hash = Hash::default();
        assert!(hash.set_until(b"a", b"1", Some(10)));
        assert!(hash.set(b"b", b"2"));
        assert_eq!((Some(Some(10)), Some(None)), (hash.deadline(b"a", 9), hash.deadline(b"b", 9)));
        assert_eq!((Some(&b"1"[..]), None), (hash.get(b"a", 9), hash.get(b"a", 10)));
        assert!(!hash.is_due(9) && hash.is_due(10));
        let before = hash.memory_bytes();
        assert_eq!((1, 1), (hash.purge(10), hash.len()));
        assert!(hash.memory_bytes() < before && !hash.is_due(u64::MAX));
    }

    #[test]
    fn what_is_counted_is_what_is_held() {
        let mut hash = Hash::default();
        let empty = hash.held;
        for turn in 0..3u8 {
            for field in 0..100u8 {
                hash.set(&[field; 9], &vec![turn; usize::from(field) + usize::from(turn)]);
            }
        }
        for field in 0..100u8 {
            assert!(hash.remove(&[field; 9]).is_some());
        }
        assert_eq!((empty, 0), (hash.held, hash.len()));
    }
}
