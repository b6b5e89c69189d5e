//! What sampled policies learn while they run: histories, ghosts and the survival table.
//!
//! Work per request is bounded: one count, one class per request while a round of learning lasts.

use crate::history::{Ghosts, History};
use crate::model::survival::Survival;
use crate::random::Random;
use crate::request::Access;
use crate::slots::{SlotId, Slots};

use super::ranking::Lens;

/// Ghosts per resident.
const GHOSTS_PER_RESIDENT: usize = 16;
/// Half-life of the heat, in residents.
const HEAT_HALF_LIFE: f32 = 8.0;
/// Requests between rounds of learning: a quarter of those seen, within these limits.
const ROUND_MIN: u64 = 2_000;
const ROUND_MAX: u64 = 50_000;
/// Requests before a round over which waiting objects are sampled, and samples per request.
const CENSUS: u64 = 256;
const CENSUS_PER_REQUEST: u32 = 2;
/// What is left of old counts after a round.
const FADE: f32 = 0.9;

/// See the module's head.
#[derive(Debug)]
pub struct Learner {
    pub(super) model: Survival,
    ghosts: Ghosts,
    cooling: f32,
    /// Mean age at eviction, in requests.
    life: f32,
    next_round: u64,
    computing: bool,
    newcomer: History,
    looks: u32,
    evictions: u64,
    looked: u64,
    byheat: f32,
    kn: [f32; 6],
    random: Random,
}

impl Learner {
    /// For a cache of about `objects` entries.
    pub fn new(seed: u64, objects: u64) -> Self {
        Learner {
            model: Survival::new(objects, 1024),
            ghosts: Ghosts::default(),
            cooling: 1.0 / (knob("HL", HEAT_HALF_LIFE) * objects.max(1) as f32),
            life: 1000.0,
            next_round: knob("RMIN", 2000.0) as u64,
            kn: [
                knob("FADE", 0.9),
                knob("RMAX", 50000.0),
                knob("RMIN", 2000.0),
                knob("GH", 131072.0),
                knob("PENDW", 1.0),
                knob("RDIV", 4.0),
            ],
            computing: false,
            newcomer: History::default(),
            looks: 8,
            evictions: 0,
            looked: 0,
            byheat: knob("BYHEAT", 0.0),

            random: Random::new(seed ^ 0x6c65_6172_6e65_7221),
        }
    }

    /// What rankings may read at this tick.
    #[inline]
    pub fn lens(&self, now: u64) -> Lens<'_> {
        Lens { now: now as u32, model: &self.model, cooling: self.cooling }
    }

    /// Whether the survival table has anything to say.
    pub fn is_ready(&self) -> bool {
        self.model.rounds() > 0
    }

    /// A resident was asked for.
    #[inline]
    pub fn hit(&mut self, history: &mut History, access: &Access) {
        self.model.reused(history.class, history.age(access.now as u32));
        history.touch(access.now as u32, self.cooling);
        history.class = self.cls(history);
    }

    /// Something was asked for that is not resident: its history, recalled or new.
    #[inline]
    pub fn miss(&mut self, access: &Access) -> &History {
        let now = access.now as u32;
        self.newcomer = match self.ghosts.recall(access.hash, now) {
            Some(mut history) => {
                let class = self.cls(&history);
                self.model.reused(class, history.age(now));
                history.touch(now, self.cooling);
                history.born = now;
                history
            }
            None => History::first(now, access.size),
        };
        let n = self.newcomer;
        self.newcomer.class = self.cls(&n);
        &self.newcomer
    }

    #[inline]
    fn cls(&mut self, h: &History) -> u16 {
        let c = if self.byheat > 0.0 {
            if h.count <= 1 {
                1
            } else {
                ((h.heat() * self.byheat) as u16).clamp(2, h.count.max(2))
            }
        } else {
            h.count
        };
        self.model.class_of(c, h.reuse, h.size)
    }

    /// The history of the latest miss.
    #[inline]
    pub fn newcomer(&self) -> &History {
        &self.newcomer
    }

    /// An object left, or was turned away.
    #[inline]
    pub fn forget(&mut self, hash: u64, history: &History, now: u64) {
        if let Some((gone, age)) = self.ghosts.remember(hash, history, now as u32) {
            let class = self.cls(&gone);
            self.model.censored(class, age);
        }
    }

    /// Residents to score for an eviction.
    #[inline]
    pub fn looks(&self) -> u32 {
        self.looks
    }

    /// The age at which an object was evicted.
    #[inline]
    pub fn evicted_at(&mut self, age: u32) {
        self.evictions += 1;
        self.life += (age as f32 - self.life) * (1.0 / 256.0);
    }

    /// The number of residents is now this.
    #[inline]
    pub fn residents(&mut self, count: u32) {
        let count = count as usize;
        self.ghosts.grow_towards(
            4 * count
                + (12 * count)
                    .min(2048 + (12 * count.saturating_sub(1000)).min(self.kn[3] as usize)),
        );
    }

    /// One request's share of learning.
    #[inline]
    pub fn advance(&mut self, slots: &Slots<History>, now: u64) {
        if now + CENSUS >= self.next_round {
            self.learn(slots, now);
        }
    }

    fn learn(&mut self, slots: &Slots<History>, now: u64) {
        if now >= self.looked + 1024 {
            let rate = self.evictions as f32 / (now - self.looked) as f32;
            let looks = (knob("LB", 6.0) / rate.max(0.01)).clamp(knob("LMIN", 8.0), knob("LMAX", 32.0));
            self.looks = looks as u32;
            (self.looked, self.evictions) = (now, 0);
        }
        if self.computing {
            if self.model.step() {
                self.model.fade(self.kn[0]);
                self.computing = false;
                self.next_round =
                    now + (now / self.kn[5] as u64).clamp(self.kn[2] as u64, self.kn[1] as u64);
            }
        } else if now < self.next_round {
            self.take_census(slots, now as u32);
        } else {
            let residents = u64::from(slots.live());
            self.model.rescale(residents);
            self.cooling = 1.0 / (knob("HL", HEAT_HALF_LIFE) * residents.max(1) as f32);
            self.model.begin_round(self.life.max(4.0));
            self.computing = true;
        }
    }

    fn take_census(&mut self, slots: &Slots<History>, now: u32) {
        let drawn = CENSUS as u32 * CENSUS_PER_REQUEST;
        for _ in 0..CENSUS_PER_REQUEST {
            if slots.bound() > 0 {
                let id: SlotId = self.random.below(slots.bound());
                if let Some((history, _)) = slots.candidate(id) {
                    let weight = self.kn[4] * slots.bound() as f32 / drawn as f32;
                    self.model.pending(history.class, history.age(now), weight);
                }
            }
            if let Some((ghost, age)) = self.ghosts.sample(self.random.next_u32(), now) {
                let class = self.cls(&ghost);
                let weight = self.kn[4] * self.ghosts.places() as f32 / drawn as f32;
                self.model.pending(class, age, weight);
            }
        }
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        self.model.memory_bytes() + self.ghosts.memory_bytes()
    }
}

/// research
pub fn knob(name: &str, default: f32) -> f32 {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}
