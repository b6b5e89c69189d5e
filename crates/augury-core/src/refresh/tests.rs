//! The planner as its caller sees it.

use super::*;
use crate::hash::mix;
use crate::random::Random;
use proptest::prelude::*;

const TTL: Millis = 60_000;

/// A cache of everything: deadlines, and what reads and reloads come to.
struct Caller {
    planner: Planner,
    deadlines: Vec<Millis>,
    misses: u64,
    reloads: u64,
    /// The same cache without refresh.
    baseline: Vec<Millis>,
    baseline_misses: u64,
}

impl Caller {
    fn new(budget: f64, keys: usize) -> Self {
        Caller {
            planner: Planner::new(budget, keys as u32),
            deadlines: vec![0; keys],
            misses: 0,
            reloads: 0,
            baseline: vec![0; keys],
            baseline_misses: 0,
        }
    }

    fn advance(&mut self, now: Millis) {
        let mut due = Vec::new();
        self.planner.due(now, &mut due);
        for what in due {
            if let Due::Reload(slot) = what {
                self.reloads += 1;
                self.deadlines[slot as usize] = now + TTL;
                self.planner.refreshed(slot, now, TTL);
            }
        }
    }

    fn read(&mut self, key: SlotId, now: Millis) {
        if self.baseline[key as usize] <= now {
            self.baseline[key as usize] = now + TTL;
            self.baseline_misses += 1;
        }
        if self.deadlines[key as usize] > now {
            self.planner.hit(key, now);
        } else {
            self.misses += 1;
            self.deadlines[key as usize] = now + TTL;
            self.planner.loaded(key, mix(u64::from(key)), now, TTL, 0);
        }
    }

    /// Loads beyond those without refresh, as a share of them.
    fn extra(&self) -> f64 {
        (self.misses + self.reloads) as f64 / self.baseline_misses as f64 - 1.0
    }
}

/// Reads of keys for so many seconds, each second with a chance of its own.
fn by_chance(caller: &mut Caller, seconds: u64, chances: impl Fn(u32) -> f64) {
    let mut random = Random::new(3);
    for second in 0..seconds {
        caller.advance(second * 1_000);
        for key in 0..caller.deadlines.len() as u32 {
            if f64::from(random.next_u32()) < chances(key) * 4_294_967_296.0 {
                caller.read(key, second * 1_000);
            }
        }
    }
}

#[test]
fn keys_on_a_beat_longer_than_the_ttl_are_loaded_just_before_it() {
    let mut caller = Caller::new(0.1, 50);
    let read_all = |caller: &mut Caller, from: u64, to: u64| {
        for second in from..to {
            caller.advance(second * 1_000);
            (0..50).filter(|key| (second + u64::from(key * 7)).is_multiple_of(200)).for_each(
                |key| {
                    caller.read(key, second * 1_000);
                },
            );
        }
    };
    read_all(&mut caller, 0, 6_000);
    let (misses, reloads) = (caller.misses, caller.reloads);
    read_all(&mut caller, 6_000, 20_000);
    let (missed, reloaded) = (caller.misses - misses, caller.reloads - reloads);
    assert!(missed < 35, "of 3,500 reads {missed} missed");
    assert!(caller.extra() < 0.02, "{} reloads, {:.3} extra", reloaded, caller.extra());
}

#[test]
fn the_budget_holds_and_is_spent_on_busy_keys() {
    // Requests per TTL from 0.1 to 10.
    let chance = |key: u32| 10_f64.powf(f64::from(key) / 150.0 - 1.0) / 60.0;
    for budget in [0.0, 0.05, 0.2] {
        let mut caller = Caller::new(budget, 300);
        by_chance(&mut caller, 40_000, chance);
        let extra = caller.extra();
        assert!((0.8 * budget..=budget + 0.01).contains(&extra), "{extra:.3} for {budget}");
        let removed = 1.0 - caller.misses as f64 / caller.baseline_misses as f64;
        assert!(removed >= 5.0 * budget.min(0.08), "{removed:.3} removed for {budget}");
    }
}

