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
    /// Visits the residents among the places `from..to`.
    fn each(&self, from: u32, to: u32, visit: impl FnMut(u32, &History, u32));
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

/// Marks that a window has room for from the start.
const WINDOW_MIN: usize = 8;

/// State of one sweep: hand, queue and window.
#[derive(Debug, Clone)]
pub struct Sweep {
    hand: u32,
    /// Places of the lowest met so far, or [`NONE`].
    queue: [u32; QUEUE],
    window: VecDeque<Mark>,
}

impl Default for Sweep {
    fn default() -> Self {
        Sweep { hand: 0, queue: [NONE; QUEUE], window: VecDeque::with_capacity(WINDOW_MIN) }
    }
}

impl Sweep {
    /// Forgets everything: places have changed their meaning.
    pub fn reset(&mut self) {
        *self = Sweep::default();
    }

    /// A newcomer has come in.
    #[inline]
    pub fn entered(&mut self, place: u32, history: &History, residents: u32) {
        // Twice the window, for those that turn out to have been asked for since.
        if self.window.len() > (2 * (residents / WINDOW_SHARE) as usize).max(WINDOW_MIN - 1) {
            self.window.pop_front();
        }
        self.window.push_back(Mark { place, last: history.last });
    }

    /// Takes a place off the queue: the next to live there is met when the sweep comes round, and
    /// has until then to show itself.
    #[inline]
    fn strike(&mut self, place: u32) {
        self.queue = self.queue.map(|queued| if queued == place { NONE } else { queued });
    }

    /// Scores the queue anew and `looks` further residents; the lowest of both, in order, are the
    /// new queue. An object asked for since it was queued falls out by its new score.
    #[inline]
    fn look<R: Ranking>(&mut self, lens: &Lens<'_>, field: &impl Field, looks: u32) {
        let mut lowest = Lowest([u64::MAX; QUEUE]);
        let score = |(history, size): (&History, u32)| R::score(lens, history, size);
        for place in self.queue {
            // A place that the hand is about to reach is not entered twice.
            if place != NONE
                && place.wrapping_sub(self.hand) >= looks
                && let Some(candidate) = field.candidate(place)
            {
                lowest.offer(place, score(candidate));
            }
        }
        let bound = field.bound();
        let (mut seen, mut passed) = (0, 0);
        while seen < looks && passed < bound {
            self.hand = if self.hand >= bound { 0 } else { self.hand };
            let end = (self.hand + looks - seen).min(bound);
            field.each(self.hand, end, |place, history, size| {
                lowest.offer(place, score((history, size)));
                seen += 1;
            });
            passed += end - self.hand;
            self.hand = end;
        }
        self.queue = lowest.0.map(|key| key as u32);
    }
}

/// The lowest few of what is offered, in order: scores as sortable integers above places, so that
/// keeping order takes minima and maxima and no branch.
struct Lowest([u64; QUEUE]);

impl Lowest {
    #[inline]
    fn offer(&mut self, place: u32, score: f32) {
        let bits = score.to_bits();
        let sortable = bits ^ ((bits as i32 >> 31) as u32 | 1 << 31);
        let mut key = u64::from(sortable) << 32 | u64::from(place);
        for kept in &mut self.0 {
            (*kept, key) = ((*kept).min(key), (*kept).max(key));
        }
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
        let place = sweep.queue[0];
        if let (Some(newcomer), Some(lowest)) = (newcomer, field.candidate(place)) {
            let room = (field.residents() / WINDOW_SHARE) as usize;
            if room == 0 && score(newcomer) < score(lowest) {
                return Choice::Refuse;
            }
            while room > 0 && sweep.window.len() > room {
                let Some(oldest) = sweep.window.pop_front() else { break };
                let candidate = field.candidate(oldest.place);
                let Some(candidate) = candidate.filter(|(history, _)| history.last == oldest.last)
                else {
                    continue;
                };
                if oldest.place != place && score(candidate) < score(lowest) {
                    sweep.strike(oldest.place);
                    return Choice::Leave(oldest.place);
                }
            }
        }
        sweep.strike(place);
        Choice::Leave(place)
    }
}
