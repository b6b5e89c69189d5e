//! The recency stack: every object at its depth in bytes, latest first.
//!
//! Places are handed out in the order of the accesses, so that an object's depth is the sum of the
//! weights from its own place to the end. What a deletion or a smaller size leaves behind is a
//! *gap*: it keeps its place and weight, because what lies below it was evicted from caches of
//! less depth and does not come back; the next to be pushed takes its room. Two gaps side by side
//! are one, and those below every object are none: places that still count number at most twice
//! the objects.

use std::collections::BinaryHeap;

use rustc_hash::FxHashMap;

use super::fenwick::Fenwick;

/// Places to begin with.
const FIRST_PLACES: usize = 1024;

#[derive(Debug, Clone, Copy)]
struct Place {
    key: u64,
    weight: u64,
    is_gap: bool,
}

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct Stack {
    place_of: FxHashMap<u64, usize>,
    places: Vec<Place>,
    depths: Fenwick,
    /// The places of the gaps; the latest, that is the one nearest the top, comes first.
    gaps: BinaryHeap<usize>,
}

impl Stack {
    /// Bytes from the top of the stack to the end of the object; `None` where it is not there.
    pub(super) fn depth(&self, key: u64) -> Option<u64> {
        self.place_of.get(&key).map(|&place| self.depths.from(place))
    }

    /// Puts an object of this size on top, from wherever it was.
    pub(super) fn push(&mut self, key: u64, size: u32) {
        self.remove(key);
        self.fill_gaps(u64::from(size));
        if self.places.len() == self.depths.len() {
            self.compact();
        }
        let place = self.places.len();
        self.places.push(Place { key, weight: u64::from(size), is_gap: false });
        self.depths.add(place, u64::from(size));
        self.place_of.insert(key, place);
    }

    /// Takes an object out; its room becomes a gap.
    pub(super) fn remove(&mut self, key: u64) {
        if let Some(place) = self.place_of.remove(&key) {
            self.places[place].is_gap = true;
            self.gaps.push(place);
        }
    }

    fn fill_gaps(&mut self, mut size: u64) {
        while size > 0
            && let Some(&place) = self.gaps.peek()
        {
            let filled = size.min(self.places[place].weight);
            self.places[place].weight -= filled;
            self.depths.subtract(place, filled);
            size -= filled;
            if self.places[place].weight == 0 {
                self.gaps.pop();
            }
        }
    }

    /// Closes up the places that no longer count.
    fn compact(&mut self) {
        let mut kept: Vec<Place> = Vec::with_capacity(2 * self.place_of.len());
        for place in self.places.drain(..).filter(|place| place.weight > 0) {
            match kept.last_mut() {
                Some(last) if last.is_gap && place.is_gap => last.weight += place.weight,
                None if place.is_gap => {}
                _ => kept.push(place),
            }
        }
        self.gaps.clear();
        for (number, place) in kept.iter().enumerate() {
            if place.is_gap {
                self.gaps.push(number);
            } else {
                self.place_of.insert(place.key, number);
            }
        }
        let room = FIRST_PLACES.max(2 * kept.len());
        self.depths = Fenwick::with_weights(room, kept.iter().map(|place| place.weight));
        self.places = kept;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_the_bytes_of_what_came_since() {
        let mut stack = Stack::default();
        for (key, size) in [(1, 10), (2, 20), (3, 30), (1, 10)] {
            stack.push(key, size);
        }
        let depths = [1, 3, 2, 4].map(|key| stack.depth(key));
        assert_eq!([Some(10), Some(40), Some(60), None], depths);
    }

    #[test]
    fn what_lies_below_a_gap_stays_where_it_is_until_the_gap_is_filled() {
        let mut stack = Stack::default();
        for (key, size) in [(1, 10), (2, 20), (3, 30)] {
            stack.push(key, size);
        }
        stack.remove(2);
        assert_eq!(Some(60), stack.depth(1));
        stack.push(4, 15);
        assert_eq!((Some(45), Some(60)), (stack.depth(3), stack.depth(1)));
        stack.push(5, 15);
        assert_eq!((Some(60), Some(70)), (stack.depth(3), stack.depth(1)));
    }

    #[test]
    fn compacting_changes_no_depth_and_bounds_the_places() {
        let mut stack = Stack::default();
        for round in 0..5_000_u64 {
            stack.push(round % 7, 1 + (round % 5) as u32);
            stack.remove((round * 3) % 11);
        }
        let before: Vec<_> = (0..7).map(|key| stack.depth(key)).collect();
        stack.compact();
        assert_eq!(before, (0..7).map(|key| stack.depth(key)).collect::<Vec<_>>());
        assert!(stack.places.len() <= 14, "{}", stack.places.len());
        assert_eq!(FIRST_PLACES, stack.depths.len());
    }
}
