//! What is stored: key, value and their marks in one allocation, behind one pointer.
//!
//! A store slot pays eight bytes for an object. A string is one block: a header of eight bytes, the
//! extra fields of memcached where it has them, the key, the value. A hash is a box of its own,
//! which the lowest bit of the pointer tells. Blocks come from jemalloc, whatever the program's
//! allocator is, so that what they take is known and can be bounded.
//!
//! This module knows nothing of protocols, sockets, time or policies.

mod block;
pub mod hash;
pub mod heap;

use std::fmt;
use std::ptr::NonNull;

use augury_core::lines;

use block::Block;
pub use block::{Extra, Marks};
use hash::Hash;

/// Longest key, in bytes: its length has 24 bits.
pub const KEY_MAX: usize = (1 << 24) - 1;

/// Longest value, in bytes: Redis's `proto-max-bulk-len`.
pub const VALUE_MAX: usize = 512 << 20;

/// Number of databases: a key's has four bits.
pub const DATABASES: u8 = 16;

/// A hash under its key.
struct Hashed {
    db: u8,
    is_loaded: bool,
    key: Box<[u8]>,
    fields: Hash,
}

/// The pointer's lowest bit: set for a hash, clear for a block.
const HASHED: usize = 1;

/// A key and what is stored under it.
pub struct Object(NonNull<u8>);

// SAFETY: an object owns what it points to (a block of bytes, or a box whose content is `Send` and
// `Sync`) and shares it with nobody.
unsafe impl Send for Object {}
// SAFETY: as above; nothing is changed through a shared reference.
unsafe impl Sync for Object {}

