//! The miss ratio curve of a running cache: what other capacities would give, while it runs.
//!
//! Beside the flow: told of every read, with its outcome, and asked now and then. Knows no store,
//! no policy, no keys and no values.
//!
//! Objects are sampled by hash, in bounded number (Waldspurger et al., "Efficient MRC construction
//! with SHARDS", FAST 2015, of fixed size): when the table is full the threshold is lowered, and
//! what is above it goes. Requests for objects outside the sample cost a multiplication and two
//! counts. What is kept of the sampled ones:
//! - [`recency`]: one LRU list with bounds, which is LRU at 24 capacities at once. It reaches to
//!   [`REACH`] times the capacity and no further, so that the whole table goes to the part of the
//!   curve that is asked for; SHARDS keeps every object of the traffic in its stack.
//! - [`miniature`]: caches at half, one, two and four times the capacity under two plain
//!   rankings. LRU's curve says little about a policy that gains where LRU does not (on a loop it
//!   is flat, `auto`'s falls), and the learned policy cannot be run in miniature within this
//!   memory. The best of the plain ones at each capacity has nearly the learned policy's *shape*;
//!   its *level* is known, at the present capacity. So what is told for another capacity is the
//!   present miss ratio times the ratio of the best plain ones there and here.
//!
//! How near that comes, and what else was tried: docs/decisions/0017.

mod miniature;
mod recency;
mod table;
mod tally;

use self::miniature::{Miniature, Order};
use self::recency::{Recency, SEGMENTS};
use self::table::{OUTSIDE, Place, Table};
pub use self::tally::SCALES;
use self::tally::{MINIATURES, ORDERS, Tally};

/// Multiple of the capacity up to which the curve of LRU is told.
pub const REACH: u64 = 4;
/// Objects sampled at most: in caches of up to [`SMALL`] entries (or bytes), and in others.
const OBJECTS: (usize, usize) = (400, 2_048);
const SMALL: u64 = 1_000;
/// Share of the objects that is sampled at most.
const RATIO: f64 = 0.125;
/// Sampled requests after which the share is at most this, unless fewer than [`FEW`] objects then
/// fill the present capacity.
const SETTLED: (u32, f64) = (16_384, 1.0 / 16.0);
const FEW: u32 = 64;
/// What is left of the share each time it is lowered.
const NARROWED: f64 = 0.875;
/// Sampled requests after which what was counted before weighs half.
const HALF_LIFE: u32 = 16_384;
/// Half-life of the decayed counts, in requests per resident, as the learned policy's.
const HEAT_HALF_LIFE: f64 = 32.0;
/// Sampled requests between two looks at how many objects the capacity holds.
const PERIOD: u32 = 256;

/// Thresholds and samples are numbers of 32 bits.
const WHOLE: f64 = (1_u64 << 32) as f64;

/// Independent of the bits by which shards, index, ghosts and the guard tell objects apart.
#[inline]
const fn sample_of(hash: u64) -> u32 {
    (hash.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32
}

/// One capacity of the curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurvePoint {
    /// In multiples of the present capacity.
    pub scale: f64,
    /// Entries or bytes, as the present capacity.
    pub capacity: u64,
    /// The object miss ratio that the policy at work would have.
    pub miss_ratio: f64,
    /// The object miss ratio that LRU would have.
    pub lru_miss_ratio: f64,
}

/// The curve of one cache, or of one shard of it: a shard's traffic is a sample of the whole, so
/// one shard's curve, capacities multiplied by the number of shards, is the cache's.
///
/// At most 16 KiB where the capacity is at most 1,000 entries, else at most 80 KiB, all of it
/// asked for at the beginning.
#[derive(Debug, Clone)]
pub struct MissRatioCurve {
    capacity: u64,
    /// Objects whose sample is below are sampled.
    threshold: u32,
    now: u64,
    table: Table,
    recency: Recency,
    miniatures: Vec<Miniature>,
    tally: Tally,
    cooling: f32,
    sampled: u32,
    /// Sampled requests to pass by before counting.
    cold: u32,
}

impl MissRatioCurve {
    /// For an empty cache of this capacity, in entries or bytes, at least 1.
    pub fn new(capacity: u64) -> Self {
        let objects = if capacity <= SMALL { OBJECTS.0 } else { OBJECTS.1 };
        let mut curve = MissRatioCurve {
            capacity,
            threshold: (RATIO * WHOLE) as u32,
            now: 0,
            table: Table::new(objects),
            recency: Recency::new([0; SEGMENTS]),
            miniatures: Vec::with_capacity(MINIATURES),
            tally: Tally::default(),
            cooling: 0.0,
            sampled: 0,
            cold: 0,
        };
        curve.recency = Recency::new(curve.bounds());
        for order in Order::ALL {
            for scale in SCALES {
                let bit = 1 << curve.miniatures.len();
                curve.miniatures.push(Miniature::new(order, bit, curve.scaled(scale), objects));
            }
        }
        curve.cool();
        curve
    }

