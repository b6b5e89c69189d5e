//! What a cache was like lately: a bounded ring of moments, fed by whoever serves the page.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::seen::Counts;

/// Moments kept. One every [`STEP_MILLIS`] they reach back ten minutes.
pub const MOMENTS: usize = 300;
/// Milliseconds between two moments.
pub const STEP_MILLIS: u64 = 2_000;
/// Other policies that are followed, at most.
const OTHERS_MAX: usize = 16;

/// What is looked at for the course: cheap enough to be looked at all the time.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct Glance {
    /// When, in milliseconds of Unix time.
    pub at: u64,
    /// The counters.
    pub counts: Counts,
    /// Share of the reads that the cache has hit of late, where others are compared with it.
    pub own: Option<f64>,
    /// And what others would have hit.
    pub others: Vec<(String, Option<f64>)>,
}

/// A moment: what has happened since the one before, and what others would have hit of late.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Moment {
    /// When, in milliseconds of Unix time.
    pub at: u64,
    /// Reads per second.
    pub requests_per_second: f64,
    /// Entries removed for room, per second.
    pub evictions_per_second: f64,
    /// Share of these reads that were answered; none where there were no reads.
    pub hit_ratio: Option<f64>,
    /// See [`Glance::own`].
    pub own: Option<f64>,
    /// What others would have hit of late, in the order of [`Course::names`].
    pub others: Vec<Option<f64>>,
}

/// See the module's head.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Course {
    names: Vec<String>,
    moments: VecDeque<Moment>,
    #[serde(skip)]
    latest: Option<(u64, Counts)>,
}

impl Course {
    /// Notes how it is now. The first glance is what later ones are compared with.
    pub fn note(&mut self, glance: Glance) {
        let Glance { at, counts, own, others } = glance;
        let before = self.latest.replace((at, counts));
        let Some((since, before)) = before.filter(|&(since, _)| at > since) else { return };
        let seconds = (at - since) as f64 / 1_000.0;
        // Counters that were reset have counted from 0.
        let grown = |now: u64, before: u64| now.checked_sub(before).unwrap_or(now);
        let hits = grown(counts.hits, before.hits);
        let requests = hits + grown(counts.misses, before.misses);
        let mut told = vec![None; self.names.len()];
        for (name, hit_ratio) in others {
            let place = self.names.iter().position(|it| *it == name);
            match place {
                Some(at) => told[at] = hit_ratio,
                None if self.names.len() < OTHERS_MAX => {
                    self.names.push(name);
                    told.push(hit_ratio);
                }
                None => {}
            }
        }
        if self.moments.len() == MOMENTS {
            self.moments.pop_front();
        }
        self.moments.push_back(Moment {
            at,
            requests_per_second: requests as f64 / seconds,
            evictions_per_second: grown(counts.evictions, before.evictions) as f64 / seconds,
            hit_ratio: (requests > 0).then(|| hits as f64 / requests as f64),
            own,
            others: told,
        });
    }

    /// The moments, the oldest first.
    pub fn moments(&self) -> impl DoubleEndedIterator<Item = &Moment> + ExactSizeIterator {
        self.moments.iter()
    }

    /// The latest moment.
    pub fn latest(&self) -> Option<&Moment> {
        self.moments.back()
    }

    /// The names of the others.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What an other would have hit at a moment.
    pub fn of(&self, name: &str, moment: &Moment) -> Option<f64> {
        let at = self.names.iter().position(|it| it == name)?;
        moment.others.get(at).copied().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glance(at: u64, hits: u64, misses: u64) -> Glance {
        let counts = Counts { hits, misses, ..Counts::default() };
        Glance { at, counts, ..Glance::default() }
    }

    #[test]
    fn a_moment_is_what_happened_since_the_one_before() {
        let mut course = Course::default();
        course.note(glance(1_000, 100, 100));
        assert_eq!(0, course.moments().len());
        course.note(glance(3_000, 103, 101));
        let moment = course.latest().expect("there were two glances");
        assert_eq!((Some(0.75), 2.0), (moment.hit_ratio, moment.requests_per_second));
        course.note(glance(5_000, 103, 101));
        assert_eq!(None, course.latest().and_then(|it| it.hit_ratio));
        // Counters were reset, and counted to 2 since.
        course.note(glance(7_000, 1, 1));
        assert_eq!(Some(Some(0.5)), course.latest().map(|it| it.hit_ratio));
    }

    #[test]
    fn it_is_bounded_whatever_is_noted() {
        let mut course = Course::default();
        for at in 0..1_000 {
            let others = vec![(format!("policy {at}"), Some(0.5))];
            course.note(Glance { others, ..glance(at * 1_000, at, 0) });
        }
        assert_eq!((MOMENTS, OTHERS_MAX), (course.moments().len(), course.names().len()));
        assert_eq!(Some(999_000), course.latest().map(|it| it.at));
    }

    #[test]
    fn others_are_found_by_name_in_every_moment() {
        let mut course = Course::default();
        let with = |at, name: &str| Glance {
            others: vec![(name.to_owned(), Some(0.25))],
            ..glance(at, 0, 0)
        };
        for it in [with(0, "lru"), with(1, "lru"), with(2, "fifo")] {
            course.note(it);
        }
        let seen: Vec<_> =
            course.moments().map(|it| (course.of("lru", it), course.of("fifo", it))).collect();
        assert_eq!(vec![(Some(0.25), None), (None, Some(0.25))], seen);
    }
}