/// What an object holds.
pub enum Content<'a> {
    /// A string.
    Text(&'a [u8]),
    /// A hash.
    Hash(&'a Hash),
}

impl Object {
    /// A string under its key.
    ///
    /// The caller guarantees `key.len() <= KEY_MAX`, `db < DATABASES` and
    /// `value.len() <= VALUE_MAX`; the protocols refuse what is larger.
    pub fn text(db: u8, key: &[u8], value: &[u8]) -> Object {
        Object::joined(db, key, &[value], Marks::empty(), None)
    }

    /// A string made of several parts, with marks and the fields of memcached.
    pub fn joined(
        db: u8,
        key: &[u8],
        value: &[&[u8]],
        marks: Marks,
        extra: Option<Extra>,
    ) -> Object {
        Object(Block::new(db, key, value, marks, extra).into_raw())
    }

    /// A hash under its key.
    pub fn hash(db: u8, key: &[u8], fields: Hash) -> Object {
        let hashed = Box::new(Hashed { db, is_loaded: false, key: key.into(), fields });
        let raw = Box::into_raw(hashed).cast::<u8>().map_addr(|at| at | HASHED);
        // SAFETY: a box is never null, and setting a bit keeps it so.
        Object(unsafe { NonNull::new_unchecked(raw) })
    }

    #[inline]
    fn is_hashed(&self) -> bool {
        self.0.as_ptr().addr() & HASHED != 0
    }

    fn hashed_pointer(&self) -> *mut Hashed {
        self.0.as_ptr().map_addr(|at| at & !HASHED).cast()
    }

    #[inline]
    fn block(&self) -> Block<'_> {
        debug_assert!(!self.is_hashed());
        // SAFETY: an untagged pointer came from `Block::new` and is released by `drop` alone, which
        // needs the object for itself.
        unsafe { Block::from_raw(self.0) }
    }

    fn hashed(&self) -> &Hashed {
        debug_assert!(self.is_hashed());
        // SAFETY: a tagged pointer came from `Box::into_raw` in `hash`, is released by `drop` alone,
        // and the object is borrowed for as long as the reference lives.
        unsafe { &*self.hashed_pointer() }
    }

    /// Number of the database.
    #[inline]
    pub fn db(&self) -> u8 {
        if self.is_hashed() { self.hashed().db } else { self.block().db() }
    }

    /// The key.
    #[inline]
    pub fn key(&self) -> &[u8] {
        if self.is_hashed() { &self.hashed().key } else { self.block().key() }
    }

    /// Whether it is stored under this key of this database.
    #[inline]
    pub fn is_under(&self, db: u8, key: &[u8]) -> bool {
        if self.is_hashed() {
            let hashed = self.hashed();
            hashed.db == db && *hashed.key == *key
        } else {
            let block = self.block();
            block.db() == db && block.key() == key
        }
    }

    /// What it holds.
    #[inline]
    pub fn content(&self) -> Content<'_> {
        if self.is_hashed() {
            Content::Hash(&self.hashed().fields)
        } else {
            Content::Text(self.block().value())
        }
    }

    /// The string, if it is one.
    #[inline]
    pub fn as_text(&self) -> Option<&[u8]> {
        if self.is_hashed() { None } else { Some(self.block().value()) }
    }

    /// The string, to change where it stands, if it is one without the fields of memcached (which
    /// change with it). It is marked as changed.
    pub fn as_text_mut(&mut self) -> Option<&mut [u8]> {
        if self.is_hashed() || self.extra().is_some() {
            return None;
        }
        // SAFETY: the object is borrowed mutably for as long as the slice lives.
        Some(unsafe { self.block().value_mut() })
    }

    /// The fields, if it is a hash.
    pub fn as_hash(&self) -> Option<&Hash> {
        self.is_hashed().then(|| &self.hashed().fields)
    }

    /// The fields, to change, if it is a hash.
    pub fn as_hash_mut(&mut self) -> Option<&mut Hash> {
        if !self.is_hashed() {
            return None;
        }
        // SAFETY: as in `hashed`; the object is borrowed mutably, so this is the only reference.
        let hashed = unsafe { &mut *self.hashed_pointer() };
        hashed.is_loaded = false;
        Some(&mut hashed.fields)
    }

    /// Whether what it holds came from an upstream, and was neither changed nor copied since.
    #[inline]
    pub fn is_loaded(&self) -> bool {
        if self.is_hashed() { self.hashed().is_loaded } else { self.block().is_loaded() }
    }

    /// As it came from an upstream.
    pub fn loaded(self) -> Object {
        if self.is_hashed() {
            // SAFETY: as in `hashed`; the object is owned, so this is the only reference.
            unsafe { (*self.hashed_pointer()).is_loaded = true };
        } else {
            // SAFETY: the object is owned, so no other view of its block is in use.
            unsafe { self.block().set_loaded(true) };
        }
        self
    }

    /// Whether it is a hash of which a field has expired by now, in milliseconds of Unix time.
    #[inline]
    pub fn has_expired_fields(&self, now: u64) -> bool {
        self.is_hashed() && self.hashed().fields.is_due(now)
    }

    /// The same content under another key; a hash's fields move and leave this one empty.
    pub fn take_under(&mut self, db: u8, key: &[u8]) -> Object {
        match self.as_hash_mut() {
            Some(fields) => Object::hash(db, key, std::mem::take(fields)),
            None => self.copy_under(db, key),
        }
    }

    /// A copy of the content under another key.
    pub fn copy_under(&self, db: u8, key: &[u8]) -> Object {
        match self.content() {
            Content::Text(value) => Object::joined(db, key, &[value], self.marks(), self.extra()),
            Content::Hash(fields) => Object::hash(db, key, fields.clone()),
        }
    }

    /// The marks; none on a hash.
    pub fn marks(&self) -> Marks {
        if self.is_hashed() { Marks::empty() } else { self.block().marks() }
    }

    /// The fields of memcached, where it has them.
    pub fn extra(&self) -> Option<Extra> {
        if self.is_hashed() { None } else { self.block().extra() }
    }

    /// Asks for the memory that it begins with.
    #[inline]
    pub fn fetch(&self) {
        let at = self.0.as_ptr().map_addr(|at| at & !HASHED);
        // SAFETY: whatever kind it is, an object owns at least eight bytes there.
        lines::fetch(unsafe { &*at.cast::<[u8; 8]>() });
    }

    /// Writes the fields of memcached anew; false, and nothing, where it has none.
    pub fn set_extra(&mut self, extra: Extra) -> bool {
        // SAFETY: the object is borrowed mutably, so no other view of its block is in use.
        !self.is_hashed() && unsafe { self.block().set_extra(extra) }
    }

    /// Writes the marks anew; nothing on a hash.
    pub fn set_marks(&mut self, marks: Marks) {
        if !self.is_hashed() {
            // SAFETY: as above.
            unsafe { self.block().set_marks(marks) };
        }
    }

    /// Bytes that it takes, with the allocator's rounding.
    #[inline]
    pub fn memory_bytes(&self) -> usize {
        if self.is_hashed() {
            let hashed = self.hashed();
            block::usable(size_of::<Hashed>())
                + block::usable(hashed.key.len())
                + hashed.fields.memory_bytes()
        } else {
            block::usable(self.block().len())
        }
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        if self.is_hashed() {
            // SAFETY: the pointer came from `Box::into_raw` and is given back once.
            drop(unsafe { Box::from_raw(self.hashed_pointer()) });
        } else {
            // SAFETY: the pointer came from `Block::new` and is given back once.
            unsafe { Block::release(self.0) };
        }
    }
}

