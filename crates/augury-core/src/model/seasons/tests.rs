//! Rhythms: believed where they foretold what came, and nowhere else.

use super::*;
use crate::random::Random;

const COOLING: f32 = 1.0 / 50_000.0;
/// Requests per half hour.
const RATE: u32 = 400;
const ALWAYS: u16 = 99;

/// Traffic whose namespace is drawn by (second, random number), up to this second.
fn observe(until: u32, namespace: impl Fn(u32, &mut Random) -> u16) -> Seasons {
    let (mut seasons, mut random) = (Seasons::new(NAMESPACES), Random::new(4));
    let mut now = 0u64;
    for slot in 0..=until / SECONDS {
        for at in 0..RATE {
            let time = slot * SECONDS + at * SECONDS / RATE;
            if time > until {
                break;
            }
            let access = Access {
                time: time.max(1),
                namespace: namespace(time, &mut random),
                ..Access::new(now, 0, 1, now)
            };
            seasons.reserve(&access);
            seasons.observe(&access, COOLING);
            now += 1;
        }
    }
    seasons
}

/// Half of the requests are for the favourites of the hour, in the namespace 1 + hour.
fn daily(time: u32, random: &mut Random) -> u16 {
    if random.below(2) == 0 { ALWAYS } else { (time / 3_600 % 24) as u16 + 1 }
}

fn expect(seasons: &Seasons, namespace: u16) -> Expectation {
    let mut history = History::first(0, 1);
    history.set_namespace(seasons.places[&namespace]);
    seasons.expect(&history, 3.0)
}

const HOUR: u32 = 3_600;
const TODAY: u32 = 3 * 24 * HOUR;

#[test]
fn a_factor_rises_before_the_hot_hour_and_falls_after_it() {
    let at = |hour: u32, minute: u32| {
        expect(&observe(TODAY + hour * HOUR + minute * 60, daily), 11).factor
    };
    let (night, before, during, after) = (at(0, 10), at(9, 50), at(10, 30), at(11, 10));
    assert!(before > 5.0 * night, "{night} {before}");
    assert!(during > 0.8 && during < 1.4, "{during}");
    assert!(after < 0.1 * during && after < night, "{after}");
}

#[test]
fn a_namespace_without_rhythm_has_a_factor_of_one() {
    let seasons = observe(TODAY + 10 * HOUR, daily);
    assert!(seasons.is_on());
    assert_eq!(1.0, expect(&seasons, ALWAYS).factor);
}

#[test]
fn an_object_asked_for_yesterday_is_stale() {
    let seasons = observe(TODAY + 10 * HOUR + 1_800, daily);
    assert!(expect(&seasons, 11).is_stale);
    let now = seasons.namespaces[usize::from(seasons.places[&11])].since + 10;
    let mut history = History::first(now, 1);
    history.set_namespace(seasons.places[&11]);
    assert!(!seasons.expect(&history, 3.0).is_stale);
}

#[test]
fn traffic_without_rhythm_turns_nothing_on() {
    let steady = observe(6 * 24 * HOUR, |_, random| random.below(40) as u16);
    assert!(!steady.is_on());
    // Busy for some hours, each namespace once; then never again.
    let passing = observe(6 * 24 * HOUR, |time, random| {
        if random.below(2) == 0 { ALWAYS } else { (time / (5 * HOUR)) as u16 + 1 }
    });
    assert!(!passing.is_on());
    // On and off in hours drawn at random.
    let bursts = observe(6 * 24 * HOUR, |time, random| {
        let hour = crate::hash::mix(u64::from(time / HOUR));
        if random.below(2) == 0 { ALWAYS } else { (hour % 5) as u16 + 1 }
    });
    assert!(!bursts.is_on());
}

#[test]
fn a_day_of_the_week_is_known_after_two_weeks() {
    // The favourites' hour is at ten on weekdays, and there is none on two days of the week.
    let weekly = |time: u32, random: &mut Random| {
        let (day, hour) = (time / (24 * HOUR) % 7, time / HOUR % 24);
        if random.below(2) == 0 && day < 5 && hour == 10 { 1 } else { ALWAYS }
    };
    let at = |day: u32| expect(&observe((28 + day) * 24 * HOUR + 9 * HOUR + 3_000, weekly), 1);
    let (workday, weekend) = (at(4).factor, at(5).factor);
    assert!(workday > 4.0 * weekend, "{workday} {weekend}");
}

#[test]
fn without_a_clock_nothing_is_counted() {
    let mut seasons = Seasons::new(NAMESPACES);
    for now in 0..100_000 {
        let access = Access { namespace: 3, ..Access::new(now, 0, 1, now) };
        seasons.reserve(&access);
        assert_eq!(0, seasons.observe(&access, COOLING));
    }
    assert!(seasons.places.is_empty() && !seasons.is_on());
}

#[test]
fn more_namespaces_than_are_tracked_share_one() {
    let mut seasons = Seasons::new(NAMESPACES);
    for namespace in 1..=u16::MAX {
        let access = Access { namespace, time: 5, ..Access::new(1, 0, 1, 1) };
        seasons.reserve(&access);
        seasons.observe(&access, COOLING);
    }
    assert_eq!(NAMESPACES + 1, seasons.namespaces.len());
    assert!(seasons.memory_bytes() < 3 << 20, "{}", seasons.memory_bytes());
}
