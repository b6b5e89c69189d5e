//! When a key is asked for, in time: what a record remembers of its accesses.
//!
//! Accesses within a sixteenth of the TTL of an arrival belong to it: what a refresh is worth does
//! not depend on them, and a busy key's hits write one time and no more. Kept are counts of
//! arrivals that decay over two TTLs and over thirty-two, so that a burst stands out from the mean
//! pace, and mean and spread of the logarithm of the gaps: the spread says how regular a key is
//! whatever its pace (0 for a clock, 1.28 for a Poisson process), and one long silence does not
//! hide the pace of a burst. Knows no slots, no budget and no decisions.

use crate::clock::Millis;

/// A part of the TTL in which accesses are one arrival.
const MERGED: u64 = 16;
/// TTLs over which the counts decay.
const FAST: f32 = 2.0;
const SLOW: f32 = 32.0;
/// Arrivals and TTLs that a count begins with.
const BEGUN: (f32, f32) = (0.1, 1.0);
/// Gaps that the means reach back, about.
const REACH: u8 = 24;
/// Gaps from which the spread is believed.
const ENOUGH: u8 = 3;
/// Spread of the logarithm up to which the next access is awaited, and not only its chance.
const REGULAR: f32 = 0.25;
/// How many spreads before the expected access an awaited reload begins.
const MARGIN: f32 = 2.0;
/// Shorter waits, in TTLs, are not worth the risk of coming too late.
const WORTHWHILE: f32 = 0.15;

/// What is remembered of one key.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Arrivals {
    /// The latest access, and the arrival that it belongs to.
    latest_access: Millis,
    latest: Millis,
    first: Millis,
    /// Decayed counts at the latest arrival, without the first.
    fast: f32,
    slow: f32,
    /// Mean and mean square of the gaps' natural logarithm, in milliseconds.
    mean: f32,
    square: f32,
    gaps: u8,
    /// Whether there was an arrival at all.
    known: bool,
}

/// What is to be expected of a key whose entry ends at a deadline. Paces are requests per TTL,
/// times are in TTLs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Outlook {
    /// When a reload serves best: at the deadline, or later where an access is awaited.
    pub(super) opens: Millis,
    /// From the deadline to that.
    pub(super) wait: f32,
    /// The mean pace, over two TTLs and over thirty-two.
    pub(super) fast: f32,
    pub(super) slow: f32,
    /// For how long the key is known, with decay.
    pub(super) known: f32,
    /// Time since the latest access when the reload would begin.
    pub(super) age: f32,
    /// The typical gap; none before the second arrival.
    pub(super) gap: Option<f32>,
    /// Spread of the gaps' logarithm; none before a few gaps.
    pub(super) spread: Option<f32>,
}

impl Arrivals {
    /// Until when accesses belong to the latest arrival.
    #[inline]
    pub(super) fn merged_until(&self, ttl: Millis) -> Millis {
        if self.known { self.latest.saturating_add(ttl / MERGED) } else { 0 }
    }

    /// The time of the latest access.
    #[inline]
    pub(super) fn latest_access(&self) -> Millis {
        self.latest_access
    }

    /// An access that belongs to the latest arrival.
    #[inline]
    pub(super) fn continued(&mut self, now: Millis) {
        self.latest_access = now;
    }

    /// An access at `now`.
    pub(super) fn arrived(&mut self, now: Millis, ttl: Millis) {
        self.latest_access = now;
        if now < self.merged_until(ttl) {
            return;
        }
        if self.known {
            let since = now.saturating_sub(self.latest).max(1) as f32;
            let ttls = since / ttl as f32;
            self.fast = self.fast * (-ttls / FAST).exp() + 1.0;
            self.slow = self.slow * (-ttls / SLOW).exp() + 1.0;
            self.gaps = (self.gaps + 1).min(REACH);
            let (gap, weight) = (since.ln(), 1.0 / f32::from(self.gaps));
            self.mean += weight * (gap - self.mean);
            self.square += weight * (gap * gap - self.square);
        } else {
            self.first = now;
        }
        (self.latest, self.known) = (now, true);
    }

