//! When which request was served: the engine counts in requests, people in seconds.
//!
//! Points of (tick, time), of which every second is dropped whenever there are too many: any age is
//! told within a fraction of the server's, in bounded memory. A write shares the tick of the latest
//! request, so that for the latest tick the last time at which anything happened counts.

use augury_core::clock::Millis;

/// Points kept.
const POINTS_MAX: usize = 512;
/// Time between points in the beginning.
const APART_MILLIS: Millis = 1_000;
/// Time over which a pace is told.
const PACE_MILLIS: Millis = 60_000;

/// See the module's head.
#[derive(Debug)]
pub struct TickClock {
    points: Vec<(u64, Millis)>,
    apart: Millis,
    /// Requests and writes so far, and when either last grew.
    latest: (u64, u64),
    active: Millis,
}

impl Default for TickClock {
    fn default() -> TickClock {
        TickClock { points: Vec::new(), apart: APART_MILLIS, latest: (0, 0), active: 0 }
    }
}

impl TickClock {
    /// So many requests and writes have been served by now. To be told several times a second.
    pub fn note(&mut self, tick: u64, writes: u64, now: Millis) {
        if self.latest != (tick, writes) {
            self.latest = (tick, writes);
            self.active = now;
        }
        if self.points.last().is_some_and(|&(_, last)| now < last + self.apart) {
            return;
        }
        if self.points.len() == POINTS_MAX {
            let mut place = 0;
            self.points.retain(|_| {
                place += 1;
                place % 2 == 1
            });
            self.apart *= 2;
        }
        self.points.push((tick, now));
    }

    /// Requests per second over the latest minute, or since the beginning; none where there were
    /// none, or too few to tell.
    pub fn pace(&self, now: Millis) -> Option<f64> {
        let after = self.points.partition_point(|&(_, time)| time + PACE_MILLIS <= now);
        let &(tick, since) = self.points.get(after.saturating_sub(1))?;
        let (requests, millis) = (self.latest.0.saturating_sub(tick), now.saturating_sub(since));
        (requests > 0 && millis > 0).then(|| requests as f64 * 1_000.0 / millis as f64)
    }

    /// About when a request was served, of which so many came before.
    pub fn time_of(&self, tick: u64, now: Millis) -> Millis {
        let (served, _) = self.latest;
        if tick >= served {
            return now;
        }
        if tick + 1 == served {
            return self.active;
        }
        let after = self.points.partition_point(|&(at, _)| at <= tick);
        let Some(&(from, since)) = after.checked_sub(1).and_then(|at| self.points.get(at)) else {
            return self.points.first().map_or(now, |&(_, time)| time);
        };
        let (to, until) = self.points.get(after).copied().unwrap_or((served, self.active));
        since + until.saturating_sub(since) * (tick - from) / (to - from).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_within_a_share_of_the_servers() {
        let mut clock = TickClock::default();
        // 3 requests a second for a day.
        for second in 0..86_400 {
            clock.note(second * 3, 0, second * 1_000);
            assert!(clock.points.len() <= POINTS_MAX);
        }
        let now = 86_400_000;
        let pace = clock.pace(86_399_000).expect("there were requests");
        assert!((pace - 3.0).abs() < 0.05, "{pace}");
        assert_eq!(None, TickClock::default().pace(5));
        for second in [0, 1_000, 50_000, 86_000] {
            let told = clock.time_of(second * 3, now);
            assert!(told.abs_diff(second * 1_000) <= now / 200, "{second} {told}");
        }
    }

    #[test]
    fn what_was_used_last_is_idle_since_anything_happened() {
        let mut clock = TickClock::default();
        clock.note(5, 0, 1_000);
        clock.note(5, 1, 7_000);
        for now in [8_000, 9_000] {
            clock.note(5, 1, now);
            assert_eq!(7_000, clock.time_of(4, now));
        }
        assert_eq!(9_005, clock.time_of(5, 9_005));
    }
}
