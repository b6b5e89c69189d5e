//! How often each command runs, and how long it takes: INFO commandstats and latencystats, LATENCY
//! HISTOGRAM.
//!
//! Every call is counted. Reading the clock costs a third of a GET, so that of a command one call in
//! [`APART`], by random gaps, is timed; those that the log of slow commands times anyway are as well.
//! What is told of time stands for all calls of the command.

use std::time::Duration;

use augury_core::random::Random;

use crate::acl::catalog::{Number, catalog};
use crate::commands::Command;

/// Calls per one that is timed, on average.
const APART: u32 = 32;
/// Bounds of latencies: powers of two from 1.024 microseconds, as Redis's histograms have them.
const BUCKETS: usize = 32;
/// Every so manyth bound is one of the metrics' too, which have to be few.
const STRIDE: usize = 2;
/// Buckets of the metrics: up to a second, and what takes longer.
pub const SHOWN: usize = 12;
/// By how much a bucket of Redis's is wider than a power of two, in nanoseconds.
const WIDENED: f64 = 1_032.0;

/// Latencies by powers of two.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Latencies {
    /// Calls that were timed.
    pub timed: u64,
    /// How long they took together.
    pub total: Duration,
    /// Those of each bucket.
    buckets: [u32; BUCKETS],
}

/// The upper bound of a bucket in nanoseconds.
fn bound(bucket: usize) -> f64 {
    WIDENED * (bucket as f64).exp2()
}

impl Latencies {
    fn note(&mut self, took: Duration) {
        let nanos = took.as_nanos() as f64;
        let bucket = (0..BUCKETS).find(|&at| nanos <= bound(at)).unwrap_or(BUCKETS - 1);
        self.timed += 1;
        self.total += took;
        self.buckets[bucket] = self.buckets[bucket].saturating_add(1);
    }

    /// Microseconds, and the calls that took no more, of so many; where there are more than below.
    pub fn cumulative(&self, calls: u64) -> impl Iterator<Item = (u64, u64)> {
        let (timed, mut sum, mut before) = (self.timed.max(1), 0u64, 0u64);
        self.buckets.into_iter().enumerate().filter_map(move |(at, count)| {
            sum += u64::from(count);
            let stands_for = (u128::from(sum) * u128::from(calls) / u128::from(timed)) as u64;
            let is_more = stands_for > before;
            before = stands_for;
            is_more.then_some(((bound(at) / 1_000.0) as u64, stands_for))
        })
    }

    /// Calls that were timed: seconds, and those that took no more and more than the seconds before. The
    /// last takes what is left.
    pub fn histogram(&self) -> [(f64, u64); SHOWN] {
        let mut shown = [(f64::INFINITY, 0); SHOWN];
        for (at, place) in shown[..SHOWN - 1].iter_mut().enumerate() {
            place.0 = bound(at * STRIDE) / 1e9;
        }
        for (at, &count) in self.buckets.iter().enumerate() {
            shown[at.div_ceil(STRIDE).min(SHOWN - 1)].1 += u64::from(count);
        }
        shown
    }

    /// The latency that so large a share of the calls does not exceed, in microseconds: between the
    /// bounds of its bucket in proportion.
    pub fn percentile(&self, share: f64) -> f64 {
        let wanted = share * self.timed as f64;
        let mut sum = 0.0;
        for (at, &count) in self.buckets.iter().enumerate() {
            let count = f64::from(count);
            if count > 0.0 && sum + count >= wanted {
                let low = if at == 0 { 0.0 } else { bound(at - 1) };
                let part = (wanted - sum) / count;
                return (low + (bound(at) - low) * part) / 1_000.0;
            }
            sum += count;
        }
        0.0
    }
}

/// What is known of one command.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// Calls, those that failed among them.
    pub calls: u64,
    /// Calls that were refused before they ran.
    pub rejected: u64,
    /// Calls that were refused when they ran.
    pub failed: u64,
    /// How long they took.
    pub latencies: Latencies,
}

impl Tally {
    /// Microseconds that all calls took, by those that were timed.
    pub fn micros(&self) -> f64 {
        self.micros_per_call() * self.calls as f64
    }

    /// Microseconds per call.
    pub fn micros_per_call(&self) -> f64 {
        let Latencies { timed, total, .. } = self.latencies;
        if timed == 0 { 0.0 } else { total.as_nanos() as f64 / 1_000.0 / timed as f64 }
    }
}

