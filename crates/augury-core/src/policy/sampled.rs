//! A cache without lists: one record per object, and a sweep that finds who ranks lowest.
//!
//! A hit updates one record; an eviction scores a few of them. Which ranking decides, and
//! whether newcomers must prove themselves, is up to a [`Chooser`]: always the same expert, or
//! the guard's choice. Psounis and Prabhakar, "A randomized web-cache replacement scheme",
//! INFOCOM 2001, for how few looks suffice.

use std::sync::Arc;

use crate::history::{History, SavedHistory};
use crate::metrics::RemovalCause;
use crate::model::costs::Costs;
use crate::model::features;
use crate::model::lens::Lens;
use crate::model::predictor::Predictor;
use crate::request::{Access, Tick};
use crate::sampler::Sampler;
use crate::saved::{Reader, SavedError, VERSION, Writer};
use crate::slots::{SlotId, Slots};

use super::explanation::{Explanation, Opinion, Standing};
use super::forecast::{Forecast, Prediction, Shadowing};
use super::journal::{Act, Decision, Journal};
use super::learner::Learner;
use super::ranking::{Ranking, RankingId, WithRanking};
use super::sweep::{Choice, Decide, Field, Sweep};
use super::{Policy, Verdict};

/// A ranking, and whether newcomers have to prove themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Expert {
    /// Who leaves first.
    pub ranking: RankingId,
    /// Whether a newcomer that ranks below the lowest resident leaves in its stead.
    pub admission: bool,
}

impl Expert {
    /// The expert's name: its ranking's, with a + where newcomers have to prove themselves.
    pub const fn name(self) -> &'static str {
        if self.admission { self.ranking.name_with_admission() } else { self.ranking.name() }
    }
}

/// Who decides which expert rules.
pub trait Chooser: Send {
    /// The expert that rules now.
    fn ruling(&self) -> Expert;
    /// The capacity has become known or has changed.
    fn set_capacity(&mut self, capacity: u64);
    /// A trained model has been loaded, exchanged or let go of.
    fn set_learned(&mut self, _predictor: Option<&Predictor>) {}
    /// The loaded model deserves a trial now, if it is not on trial or ruling already.
    fn try_learned(&mut self) {}
    /// A miss is about to be observed: the time to ask for memory, so that hits need none.
    fn reserve(&mut self) {}
    /// Experts whose shadow holds an object, a bit each in the order of [`Chooser::opinions`];
    /// none where it is not in the sampled traffic, or nothing is sampled.
    fn holders(&self, _hash: u64) -> Option<u32> {
        None
    }
    /// What each expert makes of an object.
    fn opinions(&self, _hash: u64) -> Vec<Opinion> {
        let (expert, is_live) = (self.ruling(), true);
        vec![Opinion { expert, is_live, standing: 1.0, holds: None }]
    }
    /// How the experts' shadows do, where there are any.
    fn shadowing(&self) -> Option<Shadowing> {
        None
    }
    /// An access was recorded: the object's history after it.
    fn observe(&mut self, access: &Access, history: &History, learner: &Learner);
    /// Writes who rules, and on what evidence.
    fn save(&self, _to: &mut Writer) {}
    /// Takes over what [`Chooser::save`] of the same kind wrote; what another wrote is ignored.
    ///
    /// # Errors
    /// It is damaged; nothing has changed.
    fn restore(&mut self, _from: &mut Reader<'_>) -> Result<(), SavedError> {
        Ok(())
    }
    /// Bytes held.
    fn memory_bytes(&self) -> usize;
}

/// The same expert for ever.
#[derive(Debug, Clone, Copy)]
pub struct Fixed(pub Expert);

impl Chooser for Fixed {
    #[inline]
    fn ruling(&self) -> Expert {
        self.0
    }

    fn set_capacity(&mut self, _capacity: u64) {}

    #[inline]
    fn observe(&mut self, _: &Access, _: &History, _: &Learner) {}

    fn memory_bytes(&self) -> usize {
        0
    }
}

/// See the module's head.
#[derive(Debug)]
pub struct Sampled<C> {
    chooser: C,
    learner: Learner,
    sweep: Sweep,
    journal: Journal,
    seed: u64,
    is_started: bool,
}