    /// The typical gap in milliseconds; the TTL where none is known.
    pub(super) fn gap_or(&self, ttl: Millis) -> f32 {
        if self.gaps == 0 { ttl as f32 } else { self.mean.exp() }
    }

    /// What to expect of an entry that ends at `deadline`.
    pub(super) fn outlook(&self, deadline: Millis, ttl: Millis) -> Outlook {
        let per_ttl = 1.0 / ttl as f32;
        let since = deadline.saturating_sub(self.latest) as f32 * per_ttl;
        let lived = deadline.saturating_sub(self.first) as f32 * per_ttl;
        let pace = |count: f32, reach: f32| {
            let count = count * (-since / reach).exp();
            let time = reach * (1.0 - (-lived / reach).exp());
            // A sixteenth of a TTL after each arrival could bring no other.
            let open = (time - count / MERGED as f32).max(time / MERGED as f32);
            (count + BEGUN.0) / (open + BEGUN.1)
        };
        let gap = (self.gaps > 0).then(|| self.mean.exp() * per_ttl);
        let spread =
            (self.gaps >= ENOUGH).then(|| (self.square - self.mean * self.mean).max(0.0).sqrt());
        let wait = match (gap, spread) {
            (Some(gap), Some(spread)) if spread < REGULAR => {
                ((gap * (-MARGIN * spread).exp()).max(gap - 0.5) - since).max(0.0)
            }
            _ => 0.0,
        };
        let wait = if wait < WORTHWHILE { 0.0 } else { wait };
        Outlook {
            opens: deadline.saturating_add((wait * ttl as f32) as Millis),
            wait,
            fast: pace(self.fast, FAST),
            slow: pace(self.slow, SLOW),
            known: SLOW * (1.0 - (-lived / SLOW).exp()),
            age: deadline.saturating_sub(self.latest_access) as f32 * per_ttl + wait,
            gap,
            spread,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every(gap: Millis, times: u64, ttl: Millis) -> Arrivals {
        let mut arrivals = Arrivals::default();
        (0..times).for_each(|n| arrivals.arrived(n * gap, ttl));
        arrivals
    }

    #[test]
    fn a_regular_key_is_awaited_and_its_gap_known() {
        let outlook = every(5_000, 10, 1_000).outlook(46_000, 1_000);
        assert!((outlook.gap.unwrap() - 5.0).abs() < 0.05, "{outlook:?}");
        assert!((49_400..=50_000).contains(&outlook.opens), "{outlook:?}");
    }

    #[test]
    fn a_reload_that_is_needed_at_once_is_not_put_off() {
        let outlook = every(300, 40, 1_000).outlook(12_700, 1_000);
        assert_eq!(12_700, outlook.opens);
    }

    #[test]
    fn accesses_close_together_are_one_arrival() {
        let mut arrivals = every(500, 10, 1_000);
        let before = arrivals.outlook(6_000, 1_000);
        (1..60).for_each(|n| arrivals.arrived(4_500 + n, 1_000));
        let after = arrivals.outlook(6_000, 1_000);
        assert_eq!(Outlook { age: before.age, ..after }, before);
        assert!((before.age - after.age - 0.059).abs() < 1e-3, "age is of accesses");
    }

    #[test]
    fn an_irregular_key_is_not_awaited() {
        let mut arrivals = Arrivals::default();
        let mut now = 0;
        for gap in [200, 9_000, 700, 30_000, 400, 15_000] {
            now += gap;
            arrivals.arrived(now, 1_000);
        }
        let outlook = arrivals.outlook(now + 1_000, 1_000);
        assert_eq!(now + 1_000, outlook.opens);
        assert!(outlook.spread.unwrap() > 1.0);
    }

    #[test]
    fn paces_are_requests_per_ttl_and_a_burst_stands_out() {
        let mut arrivals = every(500, 200, 1_000);
        let steady = arrivals.outlook(99_600, 1_000);
        assert!((1.9..2.5).contains(&steady.slow), "two, with the dead time: {steady:?}");
        (1..20).for_each(|n| arrivals.arrived(99_500 + n * 100, 1_000));
        let burst = arrivals.outlook(101_500, 1_000);
        assert!(burst.fast > 2.0 * burst.slow, "{burst:?}");
    }
}
