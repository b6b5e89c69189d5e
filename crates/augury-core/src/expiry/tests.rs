//! TTLs against simulated values: what they make stale, and the loads that they save.

use super::*;
use crate::hash::mix;
use crate::random::Random;

const LOW: Millis = 10_000;
const HIGH: Millis = 3_600_000;
const STALENESS: f64 = 0.05;
const BOUNDS: Bounds = Bounds { low: LOW, high: HIGH, staleness: STALENESS };

fn exponential(random: &mut Random, mean: f64) -> f64 {
    -((f64::from(random.next_u32()) + 0.5) / 2f64.powi(32)).ln() * mean
}

/// A value that changes on its own, and the entry that a cache has of it.
struct Object {
    namespace: u16,
    /// Mean milliseconds between changes.
    pace: f64,
    version: u64,
    next_change: f64,
    held: u64,
    fresh_until: f64,
}

/// What a simulation has come to.
#[derive(Debug, Default)]
struct Outcome {
    loads: u64,
    hits: u64,
    stale: u64,
}

impl Outcome {
    fn staleness(&self) -> f64 {
        self.stale as f64 / self.hits as f64
    }
}

/// Objects of these paces and namespaces, each asked for every `asked` milliseconds on average, for
/// a time; the first third of it is not counted. The TTL is the lower bound without lifetimes.
fn simulate(
    objects: &[(f64, u16)],
    asked: f64,
    time: f64,
    mut lifetimes: Option<&mut Lifetimes>,
) -> Outcome {
    let (mut random, mut outcome) = (Random::new(11), Outcome::default());
    let new = |&(pace, namespace): &(f64, u16)| Object {
        namespace,
        pace,
        version: 0,
        next_change: 0.0,
        held: 0,
        fresh_until: -1.0,
    };
    let mut objects: Vec<_> = objects.iter().map(new).collect();
    let mut now = 0.0;
    while now < time {
        now += exponential(&mut random, asked / objects.len() as f64);
        let key = random.below(objects.len() as u32) as usize;
        let object = &mut objects[key];
        while object.next_change <= now {
            object.version += 1;
            object.next_change += exponential(&mut random, object.pace);
        }
        let is_hit = now < object.fresh_until;
        if now > time / 3.0 {
            outcome.loads += u64::from(!is_hit);
            outcome.hits += u64::from(is_hit);
            outcome.stale += u64::from(is_hit && object.held != object.version);
        }
        if !is_hit {
            let ttl = lifetimes.as_mut().map_or(LOW, |lifetimes| {
                let seen = Seen {
                    hash: mix(key as u64),
                    fingerprint: Some(object.version),
                    namespace: object.namespace,
                    now: now as Millis,
                };
                let foretold = lifetimes.foretell(&seen);
                lifetimes.keep(&foretold);
                foretold.ttl
            });
            (object.held, object.fresh_until) = (object.version, now + ttl as f64);
        }
    }
    outcome
}

/// Runs with predicted TTLs and with the lower bound, and says what came of them.
fn compare(name: &str, objects: &[(f64, u16)], asked: f64, hours: f64) -> (Outcome, f64) {
    let mut lifetimes = Lifetimes::new(BOUNDS, 10_000);
    let time = hours * 3_600_000.0;
    let predicted = simulate(objects, asked, time, Some(&mut lifetimes));
    let fixed = simulate(objects, asked, time, None);
    let saved = 1.0 - predicted.loads as f64 / fixed.loads as f64;
    println!(
        "{name}: stale {:.4} against {:.4}, loads saved {saved:.3}",
        predicted.staleness(),
        fixed.staleness()
    );
    (predicted, saved)
}

#[test]
fn staleness_is_near_what_is_allowed_and_loads_are_saved() {
    // Mean time between changes in minutes, and the least share of loads saved: the best TTL is a
    // tenth of that time, by 5% of the answers.
    for (minutes, least) in [(10.0, 0.70), (60.0, 0.93), (300.0, 0.96)] {
        let objects = vec![(minutes * 60_000.0, 0); 100];
        let (predicted, saved) = compare(&format!("{minutes} min"), &objects, 2_000.0, 24.0);
        let stale = predicted.staleness();
        assert!((0.03..0.065).contains(&stale), "{minutes}: {stale}");
        assert!(saved > least, "{minutes}: {saved}");
    }
}

#[test]
fn what_changes_faster_than_the_lower_bound_is_kept_for_that() {
    let objects = vec![(20_000.0, 0); 50];
    let mut lifetimes = Lifetimes::new(BOUNDS, 10_000);
    simulate(&objects, 2_000.0, 3_600_000.0, Some(&mut lifetimes));
    let counts = lifetimes.counts();
    assert!(counts.ttls < counts.stored * LOW * 11 / 10, "{counts:?}");
}

