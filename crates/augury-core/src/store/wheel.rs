//! Deadlines: a hierarchical timer wheel over slot numbers.
//!
//! Varghese and Lauck, "Hashed and hierarchical timing wheels", SOSP 1987. Seven levels, a place of
//! each as long as 64 of the one below, 1 ms at the lowest: 139 years. Setting, clearing and
//! expiring cost O(1) per entry (a far deadline is moved down at most six times), whatever the
//! number of other deadlines; an occupancy word per level skips empty places. Nothing is allocated
//! until the first deadline.
//!
//! All that is due within the four seconds of a place comes due to be moved down at once, which for a
//! million entries takes a tenth of a second. So moves can be bounded ([`Wheel::expire_within`]), and
//! made beforehand ([`Wheel::prepare`]): a level has room for 128 places, twice what one above it
//! is, so a place can be moved down while the one before it lasts.

use crate::clock::Millis;
use crate::slots::{NIL, SlotId};

const BITS: u32 = 6;
/// Places of a level: those of two places of the level above.
const PLACES: usize = 2 << BITS;
const LEVELS: usize = 7;
/// Deadlines beyond the wheel's range wait in the last place and are re-read there.
const RANGE: u64 = (1 << (BITS as u64 * LEVELS as u64)) - 1;
const UNSET: Millis = Millis::MAX;

#[derive(Debug, Clone, Copy)]
struct Node {
    deadline: Millis,
    prev: SlotId,
    next: SlotId,
    level: u8,
    place: u8,
}

const IDLE: Node = Node { deadline: UNSET, prev: NIL, next: NIL, level: 0, place: 0 };

#[derive(Debug, Clone)]
struct Level {
    occupied: u128,
    heads: [SlotId; PLACES],
}

/// See the module's head.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wheel {
    /// All deadlines at or before this time have been handed out.
    elapsed: Millis,
    /// Nothing is due before this time: most calls end at one comparison.
    idle_until: Millis,
    levels: Vec<Level>,
    nodes: Vec<Node>,
    set: usize,
}

impl Wheel {
    /// Whether any slot has a deadline.
    #[inline]
    pub(crate) fn is_set(&self) -> bool {
        self.set > 0
    }

    /// The slot's deadline, if it has one.
    #[inline]
    pub(crate) fn deadline(&self, id: SlotId) -> Option<Millis> {
        if self.set == 0 {
            return None;
        }
        self.nodes.get(id as usize).map(|node| node.deadline).filter(|&at| at != UNSET)
    }

    /// Gives the slot a deadline, or a new one.
    pub(crate) fn set(&mut self, id: SlotId, deadline: Millis) {
        self.clear(id);
        if self.levels.is_empty() {
            self.levels = vec![Level { occupied: 0, heads: [NIL; PLACES] }; LEVELS];
        }
        if self.nodes.len() <= id as usize {
            self.nodes.resize(id as usize + 1, IDLE);
        }
        self.nodes[id as usize].deadline = deadline.min(UNSET - 1);
        self.idle_until = self.idle_until.min(deadline);
        self.link(id);
        self.set += 1;
    }

    /// Takes the slot's deadline away, if it has one.
    #[inline]
    pub(crate) fn clear(&mut self, id: SlotId) {
        if self.deadline(id).is_some() {
            self.unlink(id);
            self.nodes[id as usize] = IDLE;
            self.set -= 1;
        }
    }

    /// The next slot whose deadline is at or before `now`, without its deadline; earlier places
    /// first. Call until `None`, or less often: what is left stays due.
    #[inline]
    pub(crate) fn expire_one(&mut self, now: Millis) -> Option<SlotId> {
        let mut moves = usize::MAX;
        self.expire_within(now, &mut moves)
    }

    /// Whether there may be more to hand out at this time, or to move for it.
    #[inline]
    pub(crate) fn is_due(&self, now: Millis) -> bool {
        self.set > 0 && now >= self.idle_until
    }

