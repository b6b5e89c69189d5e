//! LRU at many capacities at once: one list of the sampled objects, latest first, cut into segments.
//!
//! A cache under LRU holds what a larger one holds (Mattson et al., IBM Systems Journal 1970), so
//! one list serves all: the objects of the segments `0..=i` are those of the cache of capacity
//! `bounds[i]`. An access moves its object to the front, and across each bound between there and
//! where it was as many of the last as no longer fit go over into the next segment. That takes
//! time linear in the number of bounds, and needs no tree over stack distances. What falls out of
//! the last segment leaves the list.

use super::table::{NIL, OUTSIDE, Place, Table};

/// Bounds at most.
pub(super) const SEGMENTS: usize = 24;

#[derive(Debug, Clone, Copy)]
struct Segment {
    /// Capacity of the cache that ends here.
    bound: u64,
    /// Sizes of all objects up to here.
    within: u64,
    /// The oldest object of this segment.
    last: Place,
}

const EMPTY: Segment = Segment { bound: 0, within: 0, last: NIL };

/// See the module's head.
#[derive(Debug, Clone)]
pub(super) struct Recency {
    segments: [Segment; SEGMENTS],
    first: Place,
}

impl Recency {
    pub(super) fn new(bounds: [u64; SEGMENTS]) -> Self {
        Recency { segments: bounds.map(|bound| Segment { bound, ..EMPTY }), first: NIL }
    }

    /// The capacity that a segment ends at.
    pub(super) fn bound(&self, segment: usize) -> u64 {
        self.segments[segment].bound
    }

    /// Moves an object of this size to the front, from wherever it was; what no longer fits on the
    /// list leaves it. Objects larger than every bound are not listed. `former` is the size under
    /// which it has been on the list.
    pub(super) fn push(&mut self, table: &mut Table, place: Place, size: u32, former: u32) {
        let from = table.object(place).segment;
        self.unlink(table, place, former);
        let size = u64::from(size);
        if size > self.segments[SEGMENTS - 1].bound {
            return;
        }
        let older = std::mem::replace(&mut self.first, place);
        if older != NIL {
            table.object_mut(older).newer = place;
        }
        let object = table.object_mut(place);
        (object.segment, object.newer, object.older) = (0, NIL, older);
        if self.segments[0].last == NIL {
            self.segments[0].last = place;
        }
        self.segments.iter_mut().for_each(|segment| segment.within += size);
        // Below where it was nothing moves, unless it has grown.
        let is_same = from != OUTSIDE && size <= u64::from(former);
        let end = if is_same { usize::from(from) } else { SEGMENTS };
        (0..end).for_each(|segment| self.settle(table, segment));
    }

    /// Takes an object off the list, where it is on it.
    pub(super) fn unlink(&mut self, table: &mut Table, place: Place, size: u32) {
        let object = table.object_mut(place);
        let (segment, newer, older) = (object.segment, object.newer, object.older);
        if segment == OUTSIDE {
            return;
        }
        object.segment = OUTSIDE;
        if newer == NIL {
            self.first = older;
        } else {
            table.object_mut(newer).older = older;
        }
        if older != NIL {
            table.object_mut(older).newer = newer;
        }
        let at = usize::from(segment);
        if self.segments[at].last == place {
            self.segments[at].last = self.if_in(table, newer, segment);
        }
        self.segments[at..].iter_mut().for_each(|segment| segment.within -= u64::from(size));
    }

    /// Other bounds: those of a smaller sample.
    pub(super) fn rebound(&mut self, table: &mut Table, bounds: [u64; SEGMENTS]) {
        let mut place = self.first;
        *self = Recency { first: self.first, ..Recency::new(bounds) };
        let mut size = 0;
        while place != NIL {
            let object = table.object_mut(place);
            object.segment = 0;
            size += u64::from(object.size);
            self.segments[0].last = place;
            place = object.older;
        }
        self.segments.iter_mut().for_each(|segment| segment.within = size);
        (0..SEGMENTS).for_each(|segment| self.settle(table, segment));
    }

    /// Hands over to the next segment what does not fit within this one's bound.
    fn settle(&mut self, table: &mut Table, at: usize) {
        while self.segments[at].within > self.segments[at].bound && self.segments[at].last != NIL {
            let place = self.segments[at].last;
            let size = table.object(place).size;
            if at + 1 == SEGMENTS {
                self.unlink(table, place, size);
                table.release_if_idle(place);
                continue;
            }
            self.segments[at].within -= u64::from(size);
            let newer = table.object(place).newer;
            self.segments[at].last = self.if_in(table, newer, at as u8);
            table.object_mut(place).segment = at as u8 + 1;
            if self.segments[at + 1].last == NIL {
                self.segments[at + 1].last = place;
            }
        }
    }

    fn if_in(&self, table: &Table, place: Place, segment: u8) -> Place {
        if place != NIL && table.object(place).segment == segment { place } else { NIL }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::mix;
    use crate::random::Random;

    /// Bounds 1 to 24 times this.
    fn bounds(step: u64) -> [u64; SEGMENTS] {
        std::array::from_fn(|at| step * (at as u64 + 1))
    }

    /// The first segment by depth, from a plain list.
    fn expected(list: &[(u64, u32)], key: u64, bounds: &[u64; SEGMENTS]) -> Option<u8> {
        let at = list.iter().position(|&(other, _)| other == key)?;
        let depth: u64 = list[..=at].iter().map(|&(_, size)| u64::from(size)).sum();
        bounds.iter().position(|&bound| depth <= bound).map(|at| at as u8)
    }

    fn agree(step: u64, largest: u32) {
        let (mut table, mut recency) = (Table::new(500), Recency::new(bounds(step)));
        let (mut list, mut random): (Vec<(u64, u32)>, _) = (Vec::new(), Random::new(3));
        for now in 0..20_000 {
            let key = u64::from(random.below(300));
            let hash = mix(key);
            let size = if largest == 1 { 1 } else { 1 + (hash as u32) % largest };
            let found = table.find(hash);
            let segment = found.map(|place| table.object(place).segment);
            let bounds = bounds(if now > 10_000 { step / 2 } else { step });
            assert_eq!(expected(&list, key, &bounds), segment, "request {now}");
            if now % 97 == 0
                && let Some(place) = found
            {
                recency.unlink(&mut table, place, size);
                table.release_if_idle(place);
                // What lies deeper comes nearer: a gap is closed, as is the plain list's.
                list.retain(|&(other, _)| other != key);
                recency.rebound(&mut table, bounds);
                continue;
            }
            let place = found.unwrap_or_else(|| table.add(hash, 0, size, now));
            recency.push(&mut table, place, size, size);
            table.release_if_idle(place);
            list.retain(|&(other, _)| other != key);
            list.insert(0, (key, size));
            let mut depth = 0;
            list.retain(|&(_, size)| {
                depth += u64::from(size);
                depth <= bounds[SEGMENTS - 1]
            });
            if now == 10_000 {
                recency.rebound(&mut table, super::tests::bounds(step / 2));
                let mut depth = 0;
                list.retain(|&(_, size)| {
                    depth += u64::from(size);
                    depth <= step / 2 * SEGMENTS as u64
                });
            }
        }
        assert_eq!(list.len(), table.live());
    }

    #[test]
    fn segments_are_those_of_a_plain_list() {
        agree(8, 1);
        agree(200, 90);
    }
}