#[test]
fn keys_of_one_namespace_are_told_apart() {
    // Half change every five minutes, half never: a common TTL would be wrong for both.
    let objects: Vec<_> =
        (0..100).map(|key| (if key % 2 == 0 { 300_000.0 } else { f64::MAX }, 0)).collect();
    let (predicted, saved) = compare("mixed", &objects, 2_000.0, 24.0);
    assert!(predicted.staleness() < 0.05, "{predicted:?}");
    assert!(saved > 0.7, "{saved}");
}

#[test]
fn paces_over_three_decades_are_told_apart() {
    let objects: Vec<_> =
        (0..200).map(|key| (60_000.0 * 1_000f64.powf(f64::from(key) / 200.0), 0)).collect();
    let (predicted, saved) = compare("spread", &objects, 2_000.0, 24.0);
    assert!((0.03..0.065).contains(&predicted.staleness()), "{predicted:?}");
    assert!(saved > 0.7, "{saved}");
}

#[test]
fn namespaces_are_told_apart_at_the_first_load() {
    let ttl_of = |lifetimes: &Lifetimes, namespace| {
        let seen = Seen { hash: mix(999), fingerprint: Some(0), namespace, now: HIGH };
        lifetimes.foretell(&seen).ttl
    };
    let objects: Vec<_> =
        (0..100).map(|key| if key % 2 == 0 { (60_000.0, 1) } else { (36_000_000.0, 2) }).collect();
    let mut lifetimes = Lifetimes::new(BOUNDS, 10_000);
    assert_eq!([LOW; 2], [1, 2].map(|namespace| ttl_of(&lifetimes, namespace)));
    simulate(&objects, 2_000.0, 8.0 * 3_600_000.0, Some(&mut lifetimes));
    let [fast, slow] = [1, 2].map(|namespace| ttl_of(&lifetimes, namespace));
    assert_eq!(LOW, fast);
    assert!((1_500_000..=HIGH).contains(&slow), "{slow}");
}

#[test]
fn a_value_that_begins_to_change_is_followed() {
    let mut lifetimes = Lifetimes::new(BOUNDS, 100);
    let (mut now, mut ttl) = (0, 0);
    let mut store = |lifetimes: &mut Lifetimes, value| {
        now += ttl;
        let seen = Seen { hash: 1, fingerprint: Some(value), namespace: 0, now };
        let foretold = lifetimes.foretell(&seen);
        lifetimes.keep(&foretold);
        ttl = foretold.ttl;
        ttl
    };
    let calm = (0..60).map(|_| store(&mut lifetimes, 0)).last();
    assert_eq!(Some(HIGH), calm);
    let moved: Vec<_> = (1..40).map(|value| store(&mut lifetimes, value)).collect();
    assert!(moved[2] < HIGH && moved[38] < HIGH / 20, "{moved:?}");
}

#[test]
fn what_is_not_kept_is_not_remembered_and_what_cannot_be_compared_teaches_nothing() {
    let mut lifetimes = Lifetimes::new(BOUNDS, 100);
    let seen = Seen { hash: 1, fingerprint: None, namespace: 0, now: 0 };
    lifetimes.foretell(&seen);
    assert!(lifetimes.is_empty());
    for now in 0..50 {
        let foretold = lifetimes.foretell(&Seen { now: now * LOW, ..seen });
        assert_eq!(LOW, foretold.ttl);
        lifetimes.keep(&foretold);
    }
    let expected = Counts { stored: 50, unreadable: 50, ttls: 50 * LOW, ..Counts::default() };
    assert_eq!(expected, lifetimes.counts());
}

#[test]
fn memory_is_bounded() {
    let mut lifetimes = Lifetimes::new(BOUNDS, 1_000);
    for key in 0..20_000u64 {
        let namespace = (key % 65_536) as u16;
        for now in [0, LOW] {
            let seen = Seen { hash: mix(key), fingerprint: Some(0), namespace, now };
            let foretold = lifetimes.foretell(&seen);
            lifetimes.keep(&foretold);
        }
    }
    assert!(lifetimes.len() <= 1_000);
    assert!(lifetimes.memory_bytes() < 200_000, "{}", lifetimes.memory_bytes());
}

#[test]
fn the_span_is_that_of_the_chance() {
    for chance in [0.001, 0.05, 0.5] {
        let x = span_of(chance);
        assert!((1.0 - (1.0 - (-x).exp()) / x - chance).abs() < 1e-9, "{x}");
    }
}
