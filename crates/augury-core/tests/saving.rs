//! What leaves a cache for a file and comes back: every resident once, under every policy, and a
//! restored cache that goes on as the one that was saved.

use augury_core::cache::{Cache, Export, Gone, Kept, Newcomer, Pure, When};
use augury_core::clock::ManualClock;
use augury_core::guard::{Auto, Guard};
use augury_core::hash::mix;
use augury_core::policy::Policy;
use augury_core::policy::eviction::fifo::Fifo;
use augury_core::policy::eviction::gdsf::Gdsf;
use augury_core::policy::eviction::hyperbolic::Hyperbolic;
use augury_core::policy::eviction::lfu::Lfu;
use augury_core::policy::eviction::lru::Lru;
use augury_core::policy::eviction::s3fifo::S3Fifo;
use augury_core::policy::eviction::sieve::Sieve;
use augury_core::policy::eviction::wtinylfu::WTinyLfu;
use augury_core::random::Random;
use std::collections::HashSet;

type Served<P> = Cache<u64, u64, P, ManualClock>;

fn cache<P: Policy + 'static>(
    capacity: u64,
    shards: usize,
    make: impl Fn() -> P + Send + Sync + 'static,
) -> Served<P> {
    Cache::new(capacity, shards, ManualClock::default(), move |_| make())
}

fn probe(key: u64) -> Pure<impl Fn(&u64) -> bool> {
    Pure(move |resident: &u64| *resident == key)
}

/// A get, and a set where it was a miss; whether it was a hit.
fn request<P: Policy>(cache: &Served<P>, key: u64) -> bool {
    let Ok(found) = cache.get(mix(key), probe(key), &mut Gone::new());
    if found.is_none() {
        let (hash, size) = (mix(key), 1 + key as u32 % 5);
        let newcomer = Newcomer {
            hash,
            key,
            value: key,
            size,
            deadline: None,
            is_forced: false,
            namespace: 0,
            heard: 0,
        };
        let Ok(_) = cache.insert(newcomer, When::Always, probe(key), &mut Gone::new());
    }
    found.is_some()
}

fn restore<P: Policy>(cache: &Served<P>, kept: Kept<u64, u64>) -> bool {
    let key = kept.key;
    let Ok(is_resident) = cache.restore(mix(key), kept, probe(key), &mut Gone::new());
    is_resident
}

/// Skewed keys, the same for the same seed.
fn drive<P: Policy>(cache: &Served<P>, requests: u32, seed: u64) -> u32 {
    let mut random = Random::new(seed);
    let mut key = || 4_000f64.powf(f64::from(random.next_u32()) / 4_294_967_296.0) as u64;
    (0..requests).map(|_| u32::from(request(cache, key()))).sum()
}

fn restored<P: Policy>(to: &Served<P>, saved: Export<u64, u64>) {
    to.restore_memory(&saved.memories).unwrap();
    for kept in saved.entries {
        assert!(restore(to, kept));
    }
}

fn comes_back_under<P: Policy + 'static>(
    shards: usize,
    make: impl Fn() -> P + Send + Sync + Clone + 'static,
) {
    let before = cache(600, shards, make.clone());
    drive(&before, 20_000, 1);
    let saved = before.export();
    let keys: HashSet<u64> = saved.entries.iter().map(|kept| kept.key).collect();
    assert_eq!((before.len(), before.len()), (saved.entries.len(), keys.len()));
    let after = cache(600, shards, make);
    restored(&after, saved);
    assert_eq!((before.len(), before.used()), (after.len(), after.used()));
    assert_eq!(0, after.stats().hits + after.stats().misses + after.stats().evicted);
    let (went_on, restored) = (drive(&before, 5_000, 2), drive(&after, 5_000, 2));
    let policy = std::any::type_name::<P>();
    assert!(went_on.abs_diff(restored) < 150, "{policy}: {went_on} hits, restored {restored}");
    assert!(after.used() <= 600);
}

#[test]
fn every_resident_comes_back_once_under_every_policy() {
    comes_back_under(1, Lru::default);
    comes_back_under(1, Fifo::default);
    comes_back_under(1, Sieve::default);
    comes_back_under(1, S3Fifo::default);
    comes_back_under(1, WTinyLfu::default);
    comes_back_under(1, Lfu::default);
    comes_back_under(1, Gdsf::default);
    comes_back_under(1, || Hyperbolic::new(7));
    comes_back_under(1, || Auto::with_chooser(7, Guard::default()));
    comes_back_under(3, || Auto::with_chooser(7, Guard::default()));
}

#[test]
fn lru_and_fifo_go_on_to_the_very_victim() {
    let before = cache(300, 1, Lru::default);
    drive(&before, 5_000, 1);
    let after = cache(300, 1, Lru::default);
    restored(&after, before.export());
    assert_eq!(drive(&before, 5_000, 2), drive(&after, 5_000, 2));
}

#[test]
fn what_has_no_room_or_is_there_or_is_due_is_not_restored() {
    let cache = cache(10, 1, Lru::default);
    cache.clock().advance_to(50);
    let kept = |key, size, deadline| Kept { key, value: key, size, deadline, history: None };
    assert!(restore(&cache, kept(1, 6, None)));
    assert!(!restore(&cache, kept(1, 1, None)));
    assert!(!restore(&cache, kept(2, 5, None)));
    assert!(!restore(&cache, kept(3, 1, Some(50))));
    assert!(restore(&cache, kept(4, 4, Some(51))));
    assert_eq!((2, 10), (cache.len(), cache.used()));
    cache.clock().advance_to(51);
    assert_eq!(1, cache.export().entries.len());
}

#[test]
fn what_is_damaged_is_refused_or_does_no_harm() {
    let before = cache(400, 1, || Auto::with_chooser(7, Guard::default()));
    drive(&before, 20_000, 1);
    let mut saved = before.export();
    let sound = saved.memories[0].learned.clone().unwrap();
    let mut random = Random::new(5);
    for round in 0..400 {
        let mut bytes = sound.clone();
        if round % 4 == 0 {
            bytes.truncate(random.below(sound.len() as u32) as usize);
        } else {
            for _ in 0..1 + round % 9 {
                let at = random.below(sound.len() as u32) as usize;
                bytes[at] = random.next_u32() as u8;
            }
        }
        saved.memories[0].learned = Some(bytes);
        let after = cache(400, 1, || Auto::with_chooser(7, Guard::default()));
        if after.restore_memory(&saved.memories).is_ok() {
            saved.entries.iter().cloned().for_each(|kept| _ = restore(&after, kept));
        }
        drive(&after, 400, 2);
        assert!(after.used() <= 400);
    }
    saved.memories[0].learned = Some(sound[..7].to_vec());
    assert!(before.restore_memory(&saved.memories).is_err());
}
