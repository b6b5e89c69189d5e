//! What sampled policies learn while they run: histories, ghosts and the survival table.
//!
//! Work per request: one count, and while a round of learning lasts one class; for 256 requests
//! before it four looks at objects still waiting. A round begins and ends with a walk over all
//! classes, at most 1,024 of them.

use std::sync::Arc;

use crate::history::{Ghosts, History, NAMESPACES_MAX, SavedHistory};
use crate::model::costs::Costs;
use crate::model::predictor::Predictor;
use crate::model::seasons::{NAMESPACES, Seasons};
use crate::model::survival::{ClassId, Survival};
use crate::random::Random;
use crate::request::Access;
use crate::saved::{Reader, SavedError, Writer};
use crate::slots::{SlotId, Slots};

use crate::model::lens::Lens;

/// Half-life of the heat, in requests per resident.
const HEAT_HALF_LIFE: f32 = 32.0;
/// Requests between rounds of learning: a quarter of those seen, within these limits.
const ROUND_MIN: u64 = 2_000;
const ROUND_MAX: u64 = 50_000;
/// Requests before a round over which waiting objects are sampled, and samples of residents and
/// of ghosts per request.
const CENSUS: u64 = 256;
const CENSUS_PER_REQUEST: u32 = 2;
/// Requests before the first round from which on a miss makes room for it.
const PREPARED: u64 = 1_000;
/// Requests after which the number of looks follows the eviction rate.
const PACE: u64 = 1024;
/// Looks per request, and limits of those per eviction: a large cache pays more for each look.
const LOOKS_PER_REQUEST: f32 = 10.0;
const LOOKS: (f32, f32) = (12.0, 32.0);
/// Residents up to which looks are doubled.
const NEAR: u32 = 8_192;
/// Residents from which on each has fewer ghosts.
const MANY: usize = 1 << 20;
/// Classes of the survival table: for caches of at most [`TINY`] and [`SMALL`] entries, and for
/// others.
const CLASSES: (usize, usize, usize) = (48, 64, 1024);
/// Namespaces whose rhythm a small cache follows.
const SMALL_NAMESPACES: usize = 16;
/// Entries up to which a cache is tiny: everything in it takes less than 64 KiB.
const TINY: u64 = 128;
/// Entries up to which a cache is small: its fixed memory stays below 64 KiB.
pub(crate) const SMALL: u64 = 1_000;

/// See the module's head.
#[derive(Debug)]
pub struct Learner {
    model: Survival,
    predictor: Option<Arc<Predictor>>,
    seasons: Seasons,
    costs: Option<Costs>,
    ghosts: Ghosts,
    cooling: f32,
    next_round: u64,
    is_computing: bool,
    newcomer: History,
    /// Hash and size of the newcomer; none once it is in or has been turned away.
    incoming: Option<(u64, u32)>,
    random: Random,
    looks: u32,
    evictions: u32,
    paced: u64,
    is_small: bool,
}

/// What a learner has taken from a file.
#[derive(Debug)]
pub struct Learned {
    model: Survival,
    cooling: f32,
    now: u64,
    next_round: u64,
}

impl Learner {
    /// Writes what has been learned. Ghosts are left out: they are found by hashes, which most
    /// programs salt anew whenever they start; so are seasons, whose namespaces have numbers here.
    pub fn save(&self, to: &mut Writer, now: u64) {
        self.model.save(to);
        to.f32(self.cooling);
        to.u32(self.next_round.saturating_sub(now).min(ROUND_MAX) as u32);
    }

    /// Reads what [`Learner::save`] wrote; nothing changes.
    ///
    /// # Errors
    /// It is something else.
    pub fn read(&self, from: &mut Reader<'_>, now: u64) -> Result<Learned, SavedError> {
        let model = self.model.restored(from)?;
        let cooling = from.f32(cooling_for(1));
        // Time for a census at least.
        let wait = u64::from(from.u32()).clamp(2 * CENSUS, ROUND_MAX);
        Ok(Learned { model, cooling, now, next_round: now.saturating_add(wait) })
    }

    /// Goes on with it.
    pub fn take_over(&mut self, learned: Learned) {
        let Learned { model, cooling, now, next_round } = learned;
        (self.model, self.cooling, self.next_round) = (model, cooling, next_round);
        (self.paced, self.evictions, self.is_computing) = (now, 0, false);
    }

    /// The history of an entry that was in another cache; a first one where that one had none.
    pub fn revived(&mut self, saved: Option<SavedHistory>, access: &Access) -> History {
        let now = access.now as u32;
        let mut history = match saved {
            Some(saved) => saved.history(now, access.size),
            None => History::first(now, access.size),
        };
        self.model.reserve();
        history.set_class(self.model.class_of(&history));
        history
    }

