//! When which request was served: the engine counts in requests, people in seconds.
//!
//! Points of (tick, time), of which every second is dropped whenever there are too many: any age is
//! told within a fraction of the server's, in bounded memory.

use augury_core::clock::Millis;

/// Points kept.
const POINTS_MAX: usize = 512;
/// Time between points in the beginning.
const APART_MILLIS: Millis = 1_000;

/// See the module's head.
#[derive(Debug)]
pub struct TickClock {
    points: Vec<(u64, Millis)>,
    apart: Millis,
}

impl Default for TickClock {
    fn default() -> TickClock {
        TickClock { points: Vec::new(), apart: APART_MILLIS }
    }
}

impl TickClock {
    /// So many requests have been served by now. To be told at least each second.
    pub fn note(&mut self, tick: u64, now: Millis) {
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

    /// About when a request was served, of which so many came before; `now` where it is newer than
    /// the latest point or nothing is known.
    pub fn time_of(&self, tick: u64, now: Millis) -> Millis {
        let after = self.points.partition_point(|&(at, _)| at <= tick);
        let Some(&(from, since)) = after.checked_sub(1).and_then(|at| self.points.get(at)) else {
            return self.points.first().map_or(now, |&(_, time)| time);
        };
        let Some(&(to, until)) = self.points.get(after) else { return now.min(since + self.apart) };
        since + (until - since) * (tick - from) / (to - from).max(1)
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
            clock.note(second * 3, second * 1_000);
            assert!(clock.points.len() <= POINTS_MAX);
        }
        let now = 86_400_000;
        for second in [0, 1_000, 50_000, 86_000] {
            let told = clock.time_of(second * 3, now);
            assert!(told.abs_diff(second * 1_000) <= now / 200, "{second} {told}");
        }
    }
}
