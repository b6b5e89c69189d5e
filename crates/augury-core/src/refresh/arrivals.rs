//! When a key is asked for, in time: what a record remembers of its accesses.
//!
//! Accesses within a sixteenth of the TTL of an arrival belong to it: what a refresh is worth does
//! not depend on them, and a busy key's hits change nothing. Of the gaps between arrivals the mean
//! and the spread of the logarithm are kept, so that one long silence does not hide the pace of a
//! burst, and the spread says how regular a key is whatever its pace: 0 for a clock, 1.28 for a
//! Poisson process. Knows no slots, no budget and no decisions.

use crate::clock::Millis;

/// A part of the TTL in which accesses are one arrival.
const MERGED: u64 = 16;
/// Gaps that the means reach back, about.
const REACH: u8 = 24;
/// Gaps from which the spread is believed.
const ENOUGH: u8 = 3;
/// Spread of the logarithm up to which the next access is awaited, and not only its chance.
const REGULAR: f32 = 0.35;
/// How many spreads before the expected access an awaited reload begins.
const MARGIN: f32 = 2.0;

/// What is remembered: 24 bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Arrivals {
    latest: Millis,
    /// Mean and mean square of the gaps' natural logarithm, in milliseconds.
    mean: f32,
    square: f32,
    gaps: u8,
    /// Whether there was an arrival at all.
    known: bool,
}

/// What is to be expected of a key whose entry ends at a deadline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Outlook {
    /// When a reload serves best: at the deadline, or later where an access is awaited.
    pub(super) opens: Millis,
    /// The typical gap in milliseconds; none before the second arrival.
    pub(super) gap: Option<f32>,
    /// Time since the latest arrival when the reload would begin, in milliseconds.
    pub(super) age: f32,
    /// Spread of the gaps' logarithm; none before [`ENOUGH`] gaps.
    pub(super) spread: Option<f32>,
}

impl Arrivals {
    /// Until when accesses belong to the latest arrival.
    #[inline]
    pub(super) fn merged_until(&self, ttl: Millis) -> Millis {
        if self.known { self.latest + ttl / MERGED } else { 0 }
    }

    /// The time of the latest arrival.
    pub(super) fn latest(&self) -> Millis {
        self.latest
    }

    /// An access at `now`.
    pub(super) fn arrived(&mut self, now: Millis, ttl: Millis) {
        if now < self.merged_until(ttl) {
            return;
        }
        if self.known {
            let gap = (now.saturating_sub(self.latest).max(1) as f32).ln();
            self.gaps = (self.gaps + 1).min(REACH);
            let weight = 1.0 / f32::from(self.gaps);
            self.mean += weight * (gap - self.mean);
            self.square += weight * (gap * gap - self.square);
        }
        (self.latest, self.known) = (now, true);
    }

    /// The typical gap; the TTL where none is known.
    pub(super) fn gap_or(&self, ttl: Millis) -> f32 {
        if self.gaps == 0 { ttl as f32 } else { self.mean.exp() }
    }

    /// What to expect of an entry that ends at `deadline`.
    pub(super) fn outlook(&self, deadline: Millis, ttl: Millis) -> Outlook {
        let age = deadline.saturating_sub(self.latest) as f32;
        if self.gaps == 0 {
            return Outlook { opens: deadline, gap: None, age, spread: None };
        }
        let gap = self.mean.exp();
        let spread =
            (self.gaps >= ENOUGH).then(|| (self.square - self.mean * self.mean).max(0.0).sqrt());
        let wait = match spread {
            Some(spread) if spread < REGULAR => {
                let early = gap * (-MARGIN * spread).exp();
                early.max(gap - ttl as f32 / 2.0) - age
            }
            _ => 0.0,
        };
        let wait = wait.max(0.0);
        Outlook { opens: deadline + wait as Millis, gap: Some(gap), age: age + wait, spread }
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
        assert!((outlook.gap.unwrap() - 5_000.0).abs() < 50.0, "{outlook:?}");
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
        assert_eq!(before, arrivals.outlook(6_000, 1_000));
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
}
