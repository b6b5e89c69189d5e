//! Keys that the upstream does not have, remembered for a time and in bounded memory.
//!
//! A key is its hash by the databases' secret: two keys that share 64 bits cannot be sought, and meet
//! by chance once in some 10^13 times that so many are remembered.

use std::collections::VecDeque;

use augury_core::clock::Millis;
use rustc_hash::FxHashMap;

/// Keys remembered at most: the oldest is forgotten for a newer.
const MOST: usize = 1 << 17;

/// See the module's head.
#[derive(Debug, Default)]
pub struct Absences {
    /// Until when, and which of the entries in `order` says so.
    until: FxHashMap<u64, (Millis, u64)>,
    order: VecDeque<(u64, u64)>,
    latest: u64,
}

impl Absences {
    /// Remembers until a moment that there is no such key.
    pub fn add(&mut self, hash: u64, until: Millis) {
        self.latest += 1;
        self.until.insert(hash, (until, self.latest));
        self.order.push_back((hash, self.latest));
        // Entries that were forgotten or renewed are still in the queue, so it is bounded by itself.
        while self.until.len() > MOST || self.order.len() > 2 * MOST {
            let Some((hash, number)) = self.order.pop_front() else { break };
            if self.until.get(&hash).is_some_and(|it| it.1 == number) {
                self.until.remove(&hash);
            }
        }
    }

    /// Whether it is remembered that there is no such key.
    pub fn holds(&mut self, hash: u64, now: Millis) -> bool {
        match self.until.get(&hash) {
            Some(&(until, _)) if until > now => true,
            Some(_) => {
                self.until.remove(&hash);
                false
            }
            None => false,
        }
    }

    /// There may be such a key now.
    pub fn forget(&mut self, hash: u64) {
        self.until.remove(&hash);
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.until.clear();
        self.order.clear();
    }

    /// Number of keys remembered, those whose time is over and that nobody has asked for among them.
    pub fn len(&self) -> usize {
        self.until.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absence_lasts_its_time_and_memory_is_bounded() {
        let mut absences = Absences::default();
        absences.add(7, 100);
        assert_eq!((true, false), (absences.holds(7, 99), absences.holds(7, 100)));
        absences.add(8, 100);
        absences.forget(8);
        assert!(!absences.holds(8, 0) && absences.len() == 0);
        for hash in 0..(5 * MOST as u64) {
            absences.add(hash % (2 * MOST as u64), 100);
            absences.add(3, 100);
        }
        assert!(absences.len() <= MOST && absences.order.len() <= 2 * MOST);
        assert!(absences.holds(3, 0) && absences.holds(MOST as u64 - 1, 0));
    }
}
