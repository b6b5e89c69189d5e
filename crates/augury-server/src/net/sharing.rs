//! How many workers serve: as many as answer more.
//!
//! Commands run under one lock, so a further worker helps where reading, parsing and writing take
//! more than one core has, and a core is free. Where the clients take the other cores it only makes
//! batches smaller. So connections begin with the first worker. Where all that serve are busy one
//! more is tried for a second, and stays if more commands run with it; each try in vain doubles the
//! time to the next. Where fewer would do, fewer serve.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What one look at the workers covers.
const WINDOW: Duration = Duration::from_millis(250);
/// Share of its time that a worker works at least where it is busy.
const BUSY: f64 = 0.9;
/// Share of the time of the workers that would remain, below which one is spared.
const SPARE: f64 = 0.6;
/// How many times as many commands run with a further worker, at least.
const GAIN: f64 = 1.1;
/// Windows before and after a further worker comes, of which the better one counts.
const COMPARED: usize = 3;
/// Windows between two tries, at most: two minutes.
const PATIENCE_MAX: u32 = 480;

/// What workers tell each other of their work.
pub(super) struct Sharing {
    serving: AtomicUsize,
    /// Nanoseconds that each worker has worked.
    worked: Box<[AtomicU64]>,
}

impl Sharing {
    pub(super) fn new(workers: usize) -> Sharing {
        let worked = (0..workers).map(|_| AtomicU64::new(0)).collect();
        Sharing { serving: AtomicUsize::new(1), worked }
    }

    /// The worker that a connection is to be with; the tickets of connections count up.
    pub(super) fn worker_of(&self, ticket: usize) -> usize {
        // Mixed, for clients may open a busy connection and an idle one in turn.
        let mixed = (ticket as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        mixed as usize % self.serving.load(Ordering::Relaxed)
    }

    /// Whether there is anything to share.
    pub(super) fn is_possible(&self) -> bool {
        self.worked.len() > 1
    }

    /// A worker has worked so long.
    pub(super) fn count(&self, worker: usize, time: Duration) {
        self.worked[worker].fetch_add(time.as_nanos() as u64, Ordering::Relaxed);
    }
}

/// The first worker's look at all.
pub(super) struct Overseer {
    choice: Choice,
    since: Instant,
    worked: Vec<u64>,
    commands: u64,
}

impl Overseer {
    pub(super) fn new(sharing: &Sharing, now: Instant) -> Overseer {
        let workers = sharing.worked.len();
        Overseer { choice: Choice::new(workers), since: now, worked: vec![0; workers], commands: 0 }
    }

    /// Whether a window is over.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        now.duration_since(self.since) >= WINDOW
    }

    /// Decides, at a window's end, how many serve; `commands` have run since the server began.
    pub(super) fn decide(&mut self, sharing: &Sharing, commands: u64, now: Instant) -> usize {
        let window = now.duration_since(self.since).as_secs_f64();
        let work = sharing.worked.iter().zip(&mut self.worked).map(|(worked, before)| {
            let worked = worked.load(Ordering::Relaxed);
            (worked - std::mem::replace(before, worked)) as f64 / 1e9 / window
        });
        let shares: Vec<f64> = work.collect();
        let ran = commands.saturating_sub(std::mem::replace(&mut self.commands, commands));
        self.since = now;
        let serving = self.choice.next(&shares, ran as f64 / window);
        sharing.serving.store(serving, Ordering::Relaxed);
        serving
    }
}

/// The rule, see the module's head.
struct Choice {
    workers: usize,
    serving: usize,
    /// Commands per second in the latest windows with as many as serve now.
    rates: Vec<f64>,
    /// While one is tried: commands per second without it.
    without: Option<f64>,
    /// Windows to pass before the next try.
    wait: u32,
    /// Windows that pass after the next try in vain.
    patience: u32,
}

impl Choice {
    fn new(workers: usize) -> Choice {
        Choice { workers, serving: 1, rates: Vec::new(), without: None, wait: 0, patience: 2 }
    }

    /// How many serve from now on. `work` has each worker's share of the window, `rate` is commands
    /// per second in it.
    fn next(&mut self, work: &[f64], rate: f64) -> usize {
        self.wait = self.wait.saturating_sub(1);
        self.rates.push(rate);
        if self.rates.len() > COMPARED {
            self.rates.remove(0);
        }
        let best = self.rates.iter().copied().fold(0.0, f64::max);
        let is_settled = self.rates.len() == COMPARED;
        let serving = &work[..self.serving];
        let sum: f64 = serving.iter().sum();
        if let Some(without) = self.without {
            if is_settled {
                let is_better = best >= GAIN * without;
                self.patience = if is_better { 2 } else { (self.patience * 2).min(PATIENCE_MAX) };
                self.wait = self.patience;
                self.without = None;
                if !is_better {
                    self.change(self.serving - 1);
                }
            }
        } else if self.serving > 1 && sum < SPARE * (self.serving - 1) as f64 {
            self.change(self.serving - 1);
        } else if self.serving < self.workers
            && self.wait == 0
            && is_settled
            && serving.iter().all(|&share| share >= BUSY)
        {
            self.without = Some(best);
            self.change(self.serving + 1);
        }
        self.serving
    }

    fn change(&mut self, serving: usize) {
        self.serving = serving;
        self.rates.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Windows of a server whose workers are all so busy, and which answers so many commands with so
    /// many workers; how many served in each.
    fn course(windows: usize, busy: f64, rate: impl Fn(usize) -> f64) -> Vec<usize> {
        let mut choice = Choice::new(4);
        let mut serving = 1;
        (0..windows)
            .map(|_| {
                let work: Vec<f64> =
                    (0..4).map(|at| if at < serving { busy } else { 0.0 }).collect();
                serving = choice.next(&work, rate(serving));
                serving
            })
            .collect()
    }

    #[test]
    fn who_has_time_left_serves_alone() {
        assert_eq!(vec![1; 100], course(100, 0.8, |_| 1e5));
    }

    #[test]
    fn as_many_serve_as_answer_more() {
        let all = course(100, 1.0, |serving| 1e5 * serving.min(3) as f64);
        assert_eq!(Some(&3), all.last());
        assert!(all[..12].contains(&3), "soon: {all:?}");
    }

    #[test]
    fn tries_in_vain_become_rare() {
        let all = course(2_000, 1.0, |serving| 1e5 / serving as f64);
        let spent = all.iter().filter(|&&serving| serving > 1).count();
        assert!((3..60).contains(&spent), "{spent} windows of 2,000 with more than serve well");
        assert!(all.iter().all(|&serving| serving <= 2));
    }

    #[test]
    fn who_is_not_needed_is_spared() {
        let mut choice = Choice::new(2);
        let mut serving = 1;
        for _ in 0..20 {
            serving = choice.next(&[1.0, 1.0], 1e5 * serving as f64);
        }
        assert_eq!(2, serving);
        assert_eq!(2, choice.next(&[0.5, 0.4], 1e5));
        assert_eq!(1, choice.next(&[0.3, 0.2], 1e5));
    }
}
