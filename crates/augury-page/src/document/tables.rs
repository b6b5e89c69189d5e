//! What is told in numbers and tables.

use maud::{Markup, html};

use super::{key, known, live, scrolled};
use crate::course::Course;
use crate::seen::{BigKey, Eviction, HotKey, Reason, Seen, Unit};
use crate::text;

pub(super) fn now(seen: &Seen, course: &Course) -> Markup {
    let latest = course.latest();
    let counts = &seen.counts;
    let fact = |name: &str, value: Option<String>, note: String| {
        html! { div { dt { (name) } dd { strong { (known(value)) } " " small { (note) } } } }
    };
    let share = (seen.capacity > 0).then(|| seen.used as f64 / seen.capacity as f64);
    html! {
        dl #facts data-live {
            (fact(
                "Hit ratio now",
                latest.and_then(|it| it.hit_ratio).map(text::percent),
                latest.map_or_else(
                    || "measuring".to_owned(),
                    |it| format!("{} reads per second", text::short(it.requests_per_second)),
                ),
            ))
            (fact(
                "Hit ratio since counting began",
                counts.hit_ratio().map(text::percent),
                format!("of {} reads", text::whole(counts.requests())),
            ))
            (fact(
                "Filled",
                share.map(text::percent),
                format!(
                    "{} of {}",
                    text::size(seen.used, seen.unit),
                    text::size(seen.capacity, seen.unit)
                ),
            ))
            (fact("Entries", Some(text::whole(seen.entries)), format!("{} added", text::whole(counts.insertions))))
            (fact(
                "Evictions per second",
                latest.map(|it| text::short(it.evictions_per_second)),
                format!("{} in all", text::whole(counts.evictions)),
            ))
            (fact(
                "Left otherwise",
                Some(text::whole(counts.expired)),
                format!("expired; {} newcomers turned away", text::whole(counts.rejections)),
            ))
        }
    }
}

pub(super) fn hot(seen: &Seen) -> Markup {
    let table = live("hot-part", &seen.hot, |keys| {
        if keys.is_empty() {
            return html! { p.missing { "No key was asked for more than others yet." } };
        }
        let (has_places, has_shares) =
            (keys.iter().any(|it| it.place.is_some()), keys.iter().any(|it| it.share.is_some()));
        let most = keys.iter().filter_map(weight).fold(0.0, f64::max);
        html! {
            table {
                caption { "Keys asked for most, of late" }
                thead {
                    tr {
                        th scope="col" { "Key" }
                        @if has_places { th scope="col" { "Database" } }
                        @if has_shares {
                            th scope="col" class="number" { "Share of reads" }
                            th scope="col" class="number" { "Reads per second" }
                        } @else {
                            th scope="col" class="number" { "Reads remembered" }
                        }
                    }
                }
                tbody { @for it in keys { (hot_row(it, has_places, has_shares, most)) } }
            }
        }
    });
    scrolled("Keys asked for most", &table)
}

fn weight(key: &HotKey) -> Option<f64> {
    key.share.or(key.heat)
}

fn hot_row(it: &HotKey, has_places: bool, has_shares: bool, most: f64) -> Markup {
    let part = weight(it).map_or(0.0, |weight| 100.0 * weight / most.max(f64::MIN_POSITIVE));
    html! {
        tr {
            th scope="row" { (key(&it.key)) (bar(part)) }
            @if has_places { td { (known(it.place.clone())) } }
            @if has_shares {
                td.number { (known(it.share.map(text::percent))) }
                td.number { (known(it.per_second.map(text::short))) }
            } @else {
                td.number { (known(it.heat.map(text::short))) }
            }
        }
    }
}

/// A bar that says by its length what the number beside it says.
fn bar(part: f64) -> Markup {
    html! {
        svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" {
            rect width=(format!("{part:.1}")) height="4" {}
        }
    }
}

