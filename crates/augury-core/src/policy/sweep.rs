//! Finding a low-ranking resident without a list and without a heap.
//!
//! A hand sweeps over the places of the residents and scores a few of them per eviction; the
//! lowest met so far wait in a short queue and are scored anew each time, so that one falls out
//! if it has been asked for since. Compared with drawing the same number at random for every
//! eviction, nothing found is thrown away, no resident is met twice before all have been met once, and the
//! places read are neighbours in memory. Eight random draws per eviction close 0.37 of the gap
//! between LRU and the bound, sixteen 0.40, sixty-four 0.41; the sweep does with eight what they
//! do with fourteen (docs/decisions/0003). Where residents are many, nobody is looked at while
//! the next in the queue is as low as those that have left lately, and has not been asked for since
//! (docs/decisions/0042).
//!
//! Where newcomers must prove themselves (*admission*), they spend the first hundredth of the
//! cache's population in a window. The oldest of the window then competes with the lowest of the
//! queue, and the lower of the two leaves: Einziger, Eytan, Friedman and Manes, "Adaptive software
//! cache management", Middleware 2018, with any ranking as the judge.

use std::collections::VecDeque;

use crate::history::History;

use super::ranking::{Ranking, WithRanking};
use crate::model::lens::{LANES, Lens};

/// Candidates kept.
const QUEUE: usize = 4;
/// No candidate.
const NONE: u32 = u32::MAX;
/// Sorts behind every candidate.
const NOBODY: u64 = u64::MAX;
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
    /// Asks for the memory of a place that is about to be looked at.
    fn fetch(&self, _place: u32) {}
    /// Visits the residents among the places `from..to`.
    fn each(&self, from: u32, to: u32, visit: impl FnMut(u32, &History, u32));
}

/// A place and the resident's latest access when it was seen: a later one makes it void.
#[derive(Debug, Clone, Copy)]
struct Mark {
    place: u32,
    last: u32,
}

impl Mark {
    /// Of nobody.
    const NOBODY: Mark = Mark { place: NONE, last: 0 };

    /// The resident that was seen, if it has not been asked for since.
    #[inline]
    fn still<'f>(&self, field: &'f impl Field) -> Option<(&'f History, u32)> {
        if self.place == NONE {
            return None;
        }
        field.candidate(self.place).filter(|(history, _)| history.last == self.last)
    }
}

/// A resident that waits to leave, with the score that it had when it was looked at.
#[derive(Debug, Clone, Copy)]
struct Queued {
    mark: Mark,
    score: f32,
}

impl Queued {
    const NOBODY: Queued = Queued { mark: Mark::NOBODY, score: f32::INFINITY };
}

/// What a sweep answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// The resident at this place is to leave.
    Leave(u32),
    /// The newcomer is not to come in.
    Refuse,
}

/// Residents from which on not every decision looks, and those that do look at a third more: with
/// fewer the lowest is seldom met in time.
const MANY: u32 = 1_024;
/// Looks over which the usual score of the lowest is a mean.
const USUAL: f32 = 16.0;
/// Places passed by per decision where residents are few among them: one is enough then.
const FAR: u32 = 1_024;
/// Marks taken from the window per decision: all of a backlog at 100,000 residents.
/// Each may read a slot, so many more would be a pause.
const MARKS: usize = 1_024;
/// Pairs of places asked for before the hand comes to them.
const FETCHED: u32 = 3;
/// Decisions after which the window's next to compete is looked at: its place is asked for so long before.
const WINDOW_AHEAD: usize = 2;
/// Marks that a window has room for from the start.
const WINDOW_MIN: usize = 8;

/// State of one sweep: hand, queue and window.
#[derive(Debug, Clone)]
pub struct Sweep {
    hand: u32,
    /// The lowest met so far, in order.
    queue: [Queued; QUEUE],
    /// The score that the lowest has as a rule when it has been looked for; no number before the
    /// first look.
    usual: f32,
    window: VecDeque<Mark>,
}

impl Default for Sweep {
    fn default() -> Self {
        let window = VecDeque::with_capacity(WINDOW_MIN);
        Sweep { hand: 0, queue: [Queued::NOBODY; QUEUE], usual: f32::NAN, window }
    }
}

impl Sweep {
    /// Forgets everything: places have changed their meaning.
    pub fn reset(&mut self) {
        (self.hand, self.queue, self.usual) = (0, [Queued::NOBODY; QUEUE], f32::NAN);
        self.window.clear();
    }

