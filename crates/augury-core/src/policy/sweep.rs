//! Finding a low-ranking resident without a list and without a heap.
//!
//! A hand sweeps over the places of the residents and scores a few of them per eviction; the
//! lowest it has met wait in a small pool. An eviction takes the lowest of the pool that has not
//! been asked for since. Compared with drawing the same number at random for every eviction,
//! nothing found is thrown away, no resident is met twice before all have been met once, and the
//! places read are neighbours in memory. Eight random draws per eviction close 0.37 of the gap
//! between LRU and the bound, sixteen 0.40, sixty-four 0.41; the sweep does with eight what they
//! do with fourteen (docs/decisions/0003).
//!
//! Where newcomers must prove themselves (*admission*), they spend the first hundredth of the
//! cache's population in a window. The oldest of the window then competes with the lowest of the
//! pool, and the lower of the two leaves: Einziger, Eytan, Friedman and Manes, "Adaptive software
//! cache management", Middleware 2018, with any ranking as the judge.

use std::collections::VecDeque;

use crate::history::History;

use super::ranking::{Lens, Ranking, WithRanking};

/// Candidates kept.
const POOL: usize = 16;
/// No candidate.
const NONE: u32 = u32::MAX;
/// Share of the residents that the window holds.
const WINDOW_SHARE: u32 = 100;

/// Residents by place, as a sweep sees them.
pub trait Field {
    /// Places are `0..bound()`.
    fn bound(&self) -> u32;
    /// Number of residents; at least one where a victim is asked for.
    fn residents(&self) -> u32;
    /// History and size of the resident at this place, if there is one.
    fn candidate(&self, place: u32) -> Option<(&History, u32)>;
}

/// A place and the resident's latest access when it was seen: a later one makes it void.
#[derive(Debug, Clone, Copy)]
struct Mark {
    place: u32,
    last: u32,
}

/// What a sweep answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// The resident at this place is to leave.
    Leave(u32),
    /// The newcomer is not to come in.
    Refuse,
}

/// State of one sweep: hand, pool and window.
#[derive(Debug, Clone)]
pub struct Sweep {
    hand: u32,
    scores: [f32; POOL],
    marks: [Mark; POOL],
    /// The highest score in a full pool: what a further candidate has to undercut.
    bar: f32,
    window: VecDeque<Mark>,
}

impl Default for Sweep {
    fn default() -> Self {
        Sweep {
            hand: 0,
            scores: [f32::INFINITY; POOL],
            marks: [Mark { place: NONE, last: 0 }; POOL],
            bar: f32::INFINITY,
            window: VecDeque::new(),
        }
    }
}

impl Sweep {
    /// Forgets the candidates, whose scores mean nothing under another ranking.
    pub fn clear(&mut self) {
        let window = std::mem::take(&mut self.window);
        *self = Sweep { hand: self.hand, window, ..Sweep::default() };
    }

    /// Forgets the window too: places have changed their meaning.
    pub fn reset(&mut self) {
        *self = Sweep::default();
    }

    /// A newcomer has come in.
    #[inline]
    pub fn entered(&mut self, place: u32, history: &History, residents: u32) {
        self.window.push_back(Mark { place, last: history.last });
        if self.window.len() > 2 * (residents / WINDOW_SHARE) as usize + 2 {
            self.window.pop_front();
        }
    }

    #[inline]
    fn offer(&mut self, place: u32, last: u32, score: f32) {
        if score < self.bar {
            self.keep(Mark { place, last }, score);
        }
    }

    /// Puts a candidate in the stead of itself, of an empty place, or of the highest.
    fn keep(&mut self, mark: Mark, score: f32) {
        let mut at = 0;
        for other in 1..POOL {
            if self.scores[other] > self.scores[at] {
                at = other;
            }
        }
        if let Some(same) = self.marks.iter().position(|known| known.place == mark.place) {
            at = same;
        }
        (self.marks[at], self.scores[at]) = (mark, score);
        self.bar = self.scores.iter().fold(f32::NEG_INFINITY, |high, &score| high.max(score));
    }

    fn lowest(&self) -> usize {
        let mut at = 0;
        for other in 1..POOL {
            if self.scores[other] < self.scores[at] {
                at = other;
            }
        }
        at
    }

    fn release(&mut self, at: usize) {
        self.marks[at].place = NONE;
        self.scores[at] = f32::INFINITY;
        self.bar = f32::INFINITY;
    }
}

/// One decision of a sweep, waiting for its ranking.
pub struct Decide<'a, F> {
    /// What rankings may read.
    pub lens: Lens<'a>,
    /// The residents.
    pub field: &'a F,
    /// The sweep.
    pub sweep: &'a mut Sweep,
    /// Residents scored per decision.
    pub looks: u32,
    /// The newcomer, where it has to prove itself.
    pub newcomer: Option<(&'a History, u32)>,
}

impl<F: Field> WithRanking for Decide<'_, F> {
    type Output = Choice;

    #[inline]
    fn with<R: Ranking>(self) -> Choice {
        let Decide { lens, field, sweep, looks, newcomer } = self;
        let score = |(history, size): (&History, u32)| R::score(&lens, history, size);
        let fresh = |mark: Mark| {
            field.candidate(mark.place).filter(|(history, _)| history.last == mark.last)
        };
        loop {
            let bound = field.bound();
            let mut left = looks;
            for _ in 0..bound {
                if left == 0 {
                    break;
                }
                sweep.hand = if sweep.hand >= bound { 0 } else { sweep.hand };
                let place = sweep.hand;
                sweep.hand += 1;
                if let Some(candidate) = field.candidate(place) {
                    left -= 1;
                    sweep.offer(place, candidate.0.last, score(candidate));
                }
            }
            let at = sweep.lowest();
            let mark = sweep.marks[at];
            let Some(lowest) = fresh(mark) else {
                // Asked for since, or gone. With all candidates void, look further.
                sweep.release(at);
                continue;
            };
            if let Some(newcomer) = newcomer {
                let room = field.residents() / WINDOW_SHARE;
                if room == 0 && score(newcomer) < score(lowest) {
                    return Choice::Refuse;
                }
                while sweep.window.len() > room as usize && room > 0 {
                    let Some(oldest) = sweep.window.pop_front() else { break };
                    let Some(candidate) = fresh(oldest) else { continue };
                    if oldest.place != mark.place && score(candidate) < score(lowest) {
                        return Choice::Leave(oldest.place);
                    }
                }
            }
            sweep.release(at);
            return Choice::Leave(mark.place);
        }
    }
}