    /// For a cache of at most `objects` entries.
    pub fn new(seed: u64, objects: u64) -> Self {
        Learner {
            model: Survival::new(objects.min(1 << 20), classes_for(objects)),
            predictor: None,
            seasons: Seasons::new(namespaces_for(objects)),
            costs: None,
            ghosts: Ghosts::default(),
            cooling: cooling_for(objects),
            next_round: ROUND_MIN,
            is_computing: false,
            newcomer: History::default(),
            incoming: None,
            random: Random::new(seed),
            looks: LOOKS.0 as u32,
            evictions: 0,
            paced: 0,
            is_small: objects <= SMALL,
        }
    }

    /// The capacity has changed: what has been learned stays.
    pub fn resize(&mut self, objects: u64) {
        self.model.set_limit(classes_for(objects));
        self.is_small = objects <= SMALL;
    }

    /// What rankings may read at this tick.
    #[inline]
    pub fn lens(&self, now: u64) -> Lens<'_> {
        let predictor = self.predictor.as_deref();
        let seasons = self.seasons.is_on().then_some(&self.seasons);
        let (model, cooling, costs) = (&self.model, self.cooling, self.costs.as_ref());
        Lens { now: now as u32, model, cooling, predictor, seasons, costs }
    }

    /// Loads a trained model, or lets go of it; nothing else changes.
    pub fn set_predictor(&mut self, predictor: Option<Arc<Predictor>>) {
        self.predictor = predictor;
    }

    /// Takes over what misses cost.
    pub fn set_costs(&mut self, costs: Option<Costs>) {
        self.costs = costs;
    }

    /// What misses cost, where it is known.
    pub fn costs(&self) -> Option<&Costs> {
        self.costs.as_ref()
    }

    /// The trained model, where one is loaded.
    pub fn predictor(&self) -> Option<&Arc<Predictor>> {
        self.predictor.as_ref()
    }

    /// Looks for rhythms of namespaces, or does not.
    pub fn enable_seasons(&mut self, is_enabled: bool) {
        self.seasons.enable(is_enabled);
    }

    /// The rhythms of namespaces.
    pub fn seasons(&self) -> &Seasons {
        &self.seasons
    }

    /// The survival table.
    pub fn model(&self) -> &Survival {
        &self.model
    }

    /// Residents to score for an eviction.
    #[inline]
    pub fn looks(&self) -> u32 {
        self.looks
    }

    /// A resident was asked for.
    #[inline]
    pub fn hit(&mut self, history: &mut History, access: &Access) {
        self.model.reused(history.class(), history.age(access.now as u32));
        history.touch(access.now as u32, self.cooling);
        history.set_class(self.model.class_of(history));
        if access.time != 0 {
            history.set_namespace(self.seasons.observe(access, self.cooling));
        }
    }

    /// Something was asked for that is not resident: its history, recalled or new.
    #[inline]
    pub fn miss(&mut self, access: &Access) -> &History {
        self.model.reserve();
        if !self.model.has_rounds() && access.now + PREPARED >= self.next_round {
            self.model.reserve_rounds();
        }
        if let Some((hash, _)) = self.incoming.take() {
            // It has not come yet, and may never: what is known of it is kept until it does.
            let history = self.newcomer;
            self.forget(hash, &history, access.now);
        }
        let now = access.now as u32;
        let mut history = match self.ghosts.recall(access.hash, now) {
            Some(mut history) => {
                let class = self.model.class_of(&history);
                self.model.reused(class, history.age(now));
                history.touch(now, self.cooling);
                history.born = now;
                history
            }
            None => History::first(now, access.size),
        };
        if access.heard != 0 {
            history.hear_before(access.heard);
        }
        history.set_class(self.model.class_of(&history));
        self.seasons.reserve(access);
        history.set_namespace(if access.time == 0 {
            // No rhythm can be followed: it names the place for costs.
            access.namespace.min(NAMESPACES_MAX as u16 - 1)
        } else {
            self.seasons.observe(access, self.cooling)
        });
        self.newcomer = history;
        self.incoming = Some((access.hash, access.size));
        &self.newcomer
    }

    /// This is about to come in: as a rule what missed last. Where others have missed since, or
    /// it was never asked for, the newcomer is looked up anew.
    #[inline]
    pub fn introduce(&mut self, access: &Access) {
        if self.incoming != Some((access.hash, access.size)) {
            self.correct(access);
        }
    }

    #[cold]
    fn correct(&mut self, access: &Access) {
        match self.incoming {
            Some((hash, _)) if hash == access.hash => {
                self.newcomer.set_size(access.size);
                self.newcomer.set_class(self.model.class_of(&self.newcomer));
                self.incoming = Some((hash, access.size));
            }
            _ => {
                self.miss(access);
            }
        }
    }

    /// The newcomer is in, or was turned away.
    #[inline]
    pub fn settled(&mut self) {
        self.incoming = None;
    }

    /// The history of what is about to come in.
    #[inline]
    pub fn newcomer(&self) -> &History {
        &self.newcomer
    }

    /// The ghost of this object is about to be asked for.
    #[inline]
    pub fn approach(&self, hash: u64) {
        self.ghosts.approach(hash);
    }

    /// A resident is as hot as this at this tick, as other caches have seen it too.
    pub fn heard(&mut self, history: &mut History, heat: f32, now: u64) {
        history.hear(heat, now as u32, self.cooling);
        self.model.reserve();
        history.set_class(self.model.class_of(history));
    }

    /// As [`Learner::heard`], of an object that has left.
    pub fn heard_of_ghost(&mut self, hash: u64, heat: f32, now: u64) -> bool {
        let cooling = self.cooling;
        self.ghosts.revise(hash, now as u32, |history| history.hear(heat, now as u32, cooling))
    }

    /// A resident was evicted.
    #[inline]
    pub fn evicted(&mut self) {
        self.evictions += 1;
    }

    /// An object left, or was turned away.
    #[inline]
    pub fn forget(&mut self, hash: u64, history: &History, now: u64) {
        if let Some((gone, age)) = self.ghosts.remember(hash, history, now as u32) {
            let class = self.model.class_of(&gone);
            self.model.censored(class, age);
        }
    }

    /// What a ghost remembers of an object that has left.
    pub fn ghost(&self, hash: u64, now: u64) -> Option<History> {
        self.ghosts.peek(hash, now as u32)
    }

    /// The number of residents is now this.
    #[inline]
    pub fn residents(&mut self, count: u32) {
        self.ghosts.grow_towards(ghosts_for(count as usize, self.is_small));
    }

    /// One request's share of learning.
    #[inline]
    pub fn advance(&mut self, slots: &Slots<History>, now: u64) {
        if now >= self.paced + PACE {
            self.pace(slots.live(), now);
        }
        if now + CENSUS >= self.next_round && self.model.has_rounds() {
            self.learn(slots, now);
        }
    }

    /// The rarer the evictions, the more looks each is worth: their cost per request is bounded.
    fn pace(&mut self, residents: u32, now: u64) {
        let (per, least) = if residents <= NEAR {
            (2.0 * LOOKS_PER_REQUEST, 1.5 * LOOKS.0)
        } else {
            (LOOKS_PER_REQUEST, LOOKS.0)
        };
        let rate = self.evictions.max(1) as f32 / (now - self.paced) as f32;
        self.looks = (per / rate).clamp(least, LOOKS.1) as u32;
        (self.paced, self.evictions) = (now, 0);
    }

    fn learn(&mut self, slots: &Slots<History>, now: u64) {
        if self.is_computing {
            if self.model.step() {
                self.model.fade();
                self.is_computing = false;
                self.next_round = now + (now / 4).clamp(ROUND_MIN, ROUND_MAX);
            }
        } else if now < self.next_round {
            self.take_census(slots, now as u32);
        } else {
            let residents = u64::from(slots.live());
            self.model.rescale(residents);
            self.cooling = cooling_for(residents);
            let drawn = CENSUS as f32 * CENSUS_PER_REQUEST as f32;
            let (places, ghosts) = (slots.bound() as f32, self.ghosts.places() as f32);
            self.model.begin_round((places / drawn, ghosts / drawn));
            self.is_computing = true;
        }
    }

    fn take_census(&mut self, slots: &Slots<History>, now: u32) {
        for _ in 0..CENSUS_PER_REQUEST {
            if slots.bound() > 0 {
                let id: SlotId = self.random.below(slots.bound());
                if let Some((&history, _)) = slots.candidate(id) {
                    let class: ClassId = self.model.class_of(&history);
                    self.model.pending(class, history.age(now), false);
                }
            }
            if let Some((ghost, age)) = self.ghosts.sample(self.random.next_u32(), now) {
                let class = self.model.class_of(&ghost);
                self.model.pending(class, age, true);
            }
        }
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        self.model.memory_bytes() + self.seasons.memory_bytes() + self.ghosts.memory_bytes()
    }
}

fn classes_for(objects: u64) -> usize {
    if objects <= TINY {
        CLASSES.0
    } else if objects <= SMALL {
        CLASSES.1
    } else {
        CLASSES.2
    }
}

fn namespaces_for(objects: u64) -> usize {
    if objects <= SMALL { SMALL_NAMESPACES } else { NAMESPACES }
}

fn cooling_for(residents: u64) -> f32 {
    1.0 / (HEAT_HALF_LIFE * residents.max(1) as f32)
}

/// Ghosts for so many residents: sixteen each in caches of thousands, where they cost little and
/// matter most, down to less than two each in caches of a million, and three quarters for each
/// beyond; few more than three and a half where all fixed memory is to stay below 64 KiB.
fn ghosts_for(residents: usize, is_small: bool) -> usize {
    if is_small {
        let extra = if residents as u64 <= TINY { 512 } else { 1_024 };
        residents * 7 / 2 + (residents * 25 / 2).min(extra)
    } else {
        let beyond = residents.saturating_sub(MANY);
        residents * 7 / 4 - beyond + (residents * 57 / 4).min(196_608)
    }
}
