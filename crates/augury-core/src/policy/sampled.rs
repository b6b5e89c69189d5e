//! A cache without lists: one record per object, and a sweep that finds who ranks lowest.
//!
//! A hit updates one record; an eviction scores a few of them. Which ranking decides, and
//! whether newcomers must prove themselves, is up to a [`Chooser`]: always the same expert, or
//! the guard's choice. Psounis and Prabhakar, "A randomized web-cache replacement scheme",
//! INFOCOM 2001, for how few looks suffice.

use std::sync::Arc;

use crate::history::History;
use crate::metrics::RemovalCause;
use crate::model::predictor::Predictor;
use crate::request::{Access, Tick};
use crate::slots::{SlotId, Slots};

use super::learner::Learner;
use super::ranking::RankingId;
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
    /// The size of an object, which was not known when it was observed.
    fn sized(&mut self, _access: &Access) {}
    /// An access was recorded: the object's history after it.
    fn observe(&mut self, access: &Access, history: &History, learner: &Learner);
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
    seed: u64,
    is_started: bool,
}

impl<C: Chooser> Sampled<C> {
    /// A policy under this chooser.
    pub fn with_chooser(seed: u64, chooser: C) -> Self {
        let learner = Learner::new(seed, 1);
        Sampled { chooser, learner, sweep: Sweep::default(), seed, is_started: false }
    }

    /// The chooser.
    pub fn chooser(&self) -> &C {
        &self.chooser
    }

    /// What has been learned.
    pub fn learner(&self) -> &Learner {
        &self.learner
    }

    /// Sees to it that the learner's newcomer is this one.
    #[inline]
    fn introduce(&mut self, access: &Access) {
        if self.learner.introduce(access) {
            self.chooser.sized(access);
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
            let predictor = self.learner.predictor().cloned();
            self.learner = Learner::new(self.seed, capacity);
            self.learner.set_predictor(predictor);
        }
        self.chooser.set_capacity(capacity);
    }

    fn set_predictor(&mut self, predictor: Option<Arc<Predictor>>) {
        self.chooser.set_learned(predictor.as_deref());
        self.learner.set_predictor(predictor);
    }

    fn renew_predictor(&mut self, predictor: Arc<Predictor>) {
        if self.learner.predictor().is_none() {
            self.chooser.set_learned(Some(&predictor));
        }
        self.learner.set_predictor(Some(predictor));
        self.chooser.try_learned();
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
            self.introduce(access);
        }
        let Expert { ranking, admission } = self.chooser.ruling();
        let newcomer =
            incoming.filter(|_| admission).map(|access| (self.learner.newcomer(), access.size));
        let lens = self.learner.lens(now);
        let sweep = &mut self.sweep;
        match ranking.with(Decide {
            lens,
            field: &*slots,
            sweep,
            looks: self.learner.looks(),
            newcomer,
        }) {
            Choice::Leave(id) => Verdict::Evict(id),
            Choice::Refuse => Verdict::Reject,
        }
    }

    #[inline]
    fn on_insert(&mut self, slots: &mut Slots<History>, id: SlotId, access: &Access) {
        self.introduce(access);
        let history = *self.learner.newcomer();
        self.learner.settled();
        *slots.record_mut(id) = history;
        self.learner.residents(slots.live());
        self.sweep.entered(id, &history, slots.live());
    }

    #[inline]
    fn on_reject(&mut self, access: &Access) {
        self.introduce(access);
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
        let Expert { ranking, admission } = self.chooser.ruling();
        Some(if admission { ranking.name_with_admission() } else { ranking.name() })
    }

    fn memory_bytes(&self) -> usize {
        self.learner.memory_bytes() + self.chooser.memory_bytes() + self.sweep.memory_bytes()
    }
}
