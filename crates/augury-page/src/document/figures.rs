//! The two charts: the hit ratio over time, and the miss ratio by capacity.

use maud::{Markup, PreEscaped, html};

use super::{known, live, scrolled};
use crate::charts::{Chart, LINES_MAX, Line, roomy};
use crate::course::{Course, MOMENTS, Moment, STEP_MILLIS};
use crate::seen::{CurvePoint, Expert, Part, Seen, Shadows};
use crate::text;

const OWN: &str = "this cache";
/// Seconds between two rows of the table.
const ROW_SECONDS: u64 = 60;
const ROWS: u64 = 10;

pub(super) fn shadows(seen: &Seen, course: &Course) -> Markup {
    let compared = seen.shadows.shown();
    let lines = followed(compared, course);
    let summary = compared.map_or_else(
        || alone(seen, course),
        |shadows| beside(seen, shadows).unwrap_or_else(|| alone(seen, course)),
    );
    html! {
        @if let Part::Missing(why) = &seen.shadows { p.missing #shadows-off data-live { (why) } }
        figure {
            (picture("course", "course-caption", over_time(&lines)))
            (legend("course-legend", &lines))
            figcaption #course-caption data-live {
                "Share of reads answered, over the last " (ROWS) " minutes. " (summary)
            }
        }
        details {
            summary { "Hit ratio as a table" }
            (scrolled("Hit ratio, minute by minute", &html! {
                table #course-table data-live { (by_minutes(course, &lines)) }
            }))
        }
        @if let Some(shadows) = compared {
            details {
                summary { "All policies compared" }
                (scrolled("All policies compared", &html! {
                    table #shadows-table data-live { (all(shadows)) }
                }))
                p { (shadows.method) }
            }
        }
        details {
            summary { "Rankings that the policy chooses among" }
            (scrolled("Rankings that the policy chooses among", &live("experts", &seen.experts, |it| experts(it))))
        }
    }
}

/// How the cache does, where nothing is compared.
fn alone(seen: &Seen, course: &Course) -> String {
    match (course.latest().and_then(|it| it.hit_ratio), seen.counts.hit_ratio()) {
        (Some(now), Some(all)) => format!(
            "This cache answered {} of the latest reads, {} since counting began.",
            text::percent(now),
            text::percent(all)
        ),
        (None, Some(all)) => {
            format!("No reads just now; {} were answered since counting began.", text::percent(all))
        }
        (_, None) => "Nothing was read yet.".to_owned(),
    }
}

/// How it does beside the others.
fn beside(seen: &Seen, shadows: &Shadows) -> Option<String> {
    let own = shadows.own?;
    let mut parts = vec![format!("Of late this cache answers {}", text::percent(own))];
    let mut others: Vec<_> = shadows
        .others
        .iter()
        .filter(|it| it.name != seen.policy)
        .filter_map(|it| it.hit_ratio.map(|ratio| (it.name.as_str(), ratio)))
        .collect();
    others.sort_by(|one, other| other.1.total_cmp(&one.1));
    let best = others.first().copied();
    let lru = others.iter().find(|(name, _)| *name == "lru").copied();
    let tell = |(name, ratio): (&str, f64)| {
        let ahead = text::points(own - ratio);
        format!("{name} would answer {} (this cache: {ahead})", text::percent(ratio))
    };
    parts.extend(lru.map(tell));
    parts.extend(
        best.filter(|best| Some(*best) != lru)
            .map(|best| format!("the best of the others, {}", tell(best))),
    );
    Some(format!("{}.", parts.join("; ")))
}

/// The lines worth drawing: the cache itself, LRU, and the best of the others.
fn followed(shadows: Option<&Shadows>, course: &Course) -> Vec<Line> {
    let now = course.latest().map_or(0, |it| it.at);
    let line = |name: &str, of: &dyn Fn(&Moment) -> Option<f64>| Line {
        name: name.to_owned(),
        points: course.moments().map(|it| (minutes(it.at, now), of(it))).collect(),
        is_dotted: false,
    };
    let Some(shadows) = shadows.filter(|it| it.own.is_some()) else {
        return vec![line(OWN, &|it| it.hit_ratio)];
    };
    let mut others: Vec<_> = shadows.others.iter().collect();
    let worth =
        |name: &str, ratio: Option<f64>| (name == "lru", ratio.unwrap_or(f64::NEG_INFINITY));
    others.sort_by(|one, other| {
        let (one, other) = (worth(&one.name, one.hit_ratio), worth(&other.name, other.hit_ratio));
        other.0.cmp(&one.0).then(other.1.total_cmp(&one.1))
    });
    let mut lines = vec![line(OWN, &|it| it.own)];
    lines.extend(
        others.iter().take(LINES_MAX - 1).map(|it| line(&it.name, &|at| course.of(&it.name, at))),
    );
    lines
}

