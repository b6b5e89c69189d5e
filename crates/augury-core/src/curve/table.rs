//! The sampled objects: a fixed number of places, found by hash through chains.
//!
//! 32 bytes per place and 2 to 4 per place for the heads of the chains. A place is in use as long
//! as the object is on the recency list or resident in a miniature cache; who takes it off the one
//! or out of the last of the others releases it.

/// Number of a place.
pub(super) type Place = u16;
/// No place.
pub(super) const NIL: Place = u16::MAX;
/// Segment of an object that is not on the recency list.
pub(super) const OUTSIDE: u8 = u8::MAX;

/// One sampled object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Object {
    /// Upper half of the hash.
    tag: u32,
    /// What decides whether it is sampled.
    sample: u32,
    /// Lower half of the tick of the latest access.
    pub(super) last: u32,
    /// At least 1.
    pub(super) size: u32,
    /// Binary logarithm of the decayed count per unit of size, at `last`.
    pub(super) worth: f32,
    /// Accesses while it was remembered, saturating.
    pub(super) count: u16,
    /// Miniature caches in which it is resident, a bit each.
    pub(super) members: u16,
    /// Segment of the recency list, or [`OUTSIDE`].
    pub(super) segment: u8,
    pub(super) newer: Place,
    pub(super) older: Place,
    chain: Place,
}

const _: () = assert!(size_of::<Object>() == 32);

/// See the module's head.
#[derive(Debug, Clone)]
pub(super) struct Table {
    objects: Vec<Object>,
    heads: Box<[Place]>,
    /// First of the vacant places, chained.
    vacant: Place,
    limit: usize,
    live: usize,
}

impl Table {
    /// Room for `limit` objects, fewer than [`NIL`].
    pub(super) fn new(limit: usize) -> Self {
        assert!(limit < usize::from(NIL), "places are numbered by 16 bits");
        Table {
            objects: Vec::with_capacity(limit),
            heads: vec![NIL; limit.next_power_of_two()].into(),
            vacant: NIL,
            limit,
            live: 0,
        }
    }

    /// Places that are, or have been, in use.
    pub(super) fn bound(&self) -> usize {
        self.objects.len()
    }

    pub(super) fn is_full(&self) -> bool {
        self.live == self.limit
    }

    #[inline]
    pub(super) fn object(&self, place: Place) -> &Object {
        &self.objects[usize::from(place)]
    }

    #[inline]
    pub(super) fn object_mut(&mut self, place: Place) -> &mut Object {
        &mut self.objects[usize::from(place)]
    }

    /// The object's sample, where one is here.
    pub(super) fn sample(&self, place: Place) -> Option<u32> {
        let Object { sample, members, segment, .. } = *self.object(place);
        (members != 0 || segment != OUTSIDE).then_some(sample)
    }

    fn home(&self, tag: u32) -> usize {
        tag as usize & (self.heads.len() - 1)
    }

    /// Where an object is. Of two objects with one upper half of the hash the later passes for the
    /// other: with a few thousand objects one request in a million.
    pub(super) fn find(&self, hash: u64) -> Option<Place> {
        let tag = (hash >> 32) as u32;
        let mut place = self.heads[self.home(tag)];
        while place != NIL {
            let object = self.object(place);
            if object.tag == tag {
                return Some(place);
            }
            place = object.chain;
        }
        None
    }

    /// Takes in an object that is not here, at its first access. There is room.
    pub(super) fn add(&mut self, hash: u64, sample: u32, size: u32, now: u32) -> Place {
        let tag = (hash >> 32) as u32;
        let home = self.home(tag);
        let object = Object {
            tag,
            sample,
            last: now,
            size,
            worth: -(size as f32).log2(),
            count: 1,
            members: 0,
            segment: OUTSIDE,
            newer: NIL,
            older: NIL,
            chain: self.heads[home],
        };
        let place = self.vacant;
        let place = if place == NIL {
            debug_assert!(self.objects.len() < self.limit, "the table is full");
            self.objects.push(object);
            (self.objects.len() - 1) as Place
        } else {
            self.vacant = self.object(place).chain;
            *self.object_mut(place) = object;
            place
        };
        self.heads[home] = place;
        self.live += 1;
        place
    }

    /// Records an access. `cooling` is the reciprocal of the decayed count's half-life in requests.
    pub(super) fn touch(&mut self, place: Place, size: u32, now: u32, cooling: f32) {
        let object = self.object_mut(place);
        let age = now.wrapping_sub(object.last);
        let heat = object.worth + (object.size as f32).log2() - age as f32 * cooling;
        object.worth = heat.exp2().ln_1p() * std::f32::consts::LOG2_E - (size as f32).log2();
        object.last = now;
        object.size = size;
        object.count = object.count.saturating_add(1);
    }

    /// Lets go of an object that nobody holds any more.
    pub(super) fn release_if_idle(&mut self, place: Place) {
        let Object { tag, members, segment, chain, .. } = *self.object(place);
        if members != 0 || segment != OUTSIDE {
            return;
        }
        let home = self.home(tag);
        let mut at = self.heads[home];
        if at == place {
            self.heads[home] = chain;
        } else {
            while self.object(at).chain != place {
                at = self.object(at).chain;
            }
            self.object_mut(at).chain = chain;
        }
        let vacant = std::mem::replace(&mut self.vacant, place);
        self.object_mut(place).chain = vacant;
        self.live -= 1;
    }

    /// Bytes held.
    pub(super) fn memory_bytes(&self) -> usize {
        self.objects.capacity() * size_of::<Object>() + self.heads.len() * size_of::<Place>()
    }

    #[cfg(test)]
    pub(super) fn live(&self) -> usize {
        self.live
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::mix;

    #[test]
    fn what_was_added_is_found_until_it_is_released_and_its_place_is_used_again() {
        let mut table = Table::new(100);
        let places: Vec<_> = (0..100).map(|key| table.add(mix(key), 0, 1, 0)).collect();
        assert!(table.is_full());
        for key in 0..100 {
            assert_eq!(Some(places[key as usize]), table.find(mix(key)));
        }
        for key in (0..100).step_by(3) {
            table.release_if_idle(places[key as usize]);
        }
        for key in 0..100 {
            let expected = (key % 3 != 0).then_some(places[key as usize]);
            assert_eq!(expected, table.find(mix(key)), "key {key}");
        }
        let bytes = table.memory_bytes();
        (1_000..1_034).for_each(|key| _ = table.add(mix(key), 0, 1, 0));
        assert_eq!((100, bytes), (table.live(), table.memory_bytes()));
    }

    #[test]
    fn the_decayed_count_halves_with_its_half_life() {
        let mut table = Table::new(4);
        let place = table.add(1, 0, 8, 0);
        assert_eq!(-3.0, table.object(place).worth);
        table.touch(place, 8, 100, 0.01);
        let heat = (table.object(place).worth + 3.0).exp2();
        assert!((heat - 1.5).abs() < 1e-5, "{heat}");
        assert_eq!((100, 2), (table.object(place).last, table.object(place).count));
    }
}