#[test]
fn keys_that_never_come_back_are_let_go() {
    let mut caller = Caller::new(1.0, 20_000);
    for key in 0..20_000_u32 {
        let now = u64::from(key) * 100;
        caller.advance(now);
        caller.read(key, now);
    }
    assert!(caller.reloads < 1_000, "{} reloads in vain of 20,000", caller.reloads);
}

#[test]
fn a_reload_begins_as_long_before_the_deadline_as_loads_take() {
    let mut planner = Planner::new(10.0, 10);
    let mut due = Vec::new();
    let mut now = 0;
    let mut asked = Vec::new();
    planner.loaded(0, mix(0), now, TTL, 2_000);
    while now < 20 * TTL {
        now += 500;
        planner.due(now, &mut due);
        for what in due.drain(..) {
            assert_eq!(Due::Reload(0), what);
            asked.push(now);
            planner.refreshed(0, now + 2_000, TTL);
        }
        planner.hit(0, now);
    }
    assert!(asked.len() > 10, "a key that is always asked for is always reloaded: {asked:?}");
    assert!(asked.windows(2).all(|pair| pair[1] - pair[0] == TTL), "{asked:?}");
}

#[test]
fn a_reload_that_failed_costs_nothing_for_good() {
    let mut caller = Caller::new(0.1, 1);
    let before = caller.planner.ledger.clone();
    caller.planner.loaded(0, mix(0), 0, TTL, 0);
    let id = caller.planner.record_of(0).unwrap();
    caller.planner.ledger.spend(0.7);
    let watch = Watch { opens: TTL, worth: 0.7, made: true, ..Watch::default() };
    let record = caller.planner.records.record_mut(id);
    (record.watch, record.phase) = (Some(watch), Phase::Loading);
    caller.planner.removed(0, TTL);
    let mut loaded = before;
    loaded.baseline_load();
    loaded.demand_load();
    assert_eq!(format!("{loaded:?}"), format!("{:?}", caller.planner.ledger));
}

proptest! {
    /// Over any calls: only linked slots are named, deadlines are not passed unnoticed, memory is
    /// bounded, and the same calls have the same answers.
    #[test]
    fn names_only_slots_that_are_in_use(
        ops in prop::collection::vec((0u8..6, 0u32..12, 0u64..100_000), 1..400)
    ) {
        let mut planners = [Planner::new(0.5, 8), Planner::new(0.5, 8)];
        let mut keys = [None; 12];
        let mut now = 0;
        let mut newest = 0;
        for (kind, slot, number) in ops {
            let mut answers = Vec::new();
            match kind {
                0 | 1 => {
                    newest += u64::from(kind);
                    keys[slot as usize] = Some(newest % 20);
                }
                2 => keys[slot as usize] = None,
                _ => {}
            }
            for planner in &mut planners {
                let mut due = Vec::new();
                match kind {
                    0 | 1 => planner.loaded(slot, mix(newest % 20), now, number, number / 50),
                    2 => planner.removed(slot, now),
                    3 => planner.hit(slot, now),
                    4 => planner.refreshed(slot, now, number),
                    _ => planner.due(now + number, &mut due),
                }
                prop_assert!(planner.records.live() <= 8);
                answers.push(due);
            }
            now += if kind == 5 { number } else { 0 };
            prop_assert_eq!(&answers[0], &answers[1]);
            for what in &answers[0] {
                let (Due::Reload(slot) | Due::Hold(slot, _)) = what;
                prop_assert!(keys[*slot as usize].is_some(), "slot {} is vacant", slot);
            }
        }
    }
}

#[test]
fn the_longest_ttl_there_is_does_not_overflow() {
    let mut planner = Planner::new(0.1, 4);
    planner.loaded(0, mix(0), 1_000, Millis::MAX, Millis::MAX);
    planner.hit(0, 2_000);
    let mut due = Vec::new();
    planner.due(Millis::MAX / 2, &mut due);
    assert_eq!(Vec::<Due>::new(), due);
}