/// Residents that an explanation compares with, at most.
const COMPARED: u32 = 1_024;

/// One score, waiting for its ranking.
struct Score<'a> {
    lens: Lens<'a>,
    history: &'a History,
    size: u32,
}

impl WithRanking for Score<'_> {
    type Output = f32;

    fn with<R: Ranking>(self) -> f32 {
        self.lens.weigh(R::score(&self.lens, self.history, self.size), self.history)
    }
}

impl<C: Chooser> Sampled<C> {
    /// A policy under this chooser.
    pub fn with_chooser(seed: u64, chooser: C) -> Self {
        let learner = Learner::new(seed, 1);
        let (sweep, journal) = (Sweep::default(), Journal::default());
        Sampled { chooser, learner, sweep, journal, seed, is_started: false }
    }

    /// The same without seasons: what they are worth is measured against it.
    pub fn without_seasons(mut self) -> Self {
        self.learner.enable_seasons(false);
        self
    }

    /// The chooser.
    pub fn chooser(&self) -> &C {
        &self.chooser
    }

    /// What has been learned.
    pub fn learner(&self) -> &Learner {
        &self.learner
    }

    /// The decisions that are remembered.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    fn score(&self, history: &History, size: u32, now: Tick) -> f32 {
        let lens = self.learner.lens(now);
        self.chooser.ruling().ranking.with(Score { lens, history, size })
    }

    /// Writes down what is about to happen, and from what.
    #[cold]
    fn note(
        &mut self,
        slots: &Slots<History>,
        verdict: Verdict,
        incoming: Option<&Access>,
        now: Tick,
    ) {
        let newcomer = *self.learner.newcomer();
        let (act, hash, size, history) = match (verdict, incoming) {
            (Verdict::Evict(id), _) => {
                (Act::Evicted, slots.hash(id), slots.size(id), *slots.record(id))
            }
            (Verdict::Reject, Some(access)) => (Act::Rejected, access.hash, access.size, newcomer),
            (Verdict::Reject, None) => return,
        };
        self.journal.add(Decision {
            tick: now,
            hash,
            size,
            act,
            history,
            expert: self.chooser.ruling(),
            score: self.score(&history, size, now),
            newcomer: incoming.map(|access| self.score(&newcomer, access.size, now)),
            looks: self.learner.looks().min(slots.live()),
            holders: self.chooser.holders(hash),
        });
    }

    /// A resident's place, compared with up to a thousand others, spread over all.
    fn standing(&self, slots: &Slots<History>, id: SlotId, now: Tick) -> Standing {
        let (history, size) = (*slots.record(id), slots.size(id));
        let score = self.score(&history, size, now);
        let step = (slots.bound() / COMPARED).max(1) as usize;
        let (mut compared, mut below) = (0, 0);
        for other in (0..slots.bound()).step_by(step).filter(|&other| other != id) {
            if let Some((history, size)) = slots.candidate(other) {
                compared += 1;
                below += u32::from(self.score(history, size, now) < score);
            }
        }
        let lens = self.learner.lens(now);
        Standing {
            history,
            size,
            score,
            density: lens.model.density(history.class(), history.age(lens.now)),
            prediction: lens
                .predictor
                .map(|predictor| predictor.predict(&features::row(&lens, &history, size))),
            compared,
            below,
        }
    }
}

impl Field for Slots<History> {
    #[inline]
    fn bound(&self) -> u32 {
        Slots::bound(self)
    }

    #[inline]
    fn residents(&self) -> u32 {
        self.live()
    }

    #[inline]
    fn candidate(&self, place: u32) -> Option<(&History, u32)> {
        Slots::candidate(self, place)
    }

    #[inline]
    fn fetch(&self, place: u32) {
        Slots::fetch(self, place);
    }

    #[inline]
    fn each(&self, from: u32, to: u32, mut visit: impl FnMut(u32, &History, u32)) {
        self.each_live(from, to, |place, history, size| visit(place, history, size));
    }
}

impl<C: Chooser> Policy for Sampled<C> {
    type Record = History;

