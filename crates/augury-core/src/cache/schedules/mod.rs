//! The cache's protocols under thousands of schedules: shuttle runs the threads of a small program
//! one at a time and chooses at every lock and atomic who goes on.
//!
//! Half of the schedules are drawn evenly, half by probabilistic concurrency testing, which changes
//! its mind only a few times and so finds what needs long undisturbed runs (Burckhardt, Kothari,
//! Musuvathi, Nagarakatte, "A randomized scheduler with probabilistic guarantees of finding bugs",
//! ASPLOS 2010). Seeds are fixed: a failure comes again. What this cannot show: schedules that were
//! not drawn, and memory orders weaker than sequential consistency, of which the cache needs none
//! (all that matters happens under locks).
//!
//! `history` judges what the threads have seen; [`finds`] lets each kind of law be broken by a
//! protocol that is known to be wrong, and has to notice.

mod history;
mod keys;
mod permits;
mod whole;

use super::sync::atomic::{AtomicU64, Ordering};
use super::{Cache, Gone, Newcomer, Outcome, Probe, Pure, When};
use crate::clock::{Clock, Millis};
use crate::policy::eviction::lru::Lru;
use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, FailurePersistence, Runner};
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Schedules per law and scheduler.
const SCHEDULES: usize = 10_000;
/// Changes of mind per schedule of probabilistic concurrency testing.
const DEPTH: usize = 3;

/// Time that moves when told to, a place to switch threads at.
#[derive(Default)]
struct Time(AtomicU64);

impl Clock for Time {
    fn now(&self) -> Millis {
        self.0.load(Ordering::Relaxed)
    }
}

type Tested<V> = Cache<u32, V, Lru, Time>;

fn cache<V>(capacity: u64, shards: usize) -> Arc<Tested<V>> {
    Arc::new(Cache::new(capacity, shards, Time::default(), |_| Lru::default()))
}

/// Runs the program under every schedule that is drawn.
fn explore(program: impl Fn() + Send + Sync + Clone + 'static) {
    run(RandomScheduler::new_from_seed(1, SCHEDULES), FailurePersistence::Print, program.clone());
    run(PctScheduler::new_from_seed(1, DEPTH, SCHEDULES), FailurePersistence::Print, program);
}

/// Whether one of the schedules breaks the program's law.
fn finds(program: impl Fn() + Send + Sync + 'static) -> bool {
    let scheduler = RandomScheduler::new_from_seed(1, SCHEDULES);
    catch_unwind(AssertUnwindSafe(|| run(scheduler, FailurePersistence::None, program))).is_err()
}

fn run(
    scheduler: impl Scheduler + 'static,
    persistence: FailurePersistence,
    program: impl Fn() + Send + Sync + 'static,
) {
    let mut config = Config::new();
    config.failure_persistence = persistence;
    // That atomics are taken for sequentially consistent: see the module's head.
    config.silence_warnings = true;
    Runner::new(scheduler, config).run(program);
}

/// All keys of a program have one hash: pins and collisions are the rule.
const HASH: u64 = 0x9e37_79b9_7f4a_7c15;

/// An equality that is foreign code: asked outside the lock, and slow.
fn foreign(key: u32) -> impl FnMut(&u32) -> Result<bool, Infallible> {
    move |other| {
        shuttle::thread::yield_now();
        Ok(*other == key)
    }
}

fn get<V: Clone>(cache: &Tested<V>, key: u32) -> Option<V> {
    get_by(cache, foreign(key))
}

fn get_by<V: Clone>(cache: &Tested<V>, probe: impl Probe<u32, Error = Infallible>) -> Option<V> {
    let Ok(found) = cache.get(HASH, probe, &mut Gone::new());
    found
}

fn set<V>(cache: &Tested<V>, key: u32, value: V, when: When<'_, V>) -> Outcome {
    let gone = &mut Gone::new();
    let Ok(outcome) = cache.insert(newcomer(key, value, None), when, foreign(key), gone);
    outcome
}

fn take<V>(cache: &Tested<V>, key: u32) -> Option<V> {
    let Ok(removed) = cache.remove(HASH, foreign(key), &mut Gone::new());
    removed.map(|removed| removed.value)
}

fn newcomer<V>(key: u32, value: V, deadline: Option<Millis>) -> Newcomer<u32, V> {
    Newcomer { hash: HASH, key, value, size: 1, deadline, is_forced: false, namespace: 0, heard: 0 }
}
