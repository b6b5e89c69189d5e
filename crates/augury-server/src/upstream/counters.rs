//! What has been done, as INFO and metrics show it.

use super::Upstream;

/// Name, what it is, and a number.
pub type Shown = (&'static str, &'static str, u64);

/// Counts since the start, or since CONFIG RESETSTAT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counters {
    pub(super) loads: u64,
    pub(super) refreshes: u64,
    pub(super) prefetches: u64,
    pub(super) prefetches_used: u64,
    pub(super) errors: u64,
    pub(super) timeouts: u64,
    pub(super) waits: u64,
    pub(super) refused: u64,
    pub(super) stale_served: u64,
    pub(super) absent: u64,
    pub(super) absences_served: u64,
    pub(super) revoked: u64,
    pub(super) passed: u64,
}

impl Upstream {
    /// Counts.
    pub fn counters(&self) -> [Shown; 14] {
        let it = &self.counters;
        // What waits may be used yet.
        let waiting = self.foresight.as_ref().map_or(0, |it| it.staged().0 as u64);
        let unused = it.prefetches.saturating_sub(it.prefetches_used).saturating_sub(waiting);
        [
            ("loads", "Loads that were asked for", it.loads),
            ("refreshes", "Loads of entries before their end", it.refreshes),
            ("prefetches", "Loads of what was expected to be asked for", it.prefetches),
            ("prefetches_used", "Prefetches that were asked for", it.prefetches_used),
            ("prefetches_unused", "Prefetches that were not and will not be", unused),
            ("errors", "Loads that failed", it.errors),
            ("timeouts", "Loads that failed for the time", it.timeouts),
            ("waits", "Commands that waited for a load", it.waits),
            (
                "refused",
                "Commands refused while too many loads were under way, or none tried",
                it.refused,
            ),
            ("stale_served", "Values served beyond their end", it.stale_served),
            ("absent", "Loads that found no such key", it.absent),
            ("absences_served", "Reads answered by a remembered absence", it.absences_served),
            ("revoked", "Loads whose key was written meanwhile", it.revoked),
            ("passed", "Values answered and not stored", it.passed),
        ]
    }

    /// Numbers that come and go.
    pub fn gauges(&self) -> [Shown; 5] {
        let prefetched = self.foresight.as_ref().map_or(0, |it| it.staged().0 as u64);
        let (stale, stale_bytes) = self.stale.size();
        [
            ("in_flight", "Loads under way", self.flights.len() as u64),
            ("absences", "Absences remembered", self.absences.len() as u64),
            ("stale_kept", "Values kept beyond their end", stale as u64),
            ("stale_bytes", "Bytes of values kept beyond their end", stale_bytes),
            ("prefetched_waiting", "Prefetched values not asked for yet", prefetched),
        ]
    }
}