fn minutes(at: u64, now: u64) -> f64 {
    -(now.saturating_sub(at) as f64) / 60_000.0
}

fn over_time(lines: &[Line]) -> Option<String> {
    let values = lines.iter().flat_map(|line| line.points.iter().filter_map(|&(_, y)| y));
    let oldest = lines.iter().filter_map(|line| line.points.first()).map(|&(x, _)| x);
    // What is young fills the width too.
    let most = (MOMENTS as u64 * STEP_MILLIS) as f64 / 60_000.0;
    let start = oldest.fold(-1.0, f64::min).max(-most);
    let chart = Chart {
        x: start..0.0,
        y: roomy(values, 0.0..1.0),
        x_name: "minutes ago",
        y_name: "hit ratio",
        x_label: &|x| if x > -0.005 { "now".to_owned() } else { trimmed(-x) },
        y_label: &|y| format!("{:.0}%", y * 100.0),
        x_labels: 6,
        mark: None,
        lines,
    };
    chart.svg()
}

/// A number of minutes without needless digits.
fn trimmed(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A drawing, read as its caption.
fn picture(id: &str, caption: &str, svg: Option<String>) -> Markup {
    html! {
        div.chart id=(id) role="img" aria-labelledby=(caption) data-live {
            @match svg {
                Some(svg) => (PreEscaped(svg)),
                None => "The chart could not be drawn; the numbers are in the table.",
            }
        }
    }
}

/// Which line is which; each has dashes of its own, beside its colour.
fn legend(id: &str, lines: &[Line]) -> Markup {
    html! {
        ul.legend id=(id) aria-label="Lines" data-live {
            @for (at, line) in lines.iter().enumerate() {
                li {
                    svg class="swatch" viewBox="0 0 32 8" width="32" height="8" aria-hidden="true" {
                        line x1="0" y1="4" x2="32" y2="4" stroke={ "#01000" (at + 1) } stroke-width="2" {}
                    }
                    (line.name)
                }
            }
        }
    }
}

fn by_minutes(course: &Course, lines: &[Line]) -> Markup {
    let rows: Vec<(u64, &Moment)> = (0..=ROWS).filter_map(|row| moment(course, row)).collect();
    html! {
        caption { "Hit ratio, minute by minute" }
        thead {
            tr {
                th scope="col" { "Minutes ago" }
                @for line in lines { th scope="col" class="number" { (line.name) } }
                th scope="col" class="number" { "Reads per second" }
            }
        }
        tbody {
            @for (row, at) in rows {
                tr {
                    th scope="row" { @if row == 0 { "now" } @else { (row) } }
                    @for line in lines {
                        @let x = minutes(at.at, course.latest().map_or(0, |it| it.at));
                        @let y = line.points.iter().find(|point| point.0 == x).and_then(|it| it.1);
                        td.number { (known(y.map(text::percent))) }
                    }
                    td.number { (text::short(at.requests_per_second)) }
                }
            }
        }
    }
}

/// The moment so many minutes ago, if it is that far back.
fn moment(course: &Course, row: u64) -> Option<(u64, &Moment)> {
    let wanted = course.latest()?.at.checked_sub(row * ROW_SECONDS * 1_000)?;
    let found = course.moments().rev().find(|it| it.at <= wanted)?;
    (wanted - found.at <= 2 * STEP_MILLIS).then_some((row, found))
}

fn all(shadows: &Shadows) -> Markup {
    html! {
        caption { "Hit ratio of late, of the same reads" }
        thead {
            tr {
                th scope="col" { "Policy" }
                th scope="col" class="number" { "Hit ratio" }
                th scope="col" class="number" { "Against this cache" }
            }
        }
        tbody {
            tr { th scope="row" { (OWN) } td.number { (known(shadows.own.map(text::percent))) } td.number { } }
            @for it in &shadows.others {
                @let ahead = it.hit_ratio.zip(shadows.own).map(|(it, own)| text::points(it - own));
                tr {
                    th scope="row" { (it.name) }
                    td.number { (known(it.hit_ratio.map(text::percent))) }
                    td.number { (known(ahead)) }
                }
            }
        }
    }
}

fn experts(experts: &[Expert]) -> Markup {
    html! {
        table {
            caption { "Rankings, each tried in a small shadow cache of sampled keys" }
            thead {
                tr {
                    th scope="col" { "Ranking" }
                    th scope="col" { "Tried at present" }
                    th scope="col" class="number" { "Hit ratio of its shadow" }
                    th scope="col" class="number" { "Hits lately, of the best" }
                }
            }
            tbody {
                @for it in experts {
                    tr {
                        th scope="row" { (it.name) }
                        td { @if it.live { "yes" } @else { "no" } }
                        td.number { (known(it.hit_ratio.map(text::percent))) }
                        td.number { (text::percent(it.standing)) }
                    }
                }
            }
        }
    }
}

pub(super) fn curve(seen: &Seen) -> Markup {
    let points = match &seen.curve {
        Part::Missing(why) => return html! { p.missing #curve-off data-live { (why) } },
        Part::Shown(points) => points,
    };
    html! {
        figure {
            (picture("curve-chart", "curve-caption", by_capacity(seen, points)))
            (legend("curve-legend", &curve_lines(points, seen.capacity)))
            figcaption #curve-caption data-live {
                "Share of reads that would miss, by capacity; the upright line is the capacity now, "
                (text::size(seen.capacity, seen.unit)) ". "
                (curve_words(seen, points))
            }
        }
        details {
            summary { "Miss ratio as a table" }
            (scrolled("Miss ratio by capacity", &html! {
            table #curve-table data-live {
                caption { "Miss ratio by capacity" }
                thead {
                    tr {
                        th scope="col" { "Capacity" }
                        th scope="col" class="number" { "Miss ratio" }
                        th scope="col" class="number" { "Under LRU" }
                    }
                }
                tbody {
                    @for point in points {
                        tr {
                            th scope="row" {
                                (text::size(point.capacity, seen.unit))
                                @if point.capacity == seen.capacity { " (now)" }
                            }
                            td.number { (known(point.miss_ratio.map(text::percent))) }
                            td.number { (known(point.lru_miss_ratio.map(text::percent))) }
                        }
                    }
                }
            }
        }))
        }
    }
}