    /// As [`Wheel::expire_one`], with at most so many entries moved, which are taken off: `None`
    /// also where they are used up.
    #[inline]
    pub(crate) fn expire_within(&mut self, now: Millis, moves: &mut usize) -> Option<SlotId> {
        if now < self.idle_until {
            return None;
        }
        loop {
            let next = if self.set > 0 { self.next_place() } else { None };
            let Some((level, place, start)) = next.filter(|&(_, _, start)| start <= now) else {
                self.idle_until = next.map_or(Millis::MAX, |(_, _, start)| start);
                self.elapsed = self.elapsed.max(now);
                return None;
            };
            self.elapsed = self.elapsed.max(start);
            let id = self.levels[level].heads[place];
            if self.nodes[id as usize].deadline <= now {
                self.clear(id);
                return Some(id);
            }
            // Not due: it belongs to a lower level now that `elapsed` has reached this place.
            *moves = moves.checked_sub(1)?;
            self.unlink(id);
            self.link(id);
        }
    }

    /// Moves up to `limit` entries down before it is time; how many. What is due does not change.
    pub(crate) fn prepare(&mut self, now: Millis, limit: usize) -> usize {
        if now < self.idle_until {
            // No place begins before it.
            self.elapsed = self.elapsed.max(now);
        }
        let mut moved = 0;
        for level in 1..self.levels.len() {
            while moved < limit {
                // There is room below for this place and the next.
                let near = self.nearest(level).filter(|&(_, ahead)| ahead <= 1);
                let Some((place, _)) = near else { break };
                let id = self.levels[level].heads[place];
                self.unlink(id);
                self.link(id);
                moved += 1;
            }
        }
        moved
    }

