//! Miniature caches: what a few plain rankings would hold of the sampled objects.
//!
//! A miniature cache has the capacity of a full one times the sampling ratio (Waldspurger et al.,
//! "Cache modeling and optimization using miniature simulations", USENIX ATC 2017). It has no
//! memory of its own but a bit per place: who is resident is marked there, to be found fast, and at
//! the object. A victim is the lowest of a few residents that a hand passes and of the lowest met
//! before.

use super::table::{NIL, Place, Table};

/// Residents looked at per eviction.
const LOOKS: u32 = 5;

/// Who leaves first. Together with LRU, which comes from the recency list, they span most of what
/// caches gain by: recency, popularity, resistance to scans and loops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// The lowest decayed count per byte: LFU with aging, GDSF's order.
    Heat,
    /// The lowest count per byte, the latest first; newcomers that ranked below before they were
    /// asked for now do not come in: holds on to a part of a loop.
    Count,
}

impl Order {
    pub(super) const ALL: [Order; 2] = [Order::Heat, Order::Count];

    /// Worth of keeping an object; the lowest leaves.
    #[inline]
    fn score(self, table: &Table, place: Place, now: u32, cooling: f32) -> f64 {
        let object = table.object(place);
        let age = now.wrapping_sub(object.last);
        match self {
            Order::Heat => f64::from(object.worth - age as f32 * cooling),
            Order::Count => by_count(object.count, age, object.size),
        }
    }
}

/// Count per byte, ties to the oldest.
fn by_count(count: u16, age: u32, size: u32) -> f64 {
    (f64::from(count) * 2_f64.powi(32) + f64::from(age)) / f64::from(size)
}

/// See the module's head.
#[derive(Debug, Clone)]
pub(super) struct Miniature {
    order: Order,
    bit: u16,
    pub(super) capacity: u64,
    used: u64,
    residents: u32,
    /// A bit per place, set for the residents.
    places: Box<[u64]>,
    hand: usize,
    /// The second lowest of the latest eviction.
    kept: Place,
}

impl Miniature {
    /// The empty cache whose residents, at one of `limit` places, have this bit.
    pub(super) fn new(order: Order, bit: u16, capacity: u64, limit: usize) -> Self {
        let places = vec![0; limit.div_ceil(64)].into();
        let (used, residents, hand, kept) = (0, 0, 0, NIL);
        Miniature { order, bit, capacity, used, residents, places, hand, kept }
    }

    /// Bytes held beside the cache itself.
    pub(super) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.places)
    }

    pub(super) fn residents(&self) -> u32 {
        self.residents
    }

    #[inline]
    pub(super) fn holds(&self, members: u16) -> bool {
        members & self.bit != 0
    }

    /// An object that is not resident was asked for: it comes in if it fits and deserves it.
    pub(super) fn admit(&mut self, table: &mut Table, place: Place, now: u32, cooling: f32) {
        let size = u64::from(table.object(place).size);
        if size > self.capacity {
            return;
        }
        while self.used + size > self.capacity {
            let (victim, lowest) = self.lowest(table, now, cooling);
            let object = table.object(place);
            if self.order == Order::Count && by_count(object.count - 1, 0, object.size) < lowest {
                return;
            }
            self.evict(table, victim);
            table.release_if_idle(victim);
        }
        table.object_mut(place).members |= self.bit;
        self.places[usize::from(place) / 64] |= 1 << (place % 64);
        self.used += size;
        self.residents += 1;
    }

    /// A resident's size has changed.
    pub(super) fn resize(&mut self, old: u32, new: u32) {
        self.used = self.used - u64::from(old) + u64::from(new);
    }

    /// Puts a resident out; the caller releases it.
    pub(super) fn evict(&mut self, table: &mut Table, place: Place) {
        let object = table.object_mut(place);
        object.members &= !self.bit;
        self.places[usize::from(place) / 64] &= !(1 << (place % 64));
        self.used -= u64::from(object.size);
        self.residents -= 1;
    }

    /// The resident to leave next and its score; there is one.
    fn lowest(&mut self, table: &Table, now: u32, cooling: f32) -> (Place, f64) {
        let order = self.order;
        let (mut lowest, mut second) = ((f64::INFINITY, NIL), (f64::INFINITY, NIL));
        let mut offer = |place: Place| {
            let score = order.score(table, place, now, cooling);
            if score < lowest.0 {
                second = std::mem::replace(&mut lowest, (score, place));
            } else if score < second.0 {
                second = (score, place);
            }
        };
        let kept = self.kept;
        if kept != NIL && self.holds(table.object(kept).members) {
            offer(kept);
        }
        // Once around: the word that the hand is in comes first and, for what is before it, last.
        let (first, words) = (self.hand / 64, self.places.len());
        let mut looks = LOOKS;
        for step in 0..=words {
            let word = (first + step) % words;
            let mut ahead = self.places[word];
            if step == 0 {
                ahead &= u64::MAX << (self.hand % 64);
            }
            while ahead != 0 && looks > 0 {
                let place = word * 64 + ahead.trailing_zeros() as usize;
                ahead &= ahead - 1;
                looks -= 1;
                if place != usize::from(kept) {
                    offer(place as Place);
                }
                self.hand = place + 1;
            }
            if looks == 0 {
                break;
            }
        }
        self.hand %= 64 * words;
        self.kept = second.1;
        (lowest.1, lowest.0)
    }
}
