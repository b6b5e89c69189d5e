//! Whether what threads have seen of one key could have happened in one order.
//!
//! Wing and Gong, "Testing and verifying concurrent objects", 1993: looks for an order of the
//! operations that respects which of them had ended before which began, and in which each answer is
//! that of a plain map. Exponential at worst, and quick for the dozen operations of a program here.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// An operation on one key, with its answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Act {
    Get(Option<u32>),
    Set(u32),
    /// Stored if there was nothing; whether it was.
    Add(u32, bool),
    /// From the first to the second value; whether it was.
    Swap(u32, u32, bool),
    Take(Option<u32>),
}

impl Act {
    /// What is resident after it, or none where the answer is another than a map's.
    fn apply(self, before: Option<u32>) -> Option<Option<u32>> {
        let (after, is_right) = match self {
            Act::Get(seen) => (before, seen == before),
            Act::Set(value) => (Some(value), true),
            Act::Add(value, was_added) => (before.or(Some(value)), was_added == before.is_none()),
            Act::Swap(old, new, was_done) => {
                let is_there = before == Some(old);
                (if is_there { Some(new) } else { before }, was_done == is_there)
            }
            Act::Take(seen) => (None, seen == before),
        };
        is_right.then_some(after)
    }
}

#[derive(Debug, Clone, Copy)]
struct Event {
    key: u32,
    start: u64,
    end: u64,
    act: Act,
}

/// The events of one run. Its own lock is the standard library's: no place to switch threads at.
#[derive(Default)]
pub(super) struct History {
    events: Mutex<Vec<Event>>,
    time: AtomicU64,
}

impl History {
    pub(super) fn record(&self, key: u32, operation: impl FnOnce() -> Act) {
        let start = self.time.fetch_add(1, Ordering::SeqCst);
        let act = operation();
        let end = self.time.fetch_add(1, Ordering::SeqCst);
        self.events.lock().expect("nobody panics here").push(Event { key, start, end, act });
    }

    /// Panics where a key's history has no order. A cache that `forgets` may lose an entry at any
    /// moment.
    pub(super) fn check(&self, forgets: bool) {
        let events = self.events.lock().expect("nobody panics here");
        let mut keys: Vec<_> = events.iter().map(|event| event.key).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            let own: Vec<_> = events.iter().filter(|event| event.key == key).copied().collect();
            assert!(has_order(&own, None, forgets), "no order explains {own:?}");
        }
    }
}

fn has_order(left: &[Event], state: Option<u32>, forgets: bool) -> bool {
    if left.is_empty() {
        return true;
    }
    let first_end = left.iter().map(|event| event.end).min().unwrap_or(0);
    let may_be_next = |at: &usize| left[*at].start < first_end;
    (0..left.len()).filter(may_be_next).any(|at| {
        let mut rest = left.to_vec();
        let event = rest.swap_remove(at);
        let goes_on =
            |state| event.act.apply(state).is_some_and(|after| has_order(&rest, after, forgets));
        goes_on(state) || forgets && state.is_some() && goes_on(None)
    })
}

#[test]
fn a_read_of_what_was_written_over_has_no_order() {
    for (seen, is_right) in [(1, false), (2, true)] {
        let history = History::default();
        [Act::Set(1), Act::Set(2), Act::Get(Some(seen))]
            .into_iter()
            .for_each(|act| history.record(0, || act));
        let events = history.events.lock().unwrap();
        assert_eq!(is_right, has_order(&events, None, true));
    }
}
