//! The course of a replay: miss ratio and ruling policy, stretch by stretch.

use augury_core::metrics::Stats;

/// Stretches that a replay is divided into.
const STRETCHES: u64 = 200;
/// Requests per stretch where the length of the trace is not known beforehand.
const UNKNOWN_STRETCH: u64 = 1 << 16;

/// A stretch of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Accesses counted in it.
    pub requests: u64,
    /// Of which misses.
    pub misses: u64,
    /// What ruled at its end, where the policy chooses among several.
    pub ruling: Option<&'static str>,
}

/// Notes the stretches of a replay as it goes.
pub(super) struct Course {
    stretch: u64,
    due: u64,
    requests: u64,
    misses: u64,
    pub(super) windows: Vec<Window>,
}

impl Course {
    /// For a trace of `total` requests, as far as is known.
    pub(super) fn new(total: Option<u64>) -> Self {
        let stretch = total.map_or(UNKNOWN_STRETCH, |total| total.div_ceil(STRETCHES).max(1));
        Course { stretch, due: stretch, requests: 0, misses: 0, windows: Vec::new() }
    }

    /// Counting begins: what came before belongs to no stretch.
    pub(super) fn begin(&mut self, stats: &Stats) {
        (self.requests, self.misses) = (stats.requests(), stats.misses);
    }

    /// Whether a stretch has ended with `done` requests.
    pub(super) fn is_due(&mut self, done: u64) -> bool {
        let due = done >= self.due;
        while done >= self.due {
            self.due += self.stretch;
        }
        due
    }

    /// Ends a stretch. A long trace of unknown length has its stretches joined in pairs, so that
    /// their number stays bounded.
    pub(super) fn note(&mut self, stats: &Stats, ruling: Option<&'static str>) {
        let (requests, misses) = (stats.requests(), stats.misses);
        if requests == self.requests {
            return;
        }
        let window =
            Window { requests: requests - self.requests, misses: misses - self.misses, ruling };
        (self.requests, self.misses) = (requests, misses);
        self.windows.push(window);
        if self.windows.len() > 2 * STRETCHES as usize {
            self.windows = self.windows.chunks(2).map(join).collect();
            self.stretch *= 2;
        }
    }
}

fn join(pair: &[Window]) -> Window {
    Window {
        requests: pair.iter().map(|window| window.requests).sum(),
        misses: pair.iter().map(|window| window.misses).sum(),
        ruling: pair.last().and_then(|window| window.ruling),
    }
}