impl Clone for Object {
    fn clone(&self) -> Object {
        self.copy_under(self.db(), self.key())
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_hashed() { "hash" } else { "text" };
        write!(f, "Object({kind}, db {}, {} bytes)", self.db(), self.memory_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_beside_a_value_can_be_changed() {
        let extra = Extra { flags: 1, unique: 2, accessed: 3, is_fetched: false };
        let mut object = Object::joined(7, b"k", &[b"value"], Marks::empty(), Some(extra));
        let later = Extra { unique: 9, is_fetched: true, ..extra };
        assert!(object.set_extra(later));
        object.set_marks(Marks::STALE | Marks::WON);
        assert_eq!((Some(later), Marks::STALE | Marks::WON), (object.extra(), object.marks()));
        assert!(object.is_under(7, b"k") && object.as_text() == Some(b"value"));
        let mut plain = Object::text(7, b"k", b"value");
        assert!(!plain.set_extra(extra) && plain.extra().is_none());
    }

    #[test]
    fn what_went_in_comes_out() {
        let extra = Extra { flags: 7, unique: (1 << 63) - 1, accessed: u32::MAX, is_fetched: true };
        for (key, value) in [(&b""[..], &b""[..]), (b"k", b"value"), (&[0; 300], &[1; 70_000])] {
            for extra in [None, Some(extra)] {
                let object = Object::joined(15, key, &[value, b"!"], Marks::RAW, extra);
                assert_eq!((15, key), (object.db(), object.key()));
                assert_eq!(Some(&[value, b"!"].concat()[..]), object.as_text());
                assert_eq!((Marks::RAW, extra), (object.marks(), object.extra()));
                let copy = object.clone();
                assert_eq!(object.as_text(), copy.as_text());
                assert!(copy.is_under(15, key) && !copy.is_under(1, key));
                assert!(copy.memory_bytes() >= key.len() + value.len());
                let mut changed = Object::joined(1, key, &[value, b"!"], Marks::empty(), extra);
                if let Some(text) = changed.as_text_mut() {
                    text[value.len()] = b'?';
                    assert_eq!(Some(&[value, b"?"].concat()[..]), changed.as_text());
                    assert!(changed.is_under(1, key) && changed.marks() == Marks::RAW);
                } else {
                    assert!(extra.is_some());
                }
            }
        }
    }

    #[test]
    fn what_was_loaded_is_so_until_it_is_changed_or_copied() {
        for extra in [None, Some(Extra { flags: 1, unique: 2, accessed: 3, is_fetched: false })] {
            let made = Object::joined(0, b"k", &[b"value"], Marks::RAW, extra);
            let bytes = made.memory_bytes();
            let mut object = made.loaded();
            assert!(object.is_loaded() && !object.clone().is_loaded());
            assert_eq!((Some(&b"value"[..]), bytes), (object.as_text(), object.memory_bytes()));
            if object.as_text_mut().is_some() {
                assert!(!object.is_loaded() && object.as_text() == Some(b"value"));
            }
        }
        let mut hash = Object::hash(0, b"h", Hash::default()).loaded();
        assert!(hash.is_loaded() && !hash.clone().is_loaded());
        assert!(hash.as_hash_mut().is_some() && !hash.is_loaded());
    }

    #[test]
    fn a_hash_is_told_from_a_string() {
        let mut object = Object::hash(3, b"h", Hash::default());
        assert!(object.as_text().is_none());
        object.as_hash_mut().expect("a hash").set(b"f", b"v");
        assert_eq!(Some(&b"v"[..]), object.as_hash().and_then(|hash| hash.get(b"f", 0)));
        assert!(object.clone().is_under(3, b"h"));
        let moved = object.take_under(4, b"g");
        assert!(moved.is_under(4, b"g") && object.as_hash().is_some_and(Hash::is_empty));
        assert_eq!(Some(1), moved.as_hash().map(Hash::len));
    }
}
