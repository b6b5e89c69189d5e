//! Measurements, not laws: run by hand with
//! `cargo test --release -p augury-core --test cache_speed -- --ignored --nocapture`.

use augury_core::cache::{Cache, Gone, Newcomer, Probe, Pure, When};
use augury_core::clock::ManualClock;
use augury_core::hash::mix;
use augury_core::policy::eviction::lru::Lru;
use augury_core::random::Random;
use std::convert::Infallible;
use std::hint::black_box;
use std::time::Instant;

type Numbers = Cache<u64, u64, Lru, ManualClock>;

fn filled(entries: u64, deadline: Option<u64>) -> Numbers {
    let cache = Cache::new(entries, 1, ManualClock::default(), |_| Lru::default());
    for key in 0..entries {
        let newcomer = Newcomer {
            hash: mix(key),
            key,
            value: key,
            size: 1,
            deadline,
            is_forced: false,
            namespace: 0,
            heard: 0,
        };
        let probe = Pure(|k: &u64| *k == key);
        cache.insert(newcomer, When::Always, probe, &mut Gone::new()).unwrap();
    }
    cache
}

/// Nanoseconds per hit, best of five.
fn hits<Q: Probe<u64>>(cache: &Numbers, probe: impl Fn(u64) -> Q) -> f64 {
    const READS: u32 = 2_000_000;
    let entries = cache.len() as u32;
    let mut gone = Gone::new();
    let mut run = || {
        let mut random = Random::new(1);
        let start = Instant::now();
        for _ in 0..READS {
            let key = u64::from(random.below(entries));
            black_box(cache.get(mix(key), probe(key), &mut gone).ok());
        }
        start.elapsed().as_nanos() as f64 / f64::from(READS)
    };
    (0..5).map(|_| run()).fold(f64::INFINITY, f64::min)
}

#[test]
#[ignore = "a measurement"]
fn measure() {
    println!("entries   quick  +deadlines  asked  (ns per hit)   bytes per entry");
    for entries in [1_000, 100_000, 1_000_000] {
        let cache = filled(entries, None);
        let quick = hits(&cache, |key| Pure(move |k: &u64| *k == key));
        let asked = hits(&cache, |key| move |k: &u64| Ok::<_, Infallible>(*k == key));
        let timed = hits(&filled(entries, Some(1 << 40)), |key| Pure(move |k: &u64| *k == key));
        let bytes = cache.memory_bytes() as f64 / entries as f64;
        println!("{entries:8} {quick:6.1} {timed:10.1} {asked:7.1} {bytes:28.1}");
    }
}