    /// The capacity of a cache that is not empty has changed: the curve begins anew, and counts
    /// once its miniature caches had time to fill.
    pub fn set_capacity(&mut self, capacity: u64) {
        *self = MissRatioCurve::new(capacity);
        self.cold = (self.table_limit() * 8) as u32;
    }

    fn table_limit(&self) -> usize {
        if self.capacity <= SMALL { OBJECTS.0 } else { OBJECTS.1 }
    }

    /// One read of an object of this size (in the unit of the capacity), and whether it was a hit.
    #[inline]
    pub fn observe(&mut self, hash: u64, size: u32, is_hit: bool) {
        self.now += 1;
        self.tally.requests += 1.0;
        self.tally.misses += f64::from(!is_hit);
        if sample_of(hash) < self.threshold {
            self.sampled(hash, size.max(1), is_hit);
        }
    }

    /// One read that missed an object whose size is not known yet: see [`MissRatioCurve::arrived`].
    #[inline]
    pub fn observe_missing(&mut self, hash: u64) {
        self.now += 1;
        self.tally.requests += 1.0;
        self.tally.misses += 1.0;
        if sample_of(hash) >= self.threshold {
            return;
        }
        if let Some(place) = self.table.find(hash) {
            let size = self.table.object(place).size;
            return self.sampled(hash, size, false);
        }
        if self.cold == 0 {
            self.tally.record(1.0 / self.sampling_ratio(), false, OUTSIDE, 0);
        }
        self.tend();
    }

    /// An object was stored with this size: no read, but from now on every cache might have it.
    #[inline]
    pub fn arrived(&mut self, hash: u64, size: u32) {
        if sample_of(hash) < self.threshold {
            self.take_in(hash, size.max(1));
        }
    }

    fn take_in(&mut self, hash: u64, size: u32) {
        let now = self.now as u32;
        if let Some(place) = self.table.find(hash) {
            let former = self.table.object(place).size;
            if former != size {
                self.table.object_mut(place).size = size;
                self.settle(place, size, former);
            }
        } else if let Some(place) = self.add(hash, size, now) {
            self.settle(place, size, size);
        }
    }

    /// An object was deleted, or has expired: no cache has it any more.
    #[inline]
    pub fn forget(&mut self, hash: u64) {
        if sample_of(hash) < self.threshold
            && let Some(place) = self.table.find(hash)
        {
            self.drop_place(place);
        }
    }

    /// Share of the objects that is sampled.
    pub fn sampling_ratio(&self) -> f64 {
        f64::from(self.threshold) / WHOLE
    }

    /// Requests that the curve speaks of, older ones counted for less.
    pub fn requests(&self) -> f64 {
        self.tally.requests
    }

    /// What half, one, two and four times the capacity would give; none before anything was
    /// counted.
    pub fn points(&self) -> Option<[CurvePoint; 4]> {
        if self.tally.requests == 0.0 {
            return None;
        }
        let recency = self.tally.recency();
        let lru = SCALES.map(|scale| self.at(&recency, self.capacity as f64 * scale));
        let best: [f64; 4] = std::array::from_fn(|scale| {
            let plain = (0..ORDERS).map(|order| self.tally.miniature(order, scale));
            plain.fold(lru[scale], f64::min)
        });
        let mut told = [0.0; 4];
        let present = self.tally.miss_ratio();
        for scale in 0..SCALES.len() {
            let ratio = if best[1] > 0.0 { best[scale] / best[1] } else { 1.0 };
            told[scale] = (present * ratio).min(if scale > 0 { told[scale - 1] } else { 1.0 });
        }
        told[0] = told[0].max(present);
        Some(std::array::from_fn(|at| CurvePoint {
            scale: SCALES[at],
            capacity: (self.capacity as f64 * SCALES[at]) as u64,
            miss_ratio: told[at],
            lru_miss_ratio: lru[at],
        }))
    }

    /// The object miss ratio of LRU at any capacity up to [`REACH`] times the present one; none
    /// beyond, and before anything was counted. Between the bounds of the list it is interpolated.
    pub fn lru_miss_ratio(&self, capacity: u64) -> Option<f64> {
        let is_known = capacity <= self.capacity.saturating_mul(REACH);
        let told = self.tally.requests > 0.0 && is_known;
        told.then(|| self.at(&self.tally.recency(), capacity as f64))
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>()
            + self.table.memory_bytes()
            + self.miniatures.capacity() * size_of::<Miniature>()
            + self.miniatures.iter().map(Miniature::memory_bytes).sum::<usize>()
    }

