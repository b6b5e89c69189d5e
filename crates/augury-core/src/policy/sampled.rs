//! Sampled eviction: look at a few residents, evict the one that ranks lowest.
//!
//! No list and no heap: a hit updates one record, an eviction reads [`SAMPLE`] of them. The
//! ranking comes from a [`Chooser`]: always the same one, or the guard's. Psounis and Prabhakar,
//! "A randomized web-cache replacement scheme", INFOCOM 2001, for how few samples suffice.

use crate::history::History;
use crate::metrics::RemovalCause;
use crate::random::Random;
use crate::request::{Access, Tick};
use crate::slots::{NIL, SlotId, Slots};

use super::learner::Learner;
use super::ranking::{Lens, Ranking, RankingId, WithRanking};
use super::{Policy, Verdict};

/// Residents looked at per eviction, in runs of neighbouring slots.
pub const SAMPLE: u32 = 16;
const RUN: u32 = 4;

/// A ranking, and whether newcomers have to beat the victim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expert {
    /// What is evicted first.
    pub ranking: RankingId,
    /// Whether a newcomer that ranks below the sampled victim is turned away.
    pub admission: bool,
}

/// Who decides which expert rules.
pub trait Chooser: Send {
    /// The expert that rules now.
    fn ruling(&self) -> Expert;
    /// The name of what rules, for people.
    fn ruling_name(&self) -> &'static str;
    /// The capacity has become known or has changed.
    fn set_capacity(&mut self, capacity: u64);
    /// An access was recorded: the object's history after it.
    fn observe(&mut self, access: &Access, history: &History, learner: &Learner, residents: u32);
    /// Bytes held.
    fn memory_bytes(&self) -> usize;
}

/// See the module's head.
#[derive(Debug)]
pub struct Sampled<C> {
    chooser: C,
    learner: Learner,
    random: Random,
    seed: u64,
}

impl<C: Chooser> Sampled<C> {
    /// A policy under this chooser.
    pub fn with_chooser(seed: u64, chooser: C) -> Self {
        Sampled { chooser, learner: Learner::new(seed, 1), random: Random::new(seed), seed }
    }

    /// The chooser.
    pub fn chooser(&self) -> &C {
        &self.chooser
    }
}

/// The lowest of a sample of residents.
struct Lowest<'a> {
    lens: Lens<'a>,
    slots: &'a Slots<History>,
    random: &'a mut Random,
    newcomer: Option<(&'a History, u32)>,
}

impl WithRanking for Lowest<'_> {
    type Output = Verdict;

    #[inline]
    fn with<R: Ranking>(self) -> Verdict {
        let bound = self.slots.bound();
        let (mut victim, mut lowest) = (NIL, f32::INFINITY);
        let mut seen = 0;
        while seen < SAMPLE || victim == NIL {
            let start = self.random.below(bound);
            for at in start..(start + RUN).min(bound) {
                let Some((history, size)) = self.slots.candidate(at) else { continue };
                let score = R::score(&self.lens, history, size);
                if score < lowest || victim == NIL {
                    (victim, lowest) = (at, score);
                }
            }
            seen += RUN;
        }
        match self.newcomer {
            Some((history, size)) if R::score(&self.lens, history, size) < lowest => {
                Verdict::Reject
            }
            _ => Verdict::Evict(victim),
        }
    }
}

impl<C: Chooser> Policy for Sampled<C> {
    type Record = History;

    fn set_capacity(&mut self, capacity: u64) {
        self.learner = Learner::new(self.seed, capacity.min(1 << 20));
        self.chooser.set_capacity(capacity);
    }

    #[inline]
    fn on_hit(&mut self, slots: &mut Slots<History>, id: SlotId, access: &Access) {
        self.learner.advance(slots, access.now);
        let record = slots.record_mut(id);
        self.learner.hit(record, access);
        let record = *record;
        self.chooser.observe(access, &record, &self.learner, slots.live());
    }

    #[inline]
    fn on_miss(&mut self, slots: &Slots<History>, access: &Access) {
        self.learner.advance(slots, access.now);
        let history = *self.learner.miss(access);
        self.chooser.observe(access, &history, &self.learner, slots.live());
    }

    #[inline]
    fn victim(
        &mut self,
        slots: &mut Slots<History>,
        incoming: Option<&Access>,
        now: Tick,
    ) -> Verdict {
        let expert = self.chooser.ruling();
        let newcomer = incoming
            .filter(|_| expert.admission)
            .map(|access| (self.learner.newcomer(), access.size));
        let lens = self.learner.lens(now);
        expert.ranking.with(Lowest { lens, slots, random: &mut self.random, newcomer })
    }

    #[inline]
    fn on_insert(&mut self, slots: &mut Slots<History>, id: SlotId, _access: &Access) {
        *slots.record_mut(id) = *self.learner.newcomer();
        self.learner.residents(slots.live());
    }

    #[inline]
    fn on_reject(&mut self, access: &Access) {
        let history = *self.learner.newcomer();
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
            self.learner.evicted_at(history.age(now as u32));
        }
        self.learner.forget(slots.hash(id), &history, now);
    }

    fn ruling(&self) -> Option<&'static str> {
        Some(self.chooser.ruling_name())
    }

    fn memory_bytes(&self) -> usize {
        self.learner.memory_bytes() + self.chooser.memory_bytes()
    }
}