    /// Asks for the memory that a window of so many residents needs.
    pub fn reserve(&mut self, residents: u32) {
        let most = 2 * (residents / WINDOW_SHARE) as usize + 2;
        self.window.reserve(most.saturating_sub(self.window.len()));
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        self.window.capacity() * size_of::<Mark>()
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

    /// Who is likely to leave next, as things stand.
    #[inline]
    pub fn likely_next(&self) -> Option<u32> {
        // The first of the queue has just been struck off it as a rule.
        self.queue.iter().map(|queued| queued.mark.place).find(|&place| place != NONE)
    }

    /// Takes a place off the queue: the next to live there is met when the sweep comes round, and
    /// has until then to show itself.
    #[inline]
    fn strike(&mut self, place: u32) {
        self.queue = self
            .queue
            .map(|queued| if queued.mark.place == place { Queued::NOBODY } else { queued });
    }

    /// The place of the lowest, as far as the hand has come.
    #[inline]
    fn lowest<R: Ranking>(&mut self, lens: &Lens<'_>, field: &impl Field, looks: u32) -> u32 {
        let is_large = field.residents() >= MANY;
        if is_large
            && let Some(next) = self.queue.iter().find(|queued| queued.mark.still(field).is_some())
            && next.score <= self.usual
        {
            return next.mark.place;
        }
        self.look::<R>(lens, field, if is_large { looks + looks / 3 } else { looks });
        let Queued { mark, score } = self.queue[0];
        self.usual += (score - self.usual) / USUAL;
        if !self.usual.is_finite() {
            self.usual = score;
        }
        mark.place
    }

    /// Scores the queue anew and `looks` further residents; the lowest of both, in order, are the
    /// new queue. An object asked for since it was queued falls out by its new score.
    #[inline]
    fn look<R: Ranking>(&mut self, lens: &Lens<'_>, field: &impl Field, looks: u32) {
        let mut lowest = Lowest([NOBODY; QUEUE]);
        let mut group = Group::default();
        for Queued { mark: Mark { place, .. }, .. } in self.queue {
            // A place that the hand is about to reach is not entered twice.
            if place != NONE
                && place.wrapping_sub(self.hand) >= looks
                && let Some((history, size)) = field.candidate(place)
            {
                group.add::<R>(place, history, size, lens, &mut lowest);
            }
        }
        let bound = field.bound();
        let (mut seen, mut passed) = (0, 0);
        while seen < looks
            && passed < bound
            && (passed < FAR || group.is_empty() && lowest.is_empty())
        {
            self.hand = if self.hand >= bound { 0 } else { self.hand };
            let end = (self.hand + looks - seen).min(bound);
            field.each(self.hand, end, |place, history, size| {
                group.add::<R>(place, history, size, lens, &mut lowest);
                seen += 1;
            });
            passed += end - self.hand;
            self.hand = end;
        }
        group.score::<R>(lens, &mut lowest);
        // Where the next decision begins; what follows the processor foresees.
        (0..FETCHED).for_each(|further| field.fetch(self.hand + 2 * further));
        self.queue = lowest.0.map(|key| match key as u32 {
            NONE => Queued::NOBODY,
            place => {
                let last = field.candidate(place).map_or(0, |(history, _)| history.last);
                Queued { mark: Mark { place, last }, score: score_of(key) }
            }
        });
    }
}

/// Candidates that are scored together, by the arithmetic of vectors.
#[derive(Default)]
struct Group {
    len: usize,
    places: [u32; GROUP],
    histories: [History; GROUP],
    sizes: [u32; GROUP],
}

/// Candidates in a group.
const GROUP: usize = LANES;

impl Group {
    fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline(always)]
    fn add<R: Ranking>(
        &mut self,
        place: u32,
        history: &History,
        size: u32,
        lens: &Lens<'_>,
        lowest: &mut Lowest,
    ) {
        let at = self.len % GROUP;
        (self.places[at], self.histories[at], self.sizes[at]) = (place, *history, size);
        self.len += 1;
        if self.len == GROUP {
            self.score::<R>(lens, lowest);
        }
    }

    /// Offers what is in the group, which is empty afterwards.
    #[inline(always)]
    fn score<R: Ranking>(&mut self, lens: &Lens<'_>, lowest: &mut Lowest) {
        let mut scores = [0.0; GROUP];
        if self.len == GROUP {
            scores = R::scores(lens, &self.histories, &self.sizes);
        } else {
            let some = self.histories.iter().zip(self.sizes).take(self.len);
            for (score, (history, size)) in scores.iter_mut().zip(some) {
                *score = R::score(lens, history, size);
            }
        }
        if let Some(costs) = lens.costs {
            for (score, history) in scores.iter_mut().zip(&self.histories) {
                *score = costs.weigh(*score, history);
            }
        }
        let mut keys = [NOBODY; GROUP];
        for (at, key) in keys.iter_mut().enumerate().take(self.len) {
            *key = key_of(self.places[at], scores[at]);
        }
        self.len = 0;
        // As a rule nobody is: the queue has the lowest of many groups.
        let least = keys[0].min(keys[1]).min(keys[2].min(keys[3]));
        if least < lowest.0[QUEUE - 1] {
            keys.into_iter().for_each(|key| lowest.offer(key));
        }
    }
}