    fn set_capacity(&mut self, capacity: u64) {
        if self.is_started {
            self.learner.resize(capacity);
        } else {
            let fresh = Learner::new(self.seed, capacity);
            let before = std::mem::replace(&mut self.learner, fresh);
            self.learner.set_predictor(before.predictor().cloned());
            self.learner.enable_seasons(before.seasons().is_enabled());
            self.learner.set_costs(before.costs().cloned());
        }
        self.chooser.set_capacity(capacity);
    }

    fn set_predictor(&mut self, predictor: Option<Arc<Predictor>>) {
        self.chooser.set_learned(predictor.as_deref());
        self.learner.set_predictor(predictor);
    }

    fn set_costs(&mut self, costs: Option<Costs>) {
        self.learner.set_costs(costs);
    }

    fn renew_predictor(&mut self, predictor: Arc<Predictor>) {
        if self.learner.predictor().is_none() {
            self.chooser.set_learned(Some(&predictor));
        }
        self.learner.set_predictor(Some(predictor));
        self.chooser.try_learned();
    }

    fn hear(
        &mut self,
        slots: &mut Slots<History>,
        hash: u64,
        id: Option<SlotId>,
        heat: f32,
        now: Tick,
    ) -> bool {
        match id {
            Some(id) => self.learner.heard(slots.record_mut(id), heat, now),
            None => return self.learner.heard_of_ghost(hash, heat, now),
        }
        true
    }

    fn save(&self, now: Tick) -> Option<Vec<u8>> {
        let mut to = Writer::default();
        to.u8(VERSION);
        self.learner.save(&mut to, now);
        self.chooser.save(&mut to);
        Some(to.finish())
    }

    fn restore(&mut self, saved: &[u8], now: Tick) -> Result<(), SavedError> {
        let mut from = Reader::new(saved);
        match from.u8() {
            VERSION => {}
            other => return Err(SavedError::Version(other)),
        }
        let learned = self.learner.read(&mut from, now)?;
        self.chooser.restore(&mut from)?;
        self.learner.take_over(learned);
        // What has been learned is kept when the capacity changes from now on.
        self.is_started = true;
        Ok(())
    }

    fn save_record(&self, slots: &Slots<History>, id: SlotId, now: Tick) -> Option<SavedHistory> {
        Some(SavedHistory::of(slots.record(id), now as u32))
    }

    /// By what the ruling expert thinks of them.
    fn leaving_order(&self, slots: &Slots<History>, now: Tick) -> Vec<SlotId> {
        let scored = slots.iter_live().map(|id| {
            let score = self.score(slots.record(id), slots.size(id), now);
            (score, slots.record(id).age(now as u32), id)
        });
        let mut scored: Vec<_> = scored.collect();
        scored.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        scored.into_iter().map(|(_, _, id)| id).collect()
    }

    fn on_restore(
        &mut self,
        slots: &mut Slots<History>,
        id: SlotId,
        access: &Access,
        saved: Option<SavedHistory>,
    ) {
        let history = self.learner.revived(saved, access);
        *slots.record_mut(id) = history;
        self.learner.residents(slots.live());
        self.sweep.entered(id, &history, slots.live());
    }

    #[inline]
    fn approach(&self, hash: u64) {
        self.learner.approach(hash);
    }

    #[inline]
    fn on_hit(&mut self, slots: &mut Slots<History>, id: SlotId, access: &Access) {
        self.learner.advance(slots, access.now);
        let record = slots.record_mut(id);
        self.learner.hit(record, access);
        let record = *record;
        self.chooser.observe(access, &record, &self.learner);
    }

    #[inline]
    fn on_miss(&mut self, slots: &Slots<History>, access: &Access) {
        self.is_started = true;
        self.chooser.reserve();
        self.learner.advance(slots, access.now);
        let history = *self.learner.miss(access);
        self.chooser.observe(access, &history, &self.learner);
    }

