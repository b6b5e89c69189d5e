//! Finding a low-ranking resident without a list and without a heap.
//!
//! A hand sweeps over the places of the residents and scores a few of them per eviction; the
//! LOWEST
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
const QUEUE: usize = 4;
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

/// State of one sweep: hand, queue and window.
#[derive(Debug, Clone)]
pub struct Sweep {
    hand: u32,
    /// The lowest met so far, lowest first.
    queue: [Mark; QUEUE],
    queued: usize,
    window: VecDeque<Mark>,
}

const NOBODY: Mark = Mark { place: NONE, last: 0 };

impl Default for Sweep {
    fn default() -> Self {
        Sweep { hand: 0, queue: [NOBODY; QUEUE], queued: 0, window: VecDeque::new() }
    }
}

impl Sweep {
    /// Forgets the window: places have changed their meaning.
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

    /// Scores the queue anew and `looks` further residents; the lowest of both are the new queue.
    #[inline]
    fn look<R: Ranking>(&mut self, lens: &Lens<'_>, field: &impl Field, looks: u32) {
        let mut best = Best { scores: [f32::INFINITY; QUEUE], marks: [NOBODY; QUEUE], len: 0 };
        let first = self.hand;
        for mark in &self.queue[..self.queued] {
            // A place that the hand is about to reach is not entered twice.
            if mark.place.wrapping_sub(first) >= looks {
                if let Some((history, size)) = field.candidate(mark.place) {
                    if history.last == mark.last {
                        best.offer(*mark, R::score(lens, history, size));
                    }
                }
            }
        }
        let bound = field.bound();
        let mut left = looks;
        for _ in 0..bound {
            self.hand = if self.hand >= bound { 0 } else { self.hand };
            let place = self.hand;
            self.hand += 1;
            let Some((history, size)) = field.candidate(place) else { continue };
            best.offer(Mark { place, last: history.last }, R::score(lens, history, size));
            left -= 1;
            if left == 0 {
                break;
            }
        }
        (self.queue, self.queued) = (best.marks, best.len);
    }
}

/// The lowest few of what is offered, in order.
struct Best {
    scores: [f32; QUEUE],
    marks: [Mark; QUEUE],
    len: usize,
}

impl Best {
    #[inline]
    fn offer(&mut self, mark: Mark, score: f32) {
        if self.len == QUEUE && score >= self.scores[QUEUE - 1] {
            return;
        }
        let mut at = if self.len < QUEUE { self.len } else { QUEUE - 1 };
        self.len = at + 1;
        while at > 0 && score < self.scores[at - 1] {
            (self.scores[at], self.marks[at]) = (self.scores[at - 1], self.marks[at - 1]);
            at -= 1;
        }
        (self.scores[at], self.marks[at]) = (score, mark);
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
        sweep.look::<R>(&lens, field, looks);
        let mark = sweep.queue[0];
        let fresh = |mark: Mark| {
            field.candidate(mark.place).filter(|(history, _)| history.last == mark.last)
        };
        if let (Some(newcomer), Some(lowest)) = (newcomer, fresh(mark)) {
            let room = (field.residents() / WINDOW_SHARE) as usize;
            if room == 0 && score(newcomer) < score(lowest) {
                return Choice::Refuse;
            }
            while room > 0 && sweep.window.len() > room {
                let Some(oldest) = sweep.window.pop_front() else { break };
                let Some(candidate) = fresh(oldest) else { continue };
                if oldest.place != mark.place && score(candidate) < score(lowest) {
                    return Choice::Leave(oldest.place);
                }
            }
        }
        sweep.queue.copy_within(1.., 0);
        sweep.queued -= 1;
        Choice::Leave(mark.place)
    }
}