/// The lowest few of what is offered, in order: scores as sortable integers above places, so that
/// keeping order takes minima and maxima and no branch.
struct Lowest([u64; QUEUE]);

impl Lowest {
    fn is_empty(&self) -> bool {
        self.0[0] == NOBODY
    }

    #[inline(always)]
    fn offer(&mut self, mut key: u64) {
        for kept in &mut self.0 {
            (*kept, key) = ((*kept).min(key), (*kept).max(key));
        }
    }
}

/// Sorts by score, then by place.
#[inline(always)]
fn key_of(place: u32, score: f32) -> u64 {
    let bits = score.to_bits();
    let sortable = bits ^ ((bits as i32 >> 31) as u32 | 1 << 31);
    u64::from(sortable) << 32 | u64::from(place)
}

/// The score in a key.
#[inline(always)]
fn score_of(key: u64) -> f32 {
    let sortable = (key >> 32) as u32;
    f32::from_bits(if sortable >> 31 == 1 { sortable ^ 1 << 31 } else { !sortable })
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
        let score =
            |(history, size): (&History, u32)| lens.weigh(R::score(&lens, history, size), history);
        let place = sweep.lowest::<R>(&lens, field, looks);
        if let (Some(newcomer), Some(lowest)) = (newcomer, field.candidate(place)) {
            let room = (field.residents() / WINDOW_SHARE) as usize;
            if room == 0 && score(newcomer) < score(lowest) {
                return Choice::Refuse;
            }
            for _ in 0..MARKS {
                if room == 0 || sweep.window.len() <= room {
                    break;
                }
                let Some(oldest) = sweep.window.pop_front() else { break };
                if let Some(later) = sweep.window.get(WINDOW_AHEAD) {
                    field.fetch(later.place);
                }
                let Some(candidate) = oldest.still(field) else { continue };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::survival::Survival;
    use crate::policy::ranking::RankingId;
    use std::cell::Cell;

    /// Places with or without a resident, and how many were looked at.
    struct Places(Vec<Option<History>>, Cell<u32>);

    impl Places {
        fn new(count: u32, last: impl Fn(u32) -> Option<u32>) -> Self {
            Places((0..count).map(|at| Some(History::first(last(at)?, 1))).collect(), Cell::new(0))
        }
    }

    impl Field for Places {
        fn bound(&self) -> u32 {
            self.0.len() as u32
        }

        fn residents(&self) -> u32 {
            self.0.iter().flatten().count() as u32
        }

        fn candidate(&self, place: u32) -> Option<(&History, u32)> {
            self.0[place as usize].as_ref().map(|history| (history, 1))
        }

        fn each(&self, from: u32, to: u32, mut visit: impl FnMut(u32, &History, u32)) {
            self.1.set(self.1.get() + to - from);
            for place in from..to {
                if let Some((history, size)) = self.candidate(place) {
                    visit(place, history, size);
                }
            }
        }
    }

    fn decide(sweep: &mut Sweep, field: &Places, newcomer: Option<&History>) -> Choice {
        let model = Survival::new(100, 0);
        let lens = Lens::new(1_000_000, &model, 0.001);
        let newcomer = newcomer.map(|history| (history, 1));
        RankingId::Recency.with(Decide { lens, field, sweep, looks: 12, newcomer })
    }

    #[test]
    fn the_lowest_of_a_small_field_is_found_each_time() {
        let mut field = Places::new(11, |at| Some(at * 7 % 11));
        let mut sweep = Sweep::default();
        for last in 0..11 {
            let Choice::Leave(place) = decide(&mut sweep, &field, None) else { unreachable!() };
            assert_eq!(Some(last), field.0[place as usize].map(|history| history.last));
            field.0[place as usize] = None;
        }
    }

    #[test]
    fn a_queued_place_that_was_asked_for_since_stays() {
        let mut field = Places::new(100, |at| Some(1_000 + at));
        let mut sweep = Sweep::default();
        assert_eq!(Choice::Leave(0), decide(&mut sweep, &field, None));
        field.0[0] = None;
        field.0[1] = Some(History::first(999_999, 1));
        assert_eq!(Choice::Leave(2), decide(&mut sweep, &field, None));
    }

    #[test]
    fn a_struck_place_is_not_queued() {
        let field = Places::new(100, |at| Some(1_000 + at));
        let mut sweep = Sweep::default();
        let Choice::Leave(place) = decide(&mut sweep, &field, None) else { unreachable!() };
        assert!(sweep.queue.iter().all(|queued| queued.mark.place != place));
    }

    /// A decision that takes its resident out: its place, and how many were looked at.
    fn leaving(sweep: &mut Sweep, field: &mut Places) -> (u32, u32) {
        let before = field.1.get();
        let Choice::Leave(place) = decide(sweep, field, None) else { unreachable!() };
        field.0[place as usize] = None;
        (place, field.1.get() - before)
    }

    #[test]
    fn in_a_large_field_nobody_is_looked_at_while_the_next_is_as_low_as_usual() {
        let alike = |count| (Places::new(count, |_| Some(1_000)), Sweep::default());
        let (mut field, mut sweep) = alike(MANY + 5);
        let left: Vec<_> = (0..6).map(|_| leaving(&mut sweep, &mut field)).collect();
        assert_eq!(vec![(0, 16), (1, 0), (2, 0), (3, 0), (16, 16), (17, 0)], left);
        // With 1,023 residents left.
        assert_eq!(12, leaving(&mut sweep, &mut field).1);
        let (mut field, mut sweep) = alike(MANY - 1);
        let left: Vec<_> = (0..2).map(|_| leaving(&mut sweep, &mut field).1).collect();
        assert_eq!(vec![12, 12], left);
    }

    #[test]
    fn a_large_field_is_looked_at_while_the_next_is_not_as_low_as_usual() {
        let mut field = Places::new(MANY + 9, |at| Some(1_000 + at));
        let mut sweep = Sweep::default();
        let left: Vec<_> = (0..4).map(|_| leaving(&mut sweep, &mut field)).collect();
        assert_eq!(vec![(0, 16), (1, 16), (2, 16), (3, 16)], left);
    }

    #[test]
    fn who_was_asked_for_since_or_is_gone_is_passed_over() {
        let field = || Places::new(MANY + 9, |_| Some(1_000));
        let (mut some, mut sweep) = (field(), Sweep::default());
        assert_eq!((0, 16), leaving(&mut sweep, &mut some));
        some.0[1] = Some(History::first(999_999, 1));
        some.0[2] = None;
        assert_eq!((3, 0), leaving(&mut sweep, &mut some));
        let (mut none, mut sweep) = (field(), Sweep::default());
        assert_eq!((0, 16), leaving(&mut sweep, &mut none));
        (1..4).for_each(|at| none.0[at] = None);
        assert_eq!((16, 16), leaving(&mut sweep, &mut none));
    }

    #[test]
    fn without_a_window_the_newcomer_competes_itself() {
        let field = Places::new(50, |at| Some(1_000 + at));
        let older = History::first(10, 1);
        assert_eq!(Choice::Refuse, decide(&mut Sweep::default(), &field, Some(&older)));
        let newer = History::first(5_000, 1);
        assert!(matches!(decide(&mut Sweep::default(), &field, Some(&newer)), Choice::Leave(_)));
    }

    #[test]
    fn the_oldest_of_the_window_competes_and_stale_marks_do_not() {
        let field = Places::new(200, |at| Some(if at == 150 { 5 } else { 1_000 + at }));
        let newcomer = History::first(999, 1);
        let enter = |sweep: &mut Sweep, place: u32, last: u32| {
            sweep.entered(place, &History::first(last, 1), 200);
        };
        let mut sweep = Sweep::default();
        // Places 20, 150 and 30 came in; the mark of the first is older than its latest access.
        enter(&mut sweep, 20, 7);
        enter(&mut sweep, 150, 5);
        enter(&mut sweep, 30, 1_030);
        enter(&mut sweep, 31, 1_031);
        assert_eq!(Choice::Leave(150), decide(&mut sweep, &field, Some(&newcomer)));
        assert_eq!(2, sweep.window.len());
    }

    #[test]
    fn few_residents_among_many_places_cost_a_bounded_walk() {
        let field = Places::new(1_000_000, |at| (at % 10_000 == 0).then_some(1_000 + at));
        let mut sweep = Sweep::default();
        for _ in 0..100 {
            let before = field.1.get();
            let Choice::Leave(place) = decide(&mut sweep, &field, None) else { unreachable!() };
            assert!(field.candidate(place).is_some());
            assert!(field.1.get() - before <= 10_000 + FAR, "{}", field.1.get() - before);
        }
    }

    #[test]
    fn a_long_window_is_worked_off_in_steps() {
        let field = Places::new(2_000, |at| Some(1_000 + at));
        let mut sweep = Sweep::default();
        (0..2_000).for_each(|place| sweep.window.push_back(Mark { place, last: 0 }));
        decide(&mut sweep, &field, Some(&History::first(5, 1)));
        assert_eq!(2_000 - MARKS, sweep.window.len());
    }
}
