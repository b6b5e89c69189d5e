//! One key at a time: look-ups that pin, ask outside the lock and check again.

use super::history::{Act, History};
use super::*;
use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;

const THREADS: u32 = 3;
const OPERATIONS: u32 = 3;
const KEYS: u32 = 2;

/// Runs the threads and returns when all have ended.
fn together(work: impl Fn(u32) + Send + Sync + Clone + 'static) {
    let start = |thread| {
        let work = work.clone();
        thread::spawn(move || work(thread))
    };
    let threads: Vec<_> = (0..THREADS).map(start).collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// A random operation, whose new value is not any other's.
fn operate(cache: &Tested<u32>, history: &History, fresh: u32) {
    let key = thread_rng().gen_range(0..KEYS);
    match thread_rng().gen_range(0..6) {
        0 => history.record(key, || Act::Get(get(cache, key))),
        1 => history.record(key, || Act::Get(get_by(cache, Pure(|other: &u32| *other == key)))),
        2 => history.record(key, || {
            assert_ne!(Outcome::Declined, set(cache, key, fresh, When::Always));
            Act::Set(fresh)
        }),
        3 => history.record(key, || {
            Act::Add(fresh, set(cache, key, fresh, When::Absent) == Outcome::Added)
        }),
        4 => {
            let mut seen = None;
            history.record(key, || {
                seen = get(cache, key);
                Act::Get(seen)
            });
            let Some(old) = seen else { return };
            history.record(key, || {
                let outcome = set(cache, key, fresh, When::Matching(&|value| *value == old));
                Act::Swap(old, fresh, outcome == Outcome::Replaced)
            });
        }
        _ => history.record(key, || Act::Take(take(cache, key))),
    }
}

#[test]
fn every_key_is_a_map_to_all_threads() {
    explore(|| {
        let (cache, history) = (cache(8, 1), Arc::new(History::default()));
        let told = history.clone();
        together(move |thread| {
            for operation in 0..OPERATIONS {
                operate(&cache, &told, thread * OPERATIONS + operation);
            }
        });
        history.check(false);
    });
}

#[test]
fn a_cache_that_evicts_forgets_and_does_nothing_else() {
    explore(|| {
        let (cache, history) = (cache(1, 1), Arc::new(History::default()));
        let told = history.clone();
        together(move |thread| {
            for operation in 0..OPERATIONS {
                operate(&cache, &told, thread * OPERATIONS + operation);
            }
        });
        history.check(true);
    });
}

/// Asking first and storing then is no way to add: the checker sees two who did.
#[test]
fn a_check_before_the_lock_is_found_out() {
    assert!(finds(|| {
        let (cache, history) = (cache(8, 1), Arc::new(History::default()));
        let told = history.clone();
        together(move |thread| {
            told.record(0, || {
                let Ok(is_there) = cache.contains(HASH, foreign(0), &mut Gone::new());
                if !is_there {
                    set(&cache, 0, thread, When::Always);
                }
                Act::Add(thread, !is_there)
            });
        });
        history.check(false);
    }));
}

/// An answer that is not checked again belongs to a key that has left meanwhile: look-ups of
/// another key that comes to the same slot would be given the wrong value.
#[test]
fn a_slot_that_is_taken_over_answers_for_its_new_key() {
    explore(|| {
        let cache = cache(8, 1);
        set(&cache, 0, 0, When::Always);
        let other = cache.clone();
        let mover = thread::spawn(move || {
            take(&other, 0);
            set(&other, 1, 1, When::Always);
        });
        let found = get(&cache, 0);
        assert!(matches!(found, None | Some(0)), "{found:?}");
        mover.join().unwrap();
        assert_eq!((None, Some(1)), (get(&cache, 0), get(&cache, 1)));
    });
}

#[test]
fn nothing_is_read_at_or_after_its_deadline() {
    explore(|| {
        let cache = cache::<Millis>(8, 1);
        let writer = cache.clone();
        let other = thread::spawn(move || {
            for deadline in [1, 2] {
                let entry = newcomer(0, deadline, Some(deadline));
                let gone = &mut Gone::new();
                let Ok(_) = writer.insert(entry, When::Always, foreign(0), gone);
                writer.clock().0.fetch_add(1, Ordering::Relaxed);
                writer.expire(1, gone);
            }
        });
        for _ in 0..3 {
            let now = cache.clock().now();
            let found = get(&cache, 0);
            assert!(found.is_none_or(|deadline| deadline > now), "{found:?} at {now}");
        }
        other.join().unwrap();
        assert_eq!((None, 0), (get(&cache, 0), cache.len()));
    });
}
