//! A bounded table of objects and what followed each of them.
//!
//! Sets of four ways; the way not seen for longest gives way. The table doubles while most of
//! what comes is new to it and full sets push objects out, up to a limit. An object refers to
//! its successors by 32 bits of their hashes, which stay right when the table doubles.

use crate::request::Access;

/// Ways of a set.
const WAYS: usize = 4;
/// Successors remembered of one object.
pub(super) const SUCCESSORS: usize = 4;
/// Counts are halved when the total reaches this.
const TOTAL_MAX: u8 = 32;
/// Objects that a table begins with, and those it holds at most.
const OBJECTS: (usize, usize) = (4_096, 1 << 18);

/// Names an object: the upper half of its hash. 0 is nobody.
pub(super) type Name = u32;

#[inline]
pub(super) fn name_of(hash: u64) -> Name {
    ((hash >> 32) as u32).max(1)
}

/// One object: 48 bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Object {
    pub(super) hash: u64,
    pub(super) key: u64,
    pub(super) size: u32,
    /// When it was last seen; 0 where the way is empty.
    seen: u32,
    next: [Name; SUCCESSORS],
    counts: [u8; SUCCESSORS],
    /// How often something followed it.
    total: u8,
    pub(super) namespace: u16,
}

impl Object {
    /// Its successors with their counts, those seen most first.
    #[inline]
    pub(super) fn successors(&self) -> impl Iterator<Item = (Name, u8)> + '_ {
        self.next.iter().copied().zip(self.counts).take_while(|(name, _)| *name != 0)
    }

    /// How often something followed it, old times weighing less.
    #[inline]
    pub(super) fn total(&self) -> u8 {
        self.total
    }

    /// `name` followed. Newcomers take the last place once its holder's count is used up.
    fn follow(&mut self, name: Name, is_direct: bool) {
        if is_direct {
            self.total += 1;
            if self.total >= TOTAL_MAX {
                self.total /= 2;
                self.counts.iter_mut().for_each(|count| *count /= 2);
            }
        }
        let last = SUCCESSORS - 1;
        match self.next.iter().position(|&next| next == name) {
            Some(mut at) => {
                self.counts[at] = self.counts[at].saturating_add(1);
                while at > 0 && self.counts[at - 1] <= self.counts[at] {
                    self.counts.swap(at - 1, at);
                    self.next.swap(at - 1, at);
                    at -= 1;
                }
            }
            None if self.next[last] == 0 || self.counts[last] <= 1 => {
                let at = self.next.iter().position(|&next| next == 0).unwrap_or(last);
                (self.next[at], self.counts[at]) = (name, 1);
            }
            None => self.counts[last] -= 1,
        }
    }
}

/// See the module's head.
#[derive(Debug)]
pub(super) struct Objects {
    ways: Vec<Object>,
    clock: u32,
    /// Objects pushed out since the table last changed its size.
    lost: usize,
}

impl Default for Objects {
    fn default() -> Self {
        Objects { ways: vec![Object::default(); OBJECTS.0], clock: 0, lost: 0 }
    }
}

impl Objects {
    #[inline]
    fn set_of(&self, name: Name) -> std::ops::Range<usize> {
        let start = name as usize & (self.ways.len() / WAYS - 1);
        start * WAYS..(start + 1) * WAYS
    }

    /// The object of this name, if it is remembered.
    #[inline]
    pub(super) fn get(&self, name: Name) -> Option<&Object> {
        let set = self.set_of(name);
        self.ways[set].iter().find(|way| way.seen != 0 && name_of(way.hash) == name)
    }

    /// Remembers an object that was asked for; what is known of it.
    #[inline]
    pub(super) fn seen(&mut self, access: &Access) -> &Object {
        self.clock = self.clock.wrapping_add(1).max(1);
        let (clock, name) = (self.clock, name_of(access.hash));
        let mut set = self.set_of(name);
        let mut at = self.place_in(set.clone(), name);
        if self.ways[at].seen != 0 && name_of(self.ways[at].hash) != name {
            self.lost += 1;
            if self.lost > self.ways.len() && self.ways.len() < OBJECTS.1 {
                self.double();
                set = self.set_of(name);
                at = self.place_in(set, name);
            }
        }
        let way = &mut self.ways[at];
        if way.seen == 0 || name_of(way.hash) != name {
            *way = Object { hash: access.hash, key: access.key, ..Object::default() };
        }
        (way.size, way.namespace, way.seen) = (access.size, access.namespace, clock);
        way
    }

    /// `next` came after `name`, right after it or with others between.
    #[inline]
    pub(super) fn follow(&mut self, name: Name, next: Name, is_direct: bool) {
        let set = self.set_of(name);
        let way = self.ways[set].iter_mut().find(|way| way.seen != 0 && name_of(way.hash) == name);
        if let Some(way) = way {
            way.follow(next, is_direct);
        }
    }

    /// Where the object is, or should come.
    #[inline]
    fn place_in(&self, set: std::ops::Range<usize>, name: Name) -> usize {
        let start = set.start;
        let ways = &self.ways[set];
        let found = ways.iter().position(|way| way.seen != 0 && name_of(way.hash) == name);
        let age = |way: &Object| match way.seen {
            0 => u32::MAX,
            seen => self.clock.wrapping_sub(seen),
        };
        let oldest = || (0..WAYS).max_by_key(|&at| age(&ways[at])).unwrap_or(0);
        start + found.unwrap_or_else(oldest)
    }

    #[cold]
    fn double(&mut self) {
        self.lost = 0;
        let old = std::mem::take(&mut self.ways);
        self.ways = vec![Object::default(); 2 * old.len()];
        for object in old.into_iter().filter(|object| object.seen != 0) {
            // A set's objects part in two sets of the new table: there is room for all.
            let at = self.place_in(self.set_of(name_of(object.hash)), 0);
            self.ways[at] = object;
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.ways.capacity() * size_of::<Object>()
    }
}