    /// Bytes held by the wheel.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.levels.capacity() * size_of::<Level>() + self.nodes.capacity() * size_of::<Node>()
    }

    /// Level, place and first millisecond of the occupied place that starts earliest. All levels
    /// are looked at: a place that is being moved down still holds slots while lower levels fill.
    fn next_place(&self) -> Option<(usize, usize, Millis)> {
        let places = (0..self.levels.len()).filter_map(|level| {
            let (place, ahead) = self.nearest(level)?;
            let shift = BITS * level as u32;
            Some((level, place, ((self.elapsed >> shift) + u64::from(ahead)) << shift))
        });
        places.min_by_key(|&(_, _, start)| start)
    }

    /// The occupied place of a level that comes first, and how many places on it is.
    #[inline]
    fn nearest(&self, level: usize) -> Option<(usize, u32)> {
        let occupied = self.levels[level].occupied;
        if occupied == 0 {
            return None;
        }
        let current = (self.elapsed >> (BITS * level as u32)) as u32 % PLACES as u32;
        let ahead = occupied.rotate_right(current).trailing_zeros();
        Some(((current + ahead) as usize % PLACES, ahead))
    }

    fn link(&mut self, id: SlotId) {
        let reach = self.elapsed.saturating_add(RANGE >> 1);
        let when = self.nodes[id as usize].deadline.clamp(self.elapsed, reach);
        // The lowest that reaches so far; a place that has begun is never among those above.
        let reaches = |level: &u32| {
            let shift = BITS * level;
            (when >> shift) - (self.elapsed >> shift) < PLACES as u64
        };
        let level = (0..LEVELS as u32).find(reaches).unwrap_or(LEVELS as u32 - 1) as usize;
        let place = (when >> (BITS * level as u32)) as usize % PLACES;
        let head = self.levels[level].heads[place];
        if head != NIL {
            self.nodes[head as usize].prev = id;
        }
        let node = &mut self.nodes[id as usize];
        (node.prev, node.next, node.level, node.place) = (NIL, head, level as u8, place as u8);
        self.levels[level].heads[place] = id;
        self.levels[level].occupied |= 1 << place;
    }

    fn unlink(&mut self, id: SlotId) {
        let Node { prev, next, level, place, .. } = self.nodes[id as usize];
        let level = &mut self.levels[level as usize];
        if prev == NIL {
            level.heads[place as usize] = next;
            if next == NIL {
                level.occupied &= !(1 << place);
            }
        } else {
            self.nodes[prev as usize].next = next;
        }
        if next != NIL {
            self.nodes[next as usize].prev = prev;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn drain(wheel: &mut Wheel, now: Millis) -> Vec<SlotId> {
        let mut due: Vec<_> = std::iter::from_fn(|| wheel.expire_one(now)).collect();
        due.sort_unstable();
        due
    }

    #[test]
    fn never_early_never_late() {
        let mut wheel = Wheel::default();
        wheel.set(3, 1_000_000);
        assert_eq!(Vec::<SlotId>::new(), drain(&mut wheel, 999_999));
        assert_eq!(vec![3], drain(&mut wheel, 1_000_000));
    }

    #[test]
    fn a_deadline_beyond_the_range_waits() {
        let mut wheel = Wheel::default();
        wheel.set(0, u64::MAX);
        wheel.set(1, RANGE * 3);
        assert_eq!(Vec::<SlotId>::new(), drain(&mut wheel, RANGE * 3 - 1));
        assert_eq!(vec![1], drain(&mut wheel, RANGE * 3));
    }

    #[test]
    fn a_million_that_come_near_are_moved_in_steps_and_beforehand() {
        let mut wheel = Wheel::default();
        const COUNT: u32 = 100_000;
        (0..COUNT).for_each(|id| wheel.set(id, 20_000 + u64::from(id) / 100));
        let mut now = 0;
        let mut prepared = 0;
        while now < 19_990 {
            now += 10;
            assert_eq!(None, wheel.expire_one(now));
            let moved = wheel.prepare(now, 500);
            assert!(moved <= 500);
            prepared += moved;
        }
        assert!(prepared >= COUNT as usize, "{prepared}");
        let mut expired = 0;
        while now < 21_000 {
            now += 10;
            // Nothing of it is left to be moved but the last steps of what is due now.
            let mut moves = 2_000;
            while wheel.expire_within(now, &mut moves).is_some() {
                expired += 1;
            }
            assert!(!wheel.is_due(now));
            wheel.prepare(now, 2_000);
        }
        assert_eq!(COUNT, expired);
    }

    #[test]
    fn what_moves_do_not_suffice_for_stays_due() {
        let mut wheel = Wheel::default();
        (0..1_000).for_each(|id| wheel.set(id, 100_000 + u64::from(id)));
        let mut moves = 10;
        assert_eq!(None, wheel.expire_within(100_000, &mut moves));
        assert_eq!(0, moves);
        assert!(wheel.is_due(100_000));
        assert_eq!(vec![0], drain(&mut wheel, 100_000));
        assert!(!wheel.is_due(100_000));
    }

    proptest! {
        /// Against a plain map of deadlines: same slots due at the same times.
        #[test]
        fn behaves_like_a_sorted_map(
            ops in prop::collection::vec((0u8..5, 0u32..32, 0u32..40), 1..300)
        ) {
            let mut wheel = Wheel::default();
            let mut model: BTreeMap<SlotId, Millis> = BTreeMap::new();
            let mut now = 0;
            for (kind, id, exponent) in ops {
                match kind {
                    0 => {
                        wheel.clear(id);
                        model.remove(&id);
                    }
                    1 => {
                        now += (1 << exponent.min(30)) - 1;
                        let due: Vec<_> =
                            model.iter().filter(|&(_, &at)| at <= now).map(|(&id, _)| id).collect();
                        model.retain(|_, &mut at| at > now);
                        prop_assert_eq!(due, drain(&mut wheel, now));
                    }
                    2 => {
                        prop_assert!(wheel.prepare(now, id as usize) <= id as usize);
                    }
                    _ => {
                        let at = now + (1u64 << exponent) + id as u64;
                        wheel.set(id, at);
                        model.insert(id, at);
                    }
                }
                prop_assert_eq!(model.get(&id).copied(), wheel.deadline(id));
            }
        }
    }
}