/// See the module's head.
#[derive(Debug)]
pub struct Tallies {
    /// By the numbers of the catalog.
    tallies: Vec<Tally>,
    random: Random,
    /// Calls until the next one that is timed.
    gap: u32,
}

impl Tallies {
    /// Nothing has run.
    pub fn new(seed: u64) -> Tallies {
        let tallies = vec![Tally::default(); catalog().entries().len()];
        Tallies { tallies, random: Random::new(seed), gap: 1 }
    }

    /// The number of a command.
    #[inline]
    pub fn number(command: &'static Command) -> Number {
        catalog().number(command).unwrap_or(0)
    }

    /// A command is about to run; whether it is to be timed.
    #[inline]
    pub fn begin(&mut self, number: Number) -> bool {
        self.gap -= 1;
        // The first call is timed whatever the gap, so that no command is without.
        if self.gap > 0 && self.tallies[number].calls > 0 {
            return false;
        }
        if self.gap == 0 {
            self.gap = 1 + self.random.below(2 * APART - 1);
        }
        true
    }

    /// A call took so long.
    pub fn time(&mut self, number: Number, took: Duration) {
        self.tallies[number].latencies.note(took);
    }

    /// A call has run, or failed.
    #[inline]
    pub fn end(&mut self, number: Number, has_failed: bool) {
        let tally = &mut self.tallies[number];
        tally.calls += 1;
        tally.failed += u64::from(has_failed);
    }

    /// A call was refused before it ran.
    pub fn reject(&mut self, command: &'static Command) {
        self.tallies[Tallies::number(command)].rejected += 1;
    }

    /// The full names of all commands that were called, with what is known of them.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Tally)> {
        let known = catalog().entries().iter().zip(&self.tallies);
        let is_known = |tally: &Tally| tally.calls + tally.rejected > 0;
        known.filter(move |(_, tally)| is_known(tally)).map(|(entry, tally)| (&*entry.full, tally))
    }

    /// Counts from here on.
    pub fn reset(&mut self) {
        self.tallies.fill(Tally::default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::table;

    #[test]
    fn what_is_timed_stands_for_all_calls() {
        let mut tallies = Tallies::new(1);
        let get = Tallies::number(table::find(b"get").expect("a command"));
        let mut timed = 0;
        for call in 0..32_000u64 {
            if tallies.begin(get) {
                timed += 1;
                // One in ten takes ten times as long.
                let micros = if call % 10 == 0 { 50 } else { 5 };
                tallies.time(get, Duration::from_micros(micros));
            }
            tallies.end(get, false);
        }
        assert!((800..1_200).contains(&timed), "{timed}");
        let (name, tally) = tallies.iter().next().expect("it has run");
        assert_eq!(("get", 32_000), (name, tally.calls));
        assert!((tally.micros_per_call() / 9.5 - 1.0).abs() < 0.1);
        let buckets: Vec<(u64, u64)> = tally.latencies.cumulative(tally.calls).collect();
        assert_eq!(vec![8, 66], buckets.iter().map(|it| it.0).collect::<Vec<_>>());
        assert_eq!(32_000, buckets[1].1);
        let shown = tally.latencies.histogram();
        assert_eq!(timed, shown.iter().map(|it| it.1).sum::<u64>());
        // 5 us are up to 16.5, 50 us up to 66.
        assert!(shown[2].1 > shown[3].1 && shown[3].1 > 0, "{shown:?}");
        assert_eq!(timed, shown[2].1 + shown[3].1);
        assert!((4.0..8.3).contains(&tally.latencies.percentile(0.5)));
        assert!((33.0..66.1).contains(&tally.latencies.percentile(0.99)));
    }

    #[test]
    fn bounds_are_those_of_redis() {
        let bounds: Vec<u64> = (0..12).map(|at| (bound(at) / 1_000.0) as u64).collect();
        assert_eq!(vec![1, 2, 4, 8, 16, 33, 66, 132, 264, 528, 1056, 2113], bounds);
        let shown = Latencies::default().histogram().map(|it| (it.0 * 1e6) as u64);
        assert_eq!([1, 4, 16, 66, 264, 1056, 4227], shown[..7]);
        assert_eq!((1_082_130, u64::MAX), (shown[10], shown[11]));
    }
}
