//! Hashes: fields, values, and when a field expires.
//!
//! Fields stand in the order of insertion, behind a table of their positions once there are many;
//! a removed field leaves its position to the last. So whoever goes through the positions from the
//! last to the first misses no field that stays, whatever is removed meanwhile: [`Hash::at`].
//!
//! Fields that expire stand in a second table too, ordered by deadline. An expired field is there
//! until it is removed: reading treats it as gone, and [`Hash::purge`] removes so many at a time.

use std::collections::BTreeSet;
use std::hash::RandomState;

use indexmap::IndexMap;

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

/// What a hash has that Redis would keep as a list: `hash-max-listpack-entries` and
/// `hash-max-listpack-value`.
#[derive(Debug, Clone, Copy)]
pub struct Listed {
    /// Fields, at most.
    pub fields: u64,
    /// Bytes of a field or a value, at most.
    pub bytes: u64,
}

/// Share of a node that an entry of the second table takes, beside the entry.
const NODE_SHARE: usize = 8;

/// See the module's head.
#[derive(Debug, Clone, Default)]
pub struct Hash {
    fields: IndexMap<Box<[u8]>, Held, RandomState>,
    /// The fields that expire, by deadline.
    deadlines: BTreeSet<(Millis, Box<[u8]>)>,
    /// Bytes of fields and values, with the allocator's rounding.
    held: usize,
    /// Most fields that it has ever had, and the length of the longest field or value.
    most: u32,
    longest: u32,
}

fn weight(field: &[u8], value: &[u8]) -> usize {
    usable(field.len()) + usable(value.len())
}

/// What a field's entry in the second table takes.
fn weight_of_deadline(field: &[u8]) -> usize {
    usable(field.len()) + size_of::<(Millis, Box<[u8]>)>() + NODE_SHARE
}

impl Hash {
    /// Number of fields, those that have expired and are not purged among them.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Number of fields that are there at this moment.
    pub fn live(&self, now: Millis) -> usize {
        let due = self.deadlines.iter().take_while(|(at, _)| *at <= now).count();
        self.fields.len() - due
    }

    /// Whether any field is there at this moment.
    pub fn is_live(&self, now: Millis) -> bool {
        self.fields.len() > self.deadlines.len()
            || self.deadlines.last().is_some_and(|(at, _)| *at > now)
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Whether it has ever had more, or longer fields than Redis keeps in a list.
    pub fn is_large(&self, listed: Listed) -> bool {
        u64::from(self.most) > listed.fields || u64::from(self.longest) > listed.bytes
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
        let deadline = deadline.unwrap_or(STAYS);
        self.held += weight(field, value);
        let old = self.fields.insert(field.into(), Held { value: value.into(), deadline });
        let before = old.as_ref().map_or(STAYS, |old| old.deadline);
        if let Some(old) = &old {
            self.held -= weight(field, &old.value);
        }
        self.note_deadline(field, before, deadline);
        let bounded = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        self.most = self.most.max(bounded(self.fields.len()));
        self.longest = self.longest.max(bounded(field.len().max(value.len())));
        old.is_none()
    }

    /// Sets a field, whose deadline stays as it is; whether it is new.
    pub fn set_value(&mut self, field: &[u8], value: &[u8], now: Millis) -> bool {
        let deadline = self.deadline(field, now).flatten();
        self.set_until(field, value, deadline)
    }

    /// Removes a field; its value, if it was there.
    pub fn remove(&mut self, field: &[u8]) -> Option<Box<[u8]>> {
        let (field, held) = self.fields.swap_remove_entry(field)?;
        self.held -= weight(&field, &held.value);
        self.note_deadline(&field, held.deadline, STAYS);
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
        let deadline = deadline.unwrap_or(STAYS);
        let before = std::mem::replace(&mut held.deadline, deadline);
        self.note_deadline(field, before, deadline);
        true
    }

    /// Keeps the second table in step with the first.
    fn note_deadline(&mut self, field: &[u8], before: Millis, after: Millis) {
        if before == after {
            return;
        }
        if before != STAYS {
            self.deadlines.remove(&(before, field.into()));
            self.held -= weight_of_deadline(field);
        }
        if after != STAYS {
            self.deadlines.insert((after, field.into()));
            self.held += weight_of_deadline(field);
        }
    }

    /// Whether a field has expired by now: then [`Hash::purge`] is due.
    pub fn is_due(&self, now: Millis) -> bool {
        self.earliest().is_some_and(|at| at <= now)
    }

    /// When the next field expires, if any does.
    pub fn earliest(&self) -> Option<Millis> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Removes up to `limit` fields that have expired, the earliest first; how many.
    pub fn purge(&mut self, now: Millis, limit: usize) -> usize {
        let mut count = 0;
        while count < limit && self.is_due(now) {
            let Some((_, field)) = self.deadlines.pop_first() else { break };
            self.held -= weight_of_deadline(&field);
            if let Some(held) = self.fields.swap_remove(&field) {
                self.held -= weight(&field, &held.value);
            }
            count += 1;
        }
        count
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
        assert_eq!((1, 1), (hash.live(10), hash.purge(10, 9)));
        assert_eq!(1, hash.len());
        assert!(hash.memory_bytes() < before && !hash.is_due(u64::MAX));
    }

    #[test]
    fn what_is_counted_is_what_is_held() {
        let mut hash = Hash::default();
        let empty = hash.held;
        for turn in 0..3u8 {
            for field in 0..100u8 {
                let value = vec![turn; usize::from(field) + usize::from(turn)];
                let deadline = (field % 3 != turn).then_some(u64::from(field));
                hash.set_until(&[field; 9], &value, deadline);
            }
            hash.set_deadline(&[turn; 9], Some(1000));
        }
        assert_eq!(30, hash.purge(50, 30));
        for field in 0..100u8 {
            hash.remove(&[field; 9]);
        }
        assert_eq!((empty, 0, None), (hash.held, hash.len(), hash.earliest()));
    }

    #[test]
    fn going_down_misses_no_field_that_stays() {
        for seed in 0..50 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut hash = Hash::default();
            for field in 0..200u32 {
                hash.set(&field.to_le_bytes(), b"");
            }
            let mut missing: Vec<u32> = (0..100).collect();
            let mut at = hash.len();
            while at > 0 {
                at = at.min(hash.len()) - 1;
                let (field, ..) = hash.at(at).expect("a position below the length");
                let field = u32::from_le_bytes(field.try_into().expect("four bytes"));
                missing.retain(|&it| it != field);
                // Removed and added between two looks; those below 100 stay.
                hash.remove(&random.u32(100..400).to_le_bytes());
                hash.set(&random.u32(200..400).to_le_bytes(), b"");
            }
            assert!(missing.is_empty(), "{missing:?} with seed {seed}");
        }
    }
}
