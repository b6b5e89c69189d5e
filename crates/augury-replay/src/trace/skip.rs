//! What happens to a bad record: stop, or count it and go on. Never a silent drop.
//!
//! Also keeps the trace's clock, because "time goes backwards" is a fault of a record in its
//! place, whatever the format.

use std::collections::BTreeMap;

use super::error::{Position, TraceError};

/// Bad records left out so far, by [`TraceError::code`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Skipped {
    counts: BTreeMap<&'static str, u64>,
}

impl Skipped {
    /// All bad records.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Bad records with this code.
    pub fn count(&self, code: &str) -> u64 {
        self.counts.get(code).copied().unwrap_or(0)
    }

    /// Code and count, ordered by code.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.counts.iter().map(|(code, count)| (*code, *count))
    }
}

/// Decides about bad records, for one reading of one trace.
#[derive(Debug, Default)]
pub(crate) struct BadRecords {
    skip: bool,
    skipped: Skipped,
}

impl BadRecords {
    pub(crate) fn new(skip: bool) -> Self {
        BadRecords { skip, skipped: Skipped::default() }
    }

    /// Counts the record if it may be skipped, else hands the error back.
    pub(crate) fn judge(&mut self, error: TraceError) -> Result<(), TraceError> {
        if !(self.skip && error.is_bad_record()) {
            return Err(error);
        }
        *self.skipped.counts.entry(error.code()).or_insert(0) += 1;
        Ok(())
    }

    pub(crate) fn skipped(&self) -> &Skipped {
        &self.skipped
    }
}

/// Checks that times do not go backwards.
///
/// A record is compared with the one before it, skipped or not, so that a single time far in the
/// future costs one record and not the rest of the trace. The times handed on never decrease.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    previous: u64,
    latest: u64,
}

impl Clock {
    /// The time to hand on for a record of this time.
    pub(crate) fn advance(
        &mut self,
        time: u64,
        file: &str,
        at: Position,
    ) -> Result<u64, TraceError> {
        let previous = std::mem::replace(&mut self.previous, time);
        if time < previous {
            return Err(TraceError::TimeBackwards {
                file: file.to_owned(),
                at,
                found: time,
                previous,
            });
        }
        self.latest = self.latest.max(time);
        Ok(self.latest)
    }

    /// Whether a run of times starting at `first` continues this clock without repair.
    pub(crate) fn accepts(&self, first: u64) -> bool {
        self.previous == self.latest && first >= self.latest
    }

    /// Takes over the last time of a run that was checked to be in order.
    pub(crate) fn jump(&mut self, time: u64) {
        self.previous = time;
        self.latest = time;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_far_future_time_costs_one_record_and_times_never_decrease() {
        let mut clock = Clock::default();
        let times: Vec<_> = [1, 2, 900, 3, 4, 901]
            .into_iter()
            .map(|time| clock.advance(time, "t", Position::Line(1)).ok())
            .collect();
        assert_eq!(vec![Some(1), Some(2), Some(900), None, Some(900), Some(901)], times);
    }

    #[test]
    fn only_bad_records_are_skipped_and_each_is_counted() {
        let negative = || TraceError::NegativeSize {
            file: "t".into(),
            at: Position::Line(1),
            found: "-1".into(),
        };
        let mut bad = BadRecords::new(true);
        bad.judge(negative()).unwrap();
        bad.judge(negative()).unwrap();
        assert_eq!(2, bad.skipped().count("negative_size"));
        assert_eq!(2, bad.skipped().total());
        assert!(bad.judge(TraceError::CannotRewind { file: "-".into() }).is_err());
        assert!(BadRecords::new(false).judge(negative()).is_err());
    }
}