    #[inline]
    fn victim(
        &mut self,
        slots: &mut Slots<History>,
        incoming: Option<&Access>,
        now: Tick,
    ) -> Verdict {
        if let Some(access) = incoming {
            self.learner.introduce(access);
        }
        let Expert { ranking, admission } = self.chooser.ruling();
        let newcomer =
            incoming.filter(|_| admission).map(|access| (self.learner.newcomer(), access.size));
        let lens = self.learner.lens(now);
        let sweep = &mut self.sweep;
        let verdict = match ranking.with(Decide {
            lens,
            field: &*slots,
            sweep,
            looks: self.learner.looks(),
            newcomer,
        }) {
            Choice::Leave(id) => {
                self.learner.approach(slots.hash(id));
                Verdict::Evict(id)
            }
            Choice::Refuse => Verdict::Reject,
        };
        if self.journal.is_kept() {
            self.note(slots, verdict, incoming, now);
        }
        verdict
    }

    #[inline]
    fn likely_next(&self) -> Option<SlotId> {
        self.sweep.likely_next()
    }

    fn keep_journal(&mut self, limit: usize) {
        self.journal = Journal::new(limit);
    }

    fn explain(
        &self,
        slots: &Slots<History>,
        hash: u64,
        id: Option<SlotId>,
        now: Tick,
    ) -> Option<Explanation> {
        Some(Explanation {
            now,
            ruling: self.chooser.ruling(),
            standing: id.map(|id| self.standing(slots, id, now)),
            ghost: self.learner.ghost(hash, now).filter(|_| id.is_none()),
            opinions: self.chooser.opinions(hash),
            decisions: self.journal.about(hash).copied().collect(),
            recorded_since: self.journal.since(),
        })
    }

    fn forecast(
        &self,
        slots: &Slots<History>,
        hash: u64,
        id: Option<SlotId>,
        now: Tick,
    ) -> Option<Forecast> {
        let history = match id {
            Some(id) => *slots.record(id),
            None => self.learner.ghost(hash, now)?,
        };
        let lens = self.learner.lens(now);
        let age = history.age(lens.now);
        let size = id.map_or(1, |id| slots.size(id));
        let prediction = lens.predictor.map(|predictor| Prediction {
            answer: predictor.predict(&features::row(&lens, &history, size)),
            meaning: predictor.meaning,
        });
        Some(Forecast {
            ruling: self.chooser.ruling(),
            history,
            age,
            outlook: lens.model.outlook(&history, age),
            prediction,
        })
    }

    fn share(&self, slots: &Slots<History>, id: SlotId, now: Tick) -> Option<f64> {
        let lens = self.learner.lens(now);
        Some(f64::from(lens.heat(slots.record(id))) / f64::from(lens.whole()))
    }

    fn shadowing(&self) -> Option<Shadowing> {
        self.chooser.shadowing()
    }

    fn show(&self, slots: &Slots<History>, sampler: &mut Sampler, now: Tick) {
        sampler.sample(slots, &self.learner.lens(now), now);
    }

    #[inline]
    fn on_insert(&mut self, slots: &mut Slots<History>, id: SlotId, access: &Access) {
        self.is_started = true;
        self.learner.introduce(access);
        let history = *self.learner.newcomer();
        self.learner.settled();
        *slots.record_mut(id) = history;
        self.learner.residents(slots.live());
        self.sweep.entered(id, &history, slots.live());
    }

    #[inline]
    fn on_reject(&mut self, access: &Access) {
        self.learner.introduce(access);
        let history = *self.learner.newcomer();
        self.learner.settled();
        self.learner.forget(access.hash, &history, access.now);
    }

    #[inline]
    fn on_remove(
        &mut self,
        slots: &mut Slots<History>,
        id: SlotId,
        cause: RemovalCause,
        now: Tick,
    ) {
        let history = *slots.record(id);
        if cause == RemovalCause::Evicted {
            self.learner.evicted();
        }
        self.learner.forget(slots.hash(id), &history, now);
    }

    fn ruling(&self) -> Option<&'static str> {
        Some(self.chooser.ruling().name())
    }

    fn memory_bytes(&self) -> usize {
        self.learner.memory_bytes()
            + self.chooser.memory_bytes()
            + self.sweep.memory_bytes()
            + self.journal.memory_bytes()
    }
}