pub(super) fn big(seen: &Seen) -> Markup {
    let table = live("big-part", &seen.big, |keys| {
        if keys.is_empty() {
            return html! { p.missing { "There are no entries." } };
        }
        let has_places = keys.iter().any(|it| it.place.is_some());
        let most = keys.iter().map(|it| it.size).max().unwrap_or(1).max(1);
        html! {
            table {
                caption { "Entries that take most, what is kept beside the value counted in" }
                thead {
                    tr {
                        th scope="col" { "Key" }
                        @if has_places { th scope="col" { "Database" } }
                        th scope="col" { "Kind" }
                        th scope="col" class="number" { "Size" }
                    }
                }
                tbody { @for it in keys { (big_row(it, has_places, most, seen.unit)) } }
            }
        }
    });
    scrolled("Keys that take most", &table)
}

fn big_row(it: &BigKey, has_places: bool, most: u64, unit: Unit) -> Markup {
    html! {
        tr {
            th scope="row" { (key(&it.key)) (bar(100.0 * it.size as f64 / most as f64)) }
            @if has_places { td { (known(it.place.clone())) } }
            td { (it.kind) }
            td.number { (text::size(it.size, unit)) }
        }
    }
}

pub(super) fn prefetch(seen: &Seen) -> Markup {
    live("prefetch-part", &seen.prefetch, |it| {
        let accuracy = it.accuracy().map_or_else(
            || "It is not known yet what became of anything fetched ahead.".to_owned(),
            |share| {
                format!(
                    "{} of what was fetched ahead, and whose fate is known, was asked for.",
                    text::percent(share)
                )
            },
        );
        html! {
            p { (accuracy) }
            table {
                caption { "Fetched ahead, and what became of it" }
                thead { tr { th scope="col" { "What" } th scope="col" class="number" { "Keys" } } }
                tbody {
                    @for (what, count) in [
                        ("Fetched ahead", it.issued),
                        ("Asked for since", it.used),
                        ("Never asked for", it.unused),
                        ("Waiting to be asked for", it.waiting),
                    ] {
                        tr { th scope="row" { (what) } td.number { (text::whole(count)) } }
                    }
                }
            }
        }
    })
}

pub(super) fn evictions(seen: &Seen) -> Markup {
    let table = live("evictions-part", &seen.evictions, |all| {
        if all.is_empty() {
            return html! { p.missing { "Nothing had to leave for room since this page was opened." } };
        }
        let has_places = all.iter().any(|it| it.place.is_some());
        html! {
            table {
                caption { "The last evictions, the latest first; ages are in reads of the whole cache" }
                thead {
                    tr {
                        th scope="col" { "Key" }
                        @if has_places { th scope="col" { "Database" } }
                        th scope="col" class="number" { "Size" }
                        th scope="col" { "Why" }
                    }
                }
                tbody { @for it in all { (evicted(it, has_places, seen)) } }
            }
        }
    });
    scrolled("Why the last evictions happened", &table)
}

fn evicted(it: &Eviction, has_places: bool, seen: &Seen) -> Markup {
    html! {
        tr {
            th scope="row" {
                @match &it.key { Some(shown) => (key(shown)), None => "(key not noted)" }
            }
            @if has_places { td { (known(it.place.clone())) } }
            td.number { (known(it.size.map(|size| text::size(size, seen.unit)))) }
            td {
                @match &it.why {
                    Some(reason) => (why(reason)),
                    None => { "The rule of " code { (seen.policy) } ", which keeps no reasons." },
                }
            }
        }
    }
}

/// A score in words. Rankings by the wait until the next request have none for what is not awaited.
fn worth(score: f64) -> String {
    const NEVER: f64 = -1e9;
    if score <= NEVER { "not awaited".to_owned() } else { format!("worth {}", text::short(score)) }
}

/// A reason in words.
fn why(it: &Reason) -> String {
    let times = match it.count {
        0 => "not asked for so far as remembered".to_owned(),
        1 => "asked for once".to_owned(),
        count => format!("asked for {} times", text::whole(count)),
    };
    let mut words = format!(
        "Lowest of {} looked at by {} ({}): {times}, last {} reads before.",
        text::whole(it.looks),
        it.ruling,
        worth(it.score),
        text::whole(it.age)
    );
    if let Some(newcomer) = it.newcomer {
        words.push_str(&format!(" The newcomer was {}.", worth(newcomer)));
    }
    match it.holders.as_deref() {
        None => {}
        Some([]) => words.push_str(" No shadow held it any more."),
        Some(holders) => {
            words.push_str(&format!(" Still held in the shadows of {}.", holders.join(", ")))
        }
    }
    words
}