/// By multiples of this capacity.
fn curve_lines(points: &[CurvePoint], capacity: u64) -> Vec<Line> {
    let line = |name: &str, of: fn(&CurvePoint) -> Option<f64>| Line {
        name: name.to_owned(),
        points: points
            .iter()
            .filter(|point| of(point).is_some())
            .map(|point| (point.capacity as f64 / capacity.max(1) as f64, of(point)))
            .collect(),
        is_dotted: true,
    };
    vec![line(OWN, |it| it.miss_ratio), line("lru", |it| it.lru_miss_ratio)]
}

/// What doubling and halving would do.
fn curve_words(seen: &Seen, points: &[CurvePoint]) -> String {
    let at = |capacity: u64| {
        points.iter().find(|it| it.capacity.abs_diff(capacity) <= 1).and_then(|it| it.miss_ratio)
    };
    let told = |name: &str, ratio: Option<f64>| {
        ratio.map(|ratio| format!("{name} {} of reads would miss", text::percent(ratio)))
    };
    let parts = [
        told("With half of it", at(seen.capacity / 2)),
        told("as it is", at(seen.capacity)),
        told("with twice as much", at(seen.capacity.saturating_mul(2))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { String::new() } else { format!("{}.", parts.join(", ")) }
}

fn by_capacity(seen: &Seen, points: &[CurvePoint]) -> Option<String> {
    let lines = curve_lines(points, seen.capacity);
    let values = lines.iter().flat_map(|line| line.points.iter().filter_map(|&(_, y)| y));
    let most =
        lines.iter().filter_map(|line| line.points.last()).map(|&(x, _)| x).fold(1.0, f64::max);
    let chart = Chart {
        x: 0.0..most * 1.02,
        y: roomy(values, 0.0..1.0),
        x_name: "capacity, in multiples of what it is",
        y_name: "miss ratio",
        x_label: &|x| format!("{} ×", trimmed(x)),
        y_label: &|y| format!("{:.0}%", y * 100.0),
        x_labels: 6,
        mark: Some(1.0),
        lines: &lines,
    };
    chart.svg()
}
