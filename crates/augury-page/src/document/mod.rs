//! The page: what is seen and its course, as HTML.
//!
//! One rendering serves everybody: the script asks for the whole page again and exchanges what is marked
//! as `data-live`; without a script it is loaded again. Whatever is focused, opened or scrolled stands
//! outside of those parts. Each chart has its numbers in a table beside it, and what it says in a
//! sentence.

mod figures;
mod tables;

use maud::{DOCTYPE, Markup, html};

use crate::course::Course;
use crate::seen::{Part, Seen};
use crate::text;

/// What the page is like, beside what it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Frame {
    /// Seconds after which it loads itself again without a script, where that was asked for.
    pub every: Option<u32>,
}

/// The sections: their ids and headings.
const SECTIONS: [(&str, &str); 7] = [
    ("now", "At a glance"),
    ("shadows", "Hit ratio against its shadows"),
    ("curve", "What other capacities would give"),
    ("hot", "Keys asked for most"),
    ("big", "Keys that take most"),
    ("prefetch", "Prefetch"),
    ("evictions", "Why the last evictions happened"),
];

/// The page. `has_metrics` where `/metrics` is served beside it.
pub fn page(seen: &Seen, course: &Course, frame: Frame, has_metrics: bool) -> String {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { (seen.name) " – augury" }
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                link rel="icon" type="image/svg+xml" href="/page.svg";
                link rel="stylesheet" href="/page.css";
                @if let Some(every) = frame.every {
                    noscript { meta http-equiv="refresh" content=(every); }
                }
                script src="/page.js" defer {}
            }
            body {
                a.skip href="#main" { "Skip to the numbers" }
                (header(seen, frame))
                main #main tabindex="-1" { (sections(seen, course)) }
                (footer(seen, has_metrics))
            }
        }
    };
    markup.into_string()
}

fn header(seen: &Seen, frame: Frame) -> Markup {
    html! {
        header {
            div.title {
                h1 { (seen.name) }
                p #about data-live {
                    "augury " (seen.version) ", policy " code { (seen.policy) }
                    @if let Some(ruling) = &seen.ruling {
                        ", at present ranking by " code { (ruling) }
                    }
                    ". Counting for " (text::span(seen.now.saturating_sub(seen.since))) "."
                }
            }
            div.updates {
                button #pause type="button" hidden aria-pressed="false" { "Pause updates" }
                p #status role="status" {}
                noscript {
                    p {
                        a href="/" { "Load again" } " or "
                        @match frame.every {
                            Some(_) => a href="/" { "stop loading by itself" },
                            None => a href="/?every=10" { "load again every 10 seconds" },
                        }
                        "; with JavaScript the numbers keep themselves up to date."
                    }
                }
            }
        }
        nav aria-label="Parts of this page" {
            ul { @for (id, heading) in SECTIONS { li { a href={ "#" (id) } { (heading) } } } }
        }
    }
}

fn footer(seen: &Seen, has_metrics: bool) -> Markup {
    html! {
        footer {
            p {
                "As data: " a href="/page.json" { "page.json" }
                @if has_metrics { ", " a href="/metrics" { "metrics for Prometheus" } }
                ". Times and rates are those of the machine of " (seen.name) "."
            }
        }
    }
}

fn sections(seen: &Seen, course: &Course) -> Markup {
    html! {
        @for (id, heading) in SECTIONS {
            section id=(id) aria-labelledby={ (id) "-heading" } {
                h2 id={ (id) "-heading" } { (heading) }
                @match id {
                    "now" => (tables::now(seen, course)),
                    "shadows" => (figures::shadows(seen, course)),
                    "curve" => (figures::curve(seen)),
                    "hot" => (tables::hot(seen)),
                    "big" => (tables::big(seen)),
                    "prefetch" => (tables::prefetch(seen)),
                    _ => (tables::evictions(seen)),
                }
            }
        }
    }
}

/// What is shown of a part, or why it is missing; as one live part, since it may come and go.
fn live<T>(id: &str, part: &Part<T>, show: impl FnOnce(&T) -> Markup) -> Markup {
    html! {
        div id=(id) data-live {
            @match part {
                Part::Shown(it) => (show(it)),
                Part::Missing(why) => p.missing { (why) },
            }
        }
    }
}

/// A key, apart from the text around it: it may be written from right to left.
fn key(shown: &str) -> Markup {
    html! { bdi { code { @if shown.is_empty() { "(empty)" } @else { (shown) } } } }
}

/// A wide table that may be scrolled, by keys too.
fn scrolled(name: &str, table: &Markup) -> Markup {
    html! { div.scroll role="region" aria-label={ "Table: " (name) } tabindex="0" { (table) } }
}

/// A number, or a dash that is read as words.
fn known(text: Option<String>) -> Markup {
    html! {
        @match text {
            Some(text) => (text),
            None => { span aria-hidden="true" { "–" } span.unseen { "not known" } },
        }
    }
}

#[cfg(test)]
mod tests;