    /// LRU's curve at a capacity, from what it is at the bounds.
    fn at(&self, recency: &[f64; SEGMENTS], capacity: f64) -> f64 {
        let wanted = capacity * self.sampling_ratio();
        let mut below = (0.0, 1.0);
        for (at, &miss_ratio) in recency.iter().enumerate() {
            let bound = self.recency.bound(at) as f64;
            if bound >= wanted {
                let share =
                    if bound > below.0 { (wanted - below.0) / (bound - below.0) } else { 1.0 };
                return below.1 + (miss_ratio - below.1) * share;
            }
            below = (bound, miss_ratio);
        }
        below.1
    }

    fn scaled(&self, scale: f64) -> u64 {
        (self.capacity as f64 * scale * self.sampling_ratio()).round() as u64
    }

    /// Bounds of the recency list: four to a doubling up from a quarter of the capacity, one below.
    fn bounds(&self) -> [u64; SEGMENTS] {
        std::array::from_fn(|at| {
            let below = (SEGMENTS - 1 - at) as f64;
            let octaves = if below <= 16.0 { below / 4.0 } else { below - 12.0 };
            self.scaled(REACH as f64 / octaves.exp2())
        })
    }

    /// Requests per half of a decayed count follow from how many objects the capacity holds.
    fn cool(&mut self) {
        let residents = f64::from(self.miniatures[1].residents().max(1)) / self.sampling_ratio();
        self.cooling = (1.0 / (HEAT_HALF_LIFE * residents)) as f32;
    }

    fn sampled(&mut self, hash: u64, size: u32, is_hit: bool) {
        let now = self.now as u32;
        let found = self.table.find(hash);
        let place = match found {
            Some(place) => place,
            None => match self.add(hash, size, now) {
                Some(place) => place,
                None => return,
            },
        };
        let object = self.table.object(place);
        let (members, segment, former) = (object.members, object.segment, object.size);
        if found.is_some() {
            self.table.touch(place, size, now, self.cooling);
        }
        if self.cold == 0 {
            self.tally.record(1.0 / self.sampling_ratio(), is_hit, segment, members);
        }
        self.settle(place, size, former);
        self.tend();
    }

    /// Room for one more object, unless that takes a lower threshold than its sample.
    fn add(&mut self, hash: u64, size: u32, now: u32) -> Option<Place> {
        while self.table.is_full() {
            self.narrow();
        }
        let sample = sample_of(hash);
        (sample < self.threshold).then(|| self.table.add(hash, sample, size, now))
    }

    /// The object, which has this size now, is the latest of the list, and in the miniature caches.
    fn settle(&mut self, place: Place, size: u32, former: u32) {
        let (now, members) = (self.now as u32, self.table.object(place).members);
        self.recency.push(&mut self.table, place, size, former);
        for miniature in &mut self.miniatures {
            if !miniature.holds(members) {
                miniature.admit(&mut self.table, place, now, self.cooling);
            } else if size != former {
                miniature.resize(former, size);
            }
        }
        self.table.release_if_idle(place);
    }

    /// Now and then.
    fn tend(&mut self) {
        self.sampled = self.sampled.wrapping_add(1);
        if self.cold > 0 {
            self.cold -= 1;
            (self.tally.requests, self.tally.misses) = (0.0, 0.0);
        } else if self.sampled.is_multiple_of(HALF_LIFE) {
            self.tally.halve();
        }
        if self.sampled.is_multiple_of(PERIOD) {
            let is_costly = self.sampled >= SETTLED.0 && self.sampling_ratio() > SETTLED.1;
            if is_costly && self.miniatures[1].residents() > FEW {
                self.narrow();
            }
            self.cool();
        }
    }

    /// Lowers the threshold; what is above it goes, and what is measured by it shrinks.
    fn narrow(&mut self) {
        self.threshold = ((f64::from(self.threshold) * NARROWED) as u32).max(1);
        for place in 0..self.table.bound() as u16 {
            if self.table.sample(place).is_some_and(|sample| sample >= self.threshold) {
                self.drop_place(place);
            }
        }
        let bounds = self.bounds();
        self.recency.rebound(&mut self.table, bounds);
        for at in 0..MINIATURES {
            self.miniatures[at].capacity = self.scaled(SCALES[at % SCALES.len()]);
        }
        self.cool();
    }

    fn drop_place(&mut self, place: u16) {
        let object = *self.table.object(place);
        self.recency.unlink(&mut self.table, place, object.size);
        for miniature in &mut self.miniatures {
            if miniature.holds(object.members) {
                miniature.evict(&mut self.table, place);
            }
        }
        self.table.release_if_idle(place);
    }
}
