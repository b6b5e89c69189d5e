use super::*;
use crate::course::Glance;
use crate::seen::{BigKey, Counts, CurvePoint, Eviction, Expert, HotKey, Prefetch, Reason, Shadow};
use crate::seen::{Shadows, Unit};

const HOSTILE: &str = "</code><script>alert(1)</script>\"'<img src=x onerror=alert(1)>&amp;";

/// A cache of which everything is known, with this key everywhere.
pub(crate) fn seen(key: &str) -> Seen {
    let counts = Counts { hits: 75, misses: 25, ..Counts::default() };
    let shadow = |name: &str, ratio| Shadow { name: name.to_owned(), hit_ratio: ratio };
    let reason = Reason {
        ruling: "blend".to_owned(),
        age: 5_000,
        count: 2,
        score: 0.25,
        newcomer: Some(0.5),
        looks: 12,
        holders: Some(vec!["recency".to_owned()]),
    };
    Seen {
        name: key.to_owned(),
        version: "0.1.0".to_owned(),
        now: 100_000,
        since: 40_000,
        policy: "auto".to_owned(),
        ruling: Some("blend".to_owned()),
        counts,
        unit: Unit::Bytes,
        capacity: 1 << 20,
        used: 1 << 19,
        entries: 1_000,
        shadows: Part::Shown(Shadows {
            own: Some(0.8),
            others: vec![shadow("lru", Some(0.7)), shadow("fifo", Some(0.6)), shadow("lfu", None)],
            method: "By simulation.".to_owned(),
        }),
        experts: Part::Shown(vec![Expert {
            name: "blend".to_owned(),
            live: true,
            standing: 1.0,
            hit_ratio: Some(0.8),
        }]),
        curve: Part::Shown(
            (1..=8)
                .map(|at| CurvePoint {
                    capacity: at << 18,
                    miss_ratio: (at % 2 == 0).then(|| 1.0 / at as f64),
                    lru_miss_ratio: Some(1.2 / (at as f64 + 1.0)),
                })
                .collect(),
        ),
        hot: Part::Shown(vec![HotKey {
            key: key.to_owned(),
            place: Some("0".to_owned()),
            share: Some(0.25),
            per_second: Some(1_234.0),
            heat: None,
        }]),
        big: Part::Shown(vec![BigKey {
            key: key.to_owned(),
            place: Some("0".to_owned()),
            kind: key.to_owned(),
            size: 4_096,
        }]),
        prefetch: Part::Shown(Prefetch { issued: 10, used: 6, unused: 2, waiting: 2 }),
        evictions: Part::Shown(vec![Eviction {
            key: Some(key.to_owned()),
            place: Some("0".to_owned()),
            size: Some(100),
            why: Some(reason),
        }]),
    }
}

fn course() -> Course {
    let mut course = Course::default();
    for step in 0..400u64 {
        let counts = Counts { hits: 3 * step, misses: step, ..Counts::default() };
        let others = vec![("lru".to_owned(), Some(0.7)), ("fifo".to_owned(), Some(0.6))];
        course.note(Glance { at: step * 2_000, counts, own: Some(0.8), others });
    }
    course
}

#[test]
fn everything_is_told_in_words_beside_the_charts() {
    let text = page(&seen("user:42"), &course(), Frame::default(), true);
    for expected in [
        "<title>user:42 – augury</title>",
        "Of late this cache answers 80.0%; lru would answer 70.0% (this cache: +10.0 points).",
        "as it is 25.0% of reads would miss",
        "75.0% of what was fetched ahead",
        "Lowest of 12 looked at by blend (worth 0.25): asked for 2 times, last 5,000 reads before.",
        "Still held in the shadows of recency.",
        "1,234",
        "4.00 KiB",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    assert_eq!(2, text.matches("role=\"img\"").count());
}

#[test]
fn foreign_text_is_no_markup_anywhere() {
    let text = page(&seen(HOSTILE), &course(), Frame::default(), true);
    assert!(!text.contains("<script>alert") && !text.contains("<img"), "{text}");
    // The name stands in the title and the heading.
    assert!(text.matches("&lt;script&gt;alert(1)&lt;/script&gt;").count() >= 6);
    assert!(!text.contains("style="));
}

#[test]
fn what_is_missing_says_why() {
    let mut seen = seen("k");
    seen.shadows = Part::missing("shadows: off");
    seen.experts = Part::missing("experts: off");
    seen.curve = Part::missing("curve: off");
    seen.hot = Part::missing("hot: off");
    seen.big = Part::missing("big: off");
    seen.prefetch = Part::missing("prefetch: off");
    seen.evictions = Part::missing("evictions: off");
    let text = page(&seen, &Course::default(), Frame::default(), false);
    for name in ["shadows", "experts", "curve", "hot", "big", "prefetch", "evictions"] {
        assert!(text.contains(&format!("{name}: off")), "{name}");
    }
    assert!(text.contains("75.0% were answered since counting began"), "{text}");
    assert!(!text.contains("/metrics"));
}

#[test]
fn ids_are_given_once_and_every_live_part_has_one() {
    let text = page(&seen("k"), &course(), Frame::default(), true);
    let mut ids: Vec<&str> =
        text.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(count, ids.len(), "{ids:?}");
    for tag in text.split('<').filter(|tag| tag.contains("data-live")) {
        assert!(tag.split('>').next().is_some_and(|tag| tag.contains(" id=\"")), "{tag}");
    }
}

#[test]
fn it_loads_itself_again_only_where_that_was_asked_for() {
    let with = |every| page(&seen("k"), &Course::default(), Frame { every }, true);
    assert!(with(Some(10)).contains("<noscript><meta http-equiv=\"refresh\" content=\"10\">"));
    assert!(!with(None).contains("http-equiv"));
}
