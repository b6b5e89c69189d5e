//! The curve of a running cache against plain models of what it estimates, and its bounds.

use augury_core::curve::{CurvePoint, MissRatioCurve, SCALES};
use augury_core::hash::mix;
use augury_core::random::Random;

/// Skewed keys: the smaller of two draws, over and over.
fn skewed(random: &mut Random, objects: u32) -> u64 {
    let draws = [0; 3].map(|_| random.below(objects));
    u64::from(draws.into_iter().min().expect("there are three"))
}

/// A plain LRU cache of entries: the latest last.
struct Plain {
    capacity: usize,
    keys: Vec<u64>,
    misses: u64,
}

impl Plain {
    fn new(capacity: usize) -> Self {
        Plain { capacity, keys: Vec::new(), misses: 0 }
    }

    fn read(&mut self, key: u64) -> bool {
        let found = self.keys.iter().rposition(|&other| other == key);
        match found {
            Some(at) => _ = self.keys.remove(at),
            None => self.misses += 1,
        }
        self.keys.push(key);
        if self.keys.len() > self.capacity {
            self.keys.remove(0);
        }
        found.is_some()
    }
}

fn points(curve: &MissRatioCurve) -> [CurvePoint; 4] {
    curve.points().expect("something was observed")
}

#[test]
fn lru_is_told_at_any_capacity_within_reach() {
    const CAPACITY: usize = 800;
    let mut curve = MissRatioCurve::new(CAPACITY as u64);
    let sizes = [200, 400, 600, 800, 1_300, 1_600, 2_400, 3_200];
    let mut plain = sizes.map(Plain::new);
    let mut random = Random::new(4);
    let requests = 150_000;
    for _ in 0..requests {
        let key = skewed(&mut random, 6_000);
        let hits = plain.each_mut().map(|cache| cache.read(key));
        curve.observe(mix(key), 1, hits[3]);
    }
    for cache in &plain {
        let exact = cache.misses as f64 / f64::from(requests);
        let told = curve.lru_miss_ratio(cache.capacity as u64).expect("within reach");
        assert!((told - exact).abs() < 0.02, "{} at {}, {exact} by replay", told, cache.capacity);
    }
    assert_eq!(None, curve.lru_miss_ratio(3_201));
}

#[test]
fn at_the_present_capacity_it_is_what_was_observed() {
    let (mut curve, mut random) = (MissRatioCurve::new(5_000), Random::new(1));
    let mut misses = 0;
    for _ in 0..10_000 {
        let is_hit = random.below(4) != 0;
        misses += u32::from(!is_hit);
        curve.observe(mix(skewed(&mut random, 20_000)), 1, is_hit);
    }
    let told = points(&curve);
    assert_eq!(f64::from(misses) / 10_000.0, told[1].miss_ratio);
    assert_eq!((SCALES, 5_000), (told.map(|point| point.scale), told[1].capacity));
    assert!(told.is_sorted_by(|one, other| one.miss_ratio >= other.miss_ratio));
}

#[test]
fn a_loop_tells_a_policy_that_holds_on_from_lru() {
    // A cache that keeps a fixed half of the loop: more capacity helps it, and LRU not at all.
    let mut curve = MissRatioCurve::new(1_000);
    for now in 0..400_000_u64 {
        let key = now % 4_800;
        curve.observe(mix(key), 1, key < 1_000 && now >= 4_800);
    }
    let told = points(&curve);
    assert!(told.iter().all(|point| point.lru_miss_ratio > 0.95), "{told:?}");
    for (point, exact) in told.iter().zip([0.896, 0.794, 0.588, 0.176]) {
        assert!((point.miss_ratio - exact).abs() < 0.06, "{point:?}, expected {exact}");
    }
}

#[test]
fn it_follows_the_traffic() {
    let mut curve = MissRatioCurve::new(1_000);
    let mut random = Random::new(2);
    (0..300_000).for_each(|_| curve.observe(mix(skewed(&mut random, 90_000)), 1, false));
    let before = points(&curve)[1];
    (0..3_000_000_u64).for_each(|now| curve.observe(mix(now % 500), 1, true));
    let after = points(&curve)[1];
    assert!(before.miss_ratio > 0.9 && before.lru_miss_ratio > 0.9, "{before:?}");
    assert!(after.miss_ratio < 0.01 && after.lru_miss_ratio < 0.02, "{after:?}");
}

#[test]
fn memory_is_bounded_and_asked_for_at_once() {
    for (capacity, limit) in
        [(1, 16 << 10), (1_000, 16 << 10), (1_001, 80 << 10), (1 << 40, 80 << 10)]
    {
        let (mut curve, mut random) = (MissRatioCurve::new(capacity), Random::new(3));
        let bytes = curve.memory_bytes();
        assert!(bytes <= limit, "{bytes} at {capacity}");
        for now in 0..200_000 {
            let size = random.below(1_000) * random.below(1_000);
            curve.observe(mix(now % 70_000), if capacity < 2_000 { 1 } else { size }, false);
            if random.below(50) == 0 {
                curve.forget(mix(u64::from(random.below(70_000))));
            }
        }
        assert_eq!(bytes, curve.memory_bytes());
    }
}

#[test]
fn sizes_that_change_and_objects_that_go_keep_the_counts() {
    let (mut curve, mut random) = (MissRatioCurve::new(40_000), Random::new(8));
    for _ in 0..300_000 {
        let key = skewed(&mut random, 3_000);
        match random.below(20) {
            0 => curve.forget(mix(key)),
            _ => curve.observe(mix(key), random.below(400), random.below(2) == 0),
        }
    }
    let told = points(&curve);
    assert!(told.iter().all(|point| (0.0..=1.0).contains(&point.miss_ratio)), "{told:?}");
}

#[test]
fn after_a_resize_counting_waits_until_what_is_held_can_be_known() {
    let mut curve = MissRatioCurve::new(1_000);
    (0..100_000_u64).for_each(|now| curve.observe(mix(now % 3_000), 1, true));
    curve.set_capacity(2_000);
    assert_eq!(None, curve.points());
    (0..10_000_u64).for_each(|now| curve.observe(mix(now % 3_000), 1, true));
    assert!(curve.requests() < 2_000.0, "{}", curve.requests());
    (0..900_000_u64).for_each(|now| curve.observe(mix(now % 1_500), 1, true));
    assert!(points(&curve)[1].lru_miss_ratio < 0.02);
}
