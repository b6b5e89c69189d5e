//! Time is an argument: the engine never reads a wall clock.
//!
//! Deadlines are whole milliseconds on a monotonic axis whose origin the caller chooses.

use std::sync::atomic::{AtomicU64, Ordering};

/// Milliseconds since an origin that the caller chooses; never decreasing.
pub type Millis = u64;

/// A source of time for deadlines.
pub trait Clock {
    /// The current time. Must not decrease between calls, nor call the cache: it may be read
    /// under a lock.
    fn now(&self) -> Millis;
}

/// A clock that moves only when told to: tests, and replay (driven by the trace's times).
#[derive(Debug, Default)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// Moves time forward to `now`; a time in the past is ignored.
    pub fn advance_to(&self, now: Millis) {
        self.0.fetch_max(now, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Millis {
        self.0.load(Ordering::Relaxed)
    }
}

impl<C: Clock + ?Sized> Clock for &C {
    fn now(&self) -> Millis {
        (**self).now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_goes_back() {
        let clock = ManualClock::default();
        clock.advance_to(5);
        clock.advance_to(3);
        assert_eq!(5, clock.now());
    }
}
