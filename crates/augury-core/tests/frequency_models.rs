//! Laws of access probabilities, against exact counts of the same stream.

use std::collections::HashMap;

use augury_core::frequency::{Decayed, Precision, Window};
use augury_core::hash::mix;
use proptest::prelude::*;

const PRECISION: Precision = Precision { sketch_width: 256, heavy_hitters: 32 };
/// Rounding of sums of floats.
const TINY: f64 = 1e-9;

fn stream() -> impl Strategy<Value = Vec<u64>> {
    prop_oneof![
        proptest::collection::vec(0..8_u64, 1..400),
        proptest::collection::vec(0..300_u64, 1..400),
    ]
}

fn counts(keys: &[u64]) -> HashMap<u64, f64> {
    keys.iter().fold(HashMap::new(), |mut counts, key| {
        *counts.entry(*key).or_default() += 1.0;
        counts
    })
}

proptest! {
    #[test]
    fn a_window_is_off_by_a_quarter_pane_and_the_summarys_excess(
        keys in stream(),
        width in 1..500_u64,
        panes in 1..20_u64,
    ) {
        let mut window = Window::new(width, panes, PRECISION);
        keys.iter().for_each(|key| window.record(mix(*key), key));
        let inside = &keys[keys.len().saturating_sub(width as usize)..];
        prop_assert_eq!(inside.len() as u64, window.requests());
        let exact = counts(inside);
        let pane = width.div_ceil(panes.min(width)) as f64;
        let excess = (width as f64 + pane) / PRECISION.heavy_hitters as f64;
        for key in 0..300 {
            let (found, true_count) =
                (window.count(mix(key)), exact.get(&key).copied().unwrap_or(0.0));
            prop_assert!(found >= true_count - pane / 4.0 - TINY, "{found} of {true_count}");
            prop_assert!(found <= true_count + pane / 4.0 + excess + TINY, "{found} of {true_count}");
        }
        for (key, probability) in window.heavy_hitters() {
            prop_assert!(keys.contains(&key));
            prop_assert!((0.0..=1.0 + TINY).contains(&probability));
        }
    }

    #[test]
    fn a_window_of_one_pane_per_request_and_few_keys_is_exact(
        keys in proptest::collection::vec(0..8_u64, 1..400),
        width in 1..40_u64,
    ) {
        let mut window = Window::new(width, width, PRECISION);
        keys.iter().for_each(|key| window.record(mix(*key), key));
        let exact = counts(&keys[keys.len().saturating_sub(width as usize)..]);
        let mut found: Vec<_> = window.heavy_hitters();
        found.sort_by_key(|(key, _)| *key);
        let mut expected: Vec<_> = exact
            .into_iter()
            .map(|(key, count)| (key, count / window.requests() as f64))
            .collect();
        expected.sort_by_key(|(key, _)| *key);
        prop_assert_eq!(expected, found);
    }

    #[test]
    fn decayed_shares_are_those_of_exact_decayed_counts(
        keys in stream(),
        half_life in prop_oneof![0.5..5.0_f64, 50.0..500.0_f64],
        step in prop_oneof![Just(1.0_f64), Just(40.0), Just(2000.0)],
    ) {
        let mut decayed = Decayed::new(half_life, PRECISION);
        let mut exact: HashMap<u64, f64> = HashMap::new();
        for (index, key) in keys.iter().enumerate() {
            decayed.record(mix(*key), key, index as f64 * step);
            exact.values_mut().for_each(|count| *count *= (-step / half_life).exp2());
            *exact.entry(*key).or_default() += 1.0;
        }
        let total: f64 = exact.values().sum();
        prop_assert!((decayed.requests() / total - 1.0).abs() < 1e-6);
        for (key, count) in exact {
            let (found, share) = (decayed.probability(mix(key)), count / total);
            prop_assert!(found >= share - 1e-6);
            prop_assert!(found <= share + 1.0 / PRECISION.heavy_hitters as f64 + 1e-6);
        }
    }

    #[test]
    fn every_key_above_its_share_is_named(keys in stream()) {
        let precision = Precision { sketch_width: 64, heavy_hitters: 5 };
        let mut decayed = Decayed::new(1e12, precision);
        keys.iter().for_each(|key| decayed.record(mix(*key), key, 0.0));
        let named: Vec<_> = decayed.heavy_hitters().into_iter().map(|(key, _)| key).collect();
        prop_assert!(named.len() <= 5);
        for (key, count) in counts(&keys) {
            prop_assert!(count <= keys.len() as f64 / 5.0 || named.contains(&key));
        }
    }
}

#[test]
fn the_sketch_keeps_its_bound_where_the_summary_is_of_no_help() {
    let precision = Precision { sketch_width: 1024, heavy_hitters: 1 };
    let mut decayed = Decayed::new(1e12, precision);
    for request in 0..200_000_u64 {
        decayed.record(mix(request % 20_000), &(request % 20_000), 0.0);
    }
    let bound = std::f64::consts::E * 200_000.0 / 1024.0;
    let beyond = (0..20_000).filter(|key| decayed.count(mix(*key)) > 10.0 + bound).count();
    assert!((beyond as f64) <= 20_000.0 * (-4.0_f64).exp());
    assert!((0..20_000).all(|key| decayed.count(mix(key)) >= 10.0));
}

#[test]
fn memory_stays_where_it_is_however_many_keys_come() {
    let (mut window, mut decayed) =
        (Window::new(1000, 8, PRECISION), Decayed::new(100.0, PRECISION));
    let mut before = (0, 0);
    for key in 0..100_000_u64 {
        window.record(mix(key), &key);
        decayed.record(mix(key), &key, key as f64);
        if key == 5_000 {
            before = (window.memory_bytes(), decayed.memory_bytes());
        }
    }
    assert_eq!(before, (window.memory_bytes(), decayed.memory_bytes()));
    assert!(before.0 <= 10 * (4 * 256 * 8 + 32 * 64 * 2));
    assert!(window.heavy_hitters().len() <= 9 * 32);
}

#[test]
fn nothing_was_asked_for_before_the_first_request() {
    assert_eq!(0.0, Window::<u64>::new(10, 2, PRECISION).probability(7));
    assert_eq!(0.0, Decayed::<u64>::new(10.0, PRECISION).probability(7));
    assert_eq!(0.0, Decayed::<u64>::new(10.0, PRECISION).requests());
}
