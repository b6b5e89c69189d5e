//! A span of time that surely lasts, told by the processor's own counter.
//!
//! Reading CLOCK_BOOTTIME was most of what a hit of a near cache took beyond one of `Cache`; the counter
//! (RDTSC) takes less. It never says that a moment has come, only that it is surely still ahead: a span is counted
//! shorter than it is by a [`MARGIN`]th, and outside it the clock is asked.
//!
//! The counter counts where the kernel itself tells time by it, which means that it runs at one pace, in all
//! cores alike and in deep sleep (`current_clocksource` says `tsc`). Its pace is what it was beside the
//! clock since the process first looked, and no span opens where it has lately been another, as it is after
//! a move to another host. Suspended machines lose power and count from nought: a count below the span's
//! beginning is outside it, as is one of a core that lags behind, and who finds a span to be over ends it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Of a span so much is left to the clock: one in so many.
const MARGIN: u64 = 64;
/// Between two looks at the clock lies at least so much, or they tell no pace: nanoseconds.
const APART: u64 = 100_000_000;
/// What two paces may differ by: one in so many.
const SAME: u64 = 512;
/// Counts between which the clock was read; more of them, and the process was interrupted there.
const AT_ONCE: u64 = 1 << 18;
/// What the kernel tells time by is looked up again after so much: nanoseconds.
const LOOK_EVERY: u64 = 1_000_000_000;

/// A span is counted no further than this, for what the kernel tells time by may change: nanoseconds.
const SPAN_MAX: u64 = 5_000_000_000;

/// Until when the span lasts on the clock, and from when and for how many counts the counter vouches.
#[derive(Default)]
pub(super) struct Window {
    /// Nanoseconds.
    until: AtomicU64,
    from: AtomicU64,
    counts: AtomicU64,
}

impl Window {
    /// Whether the span lasts. Who sees a span sees what was done before it was opened.
    #[inline]
    pub(super) fn is_open(&self, clock: impl FnOnce() -> u64) -> bool {
        self.is_counted() || self.is_open_by(clock())
    }

    /// Whether the counter vouches for it. In this order: the beginning of a span with the counts of a
    /// later one ends too early, the other way round it could end too late.
    #[inline]
    fn is_counted(&self) -> bool {
        let from = self.from.load(Ordering::Acquire);
        let counts = self.counts.load(Ordering::Acquire);
        counter().wrapping_sub(from) < counts
    }

    #[cold]
    fn is_open_by(&self, now: u64) -> bool {
        let lasts = now < self.until.load(Ordering::Acquire);
        if !lasts {
            // A counter that begins anew may come to the same counts once more.
            self.counts.store(0, Ordering::Release);
        }
        lasts
    }

    /// Lets the span last until a moment on the clock, in nanoseconds.
    pub(super) fn open(&self, until: u64, clock: impl FnOnce() -> u64) {
        // One at a time: the three numbers belong together.
        let mut pace = PACE.lock().unwrap_or_else(PoisonError::into_inner);
        self.until.store(until, Ordering::Release);
        self.counts.store(0, Ordering::Release);
        let span = Moment::seen(clock).and_then(|moment| {
            let left = until.saturating_sub(moment.nanoseconds).min(SPAN_MAX);
            Some((moment.count, pace.counts(moment, left)?))
        });
        if let Some((from, counts)) = span {
            self.from.store(from, Ordering::Release);
            self.counts.store(counts, Ordering::Release);
        }
    }
}

/// The counter and the clock, read at once.
#[derive(Clone, Copy)]
struct Moment {
    count: u64,
    nanoseconds: u64,
}

impl Moment {
    /// Now; nothing where something came between. The count is the one before: what is counted from
    /// there ends early rather than late.
    fn seen(clock: impl FnOnce() -> u64) -> Option<Moment> {
        let count = counter();
        let nanoseconds = clock();
        let is_at_once = counter().wrapping_sub(count) < AT_ONCE;
        is_at_once.then_some(Moment { count, nanoseconds })
    }

    /// Nanoseconds since then, and counts in 2^20 of them; nothing where either ran backwards.
    fn since(self, earlier: Moment) -> Option<(u64, u64)> {
        let nanoseconds = self.nanoseconds.checked_sub(earlier.nanoseconds)?;
        let counts = u128::from(self.count.checked_sub(earlier.count)?);
        let pace = u64::try_from((counts << 20) / u128::from(nanoseconds.max(1))).ok()?;
        Some((nanoseconds, pace))
    }
}

/// What is known of the counter's pace.
struct Pace {
    /// The first look and the latest that tells a pace.
    looks: Option<(Moment, Moment)>,
    /// When it was looked up what the kernel tells time by, and whether that was the counter.
    looked: u64,
    is_trusted: bool,
}

static PACE: Mutex<Pace> = Mutex::new(Pace { looks: None, looked: 0, is_trusted: false });

impl Pace {
    /// How many counts from the moment on surely take no longer than the nanoseconds, if that is known.
    fn counts(&mut self, moment: Moment, nanoseconds: u64) -> Option<u64> {
        if self.looks.is_none() || moment.nanoseconds.saturating_sub(self.looked) > LOOK_EVERY {
            self.looked = moment.nanoseconds;
            self.is_trusted = kernel_counts();
        }
        let pace = self.pace(moment)?;
        let counts = (u128::from(pace) * u128::from(nanoseconds - nanoseconds / MARGIN)) >> 20;
        if self.is_trusted { u64::try_from(counts).ok() } else { None }
    }

    /// Counts in 2^20 nanoseconds since the first look, where they are as many lately.
    fn pace(&mut self, moment: Moment) -> Option<u64> {
        let known = self
            .looks
            .and_then(|(first, last)| Some((first, moment.since(first)?, moment.since(last)?)));
        let Some((first, (since_first, pace), (since_last, lately))) = known else {
            self.looks = Some((moment, moment));
            return None;
        };
        if since_last >= APART {
            let is_steady = pace.abs_diff(lately) <= pace / SAME;
            self.looks = Some((if is_steady { first } else { moment }, moment));
            return is_steady.then_some(pace);
        }
        (since_first >= APART).then_some(pace)
    }
}

/// Whether the kernel tells time by the counter.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn kernel_counts() -> bool {
    let source = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    std::fs::read_to_string(source).is_ok_and(|name| name.trim() == "tsc")
}

/// The processor's counter.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
#[inline]
fn counter() -> u64 {
    // SAFETY: RDTSC reads a register and touches no memory; it is there on every x86-64. Where a process
    // has had it forbidden (PR_SET_TSC) it raises a signal, as reading the clock would.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// On other machines the clock is asked each time.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
fn kernel_counts() -> bool {
    false
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
#[inline]
fn counter() -> u64 {
    0
}
