//! The latest reads, by hash: written by whoever reads, without a lock; looked at now and then.

use std::sync::atomic::{AtomicU64, Ordering};

/// Reads that are kept until somebody looks.
const PLACES: usize = 1 << 16;

/// See the module's head. Where more is read than there is room for, the latest reads stand for all.
#[derive(Debug)]
pub struct Noted {
    places: Box<[AtomicU64]>,
    written: AtomicU64,
}

impl Default for Noted {
    fn default() -> Self {
        Noted {
            places: (0..PLACES).map(|_| AtomicU64::new(0)).collect(),
            written: AtomicU64::new(0),
        }
    }
}

impl Noted {
    /// An object was asked for.
    #[inline]
    pub fn note(&self, hash: u64) {
        let at = self.written.fetch_add(1, Ordering::Relaxed) as usize % PLACES;
        self.places[at].store(hash, Ordering::Relaxed);
    }

    /// Reads so far.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Shows the hashes read since there were so many, and says how many there are now and for how
    /// many reads each stands. One that is being written meanwhile may be another's: a count, no more.
    pub fn since(&self, before: u64, mut show: impl FnMut(u64)) -> (u64, f32) {
        let now = self.written();
        let (all, kept) = (now - before, (now - before).min(PLACES as u64));
        for at in now - kept..now {
            show(self.places[at as usize % PLACES].load(Ordering::Relaxed));
        }
        (now, if kept == 0 { 1.0 } else { all as f32 / kept as f32 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_read_is_shown_once() {
        let noted = Noted::default();
        (1..=3).for_each(|hash| noted.note(hash));
        let mut shown = vec![];
        assert_eq!((3, 1.0), noted.since(0, |hash| shown.push(hash)));
        noted.note(4);
        assert_eq!((4, 1.0), noted.since(3, |hash| shown.push(hash)));
        assert_eq!(vec![1, 2, 3, 4], shown);
        assert_eq!((4, 1.0), noted.since(4, |_| unreachable!()));
    }

    #[test]
    fn where_too_much_was_read_the_latest_stand_for_all() {
        let noted = Noted::default();
        (0..4 * PLACES as u64).for_each(|hash| noted.note(hash));
        let (mut count, mut lowest) = (0, u64::MAX);
        let (now, weight) = noted.since(0, |hash| (count, lowest) = (count + 1, lowest.min(hash)));
        assert_eq!((4 * PLACES as u64, 4.0), (now, weight));
        assert_eq!((PLACES, 3 * PLACES as u64), (count, lowest));
    }
}
