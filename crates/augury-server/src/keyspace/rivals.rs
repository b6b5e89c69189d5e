//! What other policies would have hit: miniature caches of a sample of the traffic.
//!
//! Beside the flow: told of every read with its outcome, of what is stored and of what leaves by a
//! client's wish or its deadline. Objects are sampled by hash; each rival is a shard of the engine
//! under its own policy that holds no values and has the capacity times the share of the objects that
//! is sampled (Waldspurger et al., "Cache modeling and optimization using miniature simulations",
//! USENIX ATC 2017). As in the curve of the core (its `tally.rs`), only the *difference* to the cache
//! itself is taken from the sample, for which hits and misses are known exactly. What was counted is
//! halved now and then, so that it speaks of late.
//!
//! A rival is told of an object's deadline only where the cache holds it: what has long left the cache
//! and expired since may still be a rival's hit.

use augury_core::metrics::RemovalCause;
use augury_core::policy::Policy;
use augury_core::shard::{Drop, Shard};
use augury_core::slots::SlotId;
use augury_replay::replay::{PolicyName, WithMaker};

/// The policies that are compared, in the order of presentation.
pub const RIVALS: [PolicyName; 7] = [
    PolicyName::Lru,
    PolicyName::Fifo,
    PolicyName::Lfu,
    PolicyName::Sieve,
    PolicyName::S3Fifo,
    PolicyName::WTinyLfu,
    PolicyName::Gdsf,
];

/// Objects that a rival holds before less is sampled.
const OBJECTS: usize = 2_048;
/// Share of the objects that is sampled in the beginning.
const RATIO: f64 = 1.0 / 16.0;
/// What is left of it where a rival holds too many.
const NARROWED: f64 = 0.5;
/// Sampled requests after which what was counted before weighs half.
const HALF_LIFE: u32 = 65_536;
/// Sampled requests between two looks at how much is held.
const PERIOD: u32 = 64;

const WHOLE: f64 = (1u64 << 32) as f64;

/// Other bits than those by which the index, the ghosts, the guard and the curve tell objects apart.
#[inline]
const fn sample_of(hash: u64) -> u32 {
    (hash.wrapping_mul(0xD1B5_4A32_D192_ED03) >> 32) as u32
}

/// A shard under whatever policy.
trait Rival: Send {
    /// A read; `size`: what the object counts for, where that is known. Whether it was a hit.
    fn read(&mut self, hash: u64, size: Option<u32>) -> bool;
    /// The object is stored with this size.
    fn write(&mut self, hash: u64, size: u32);
    fn forget(&mut self, hash: u64);
    fn len(&self) -> usize;
    /// Another capacity, for those only that are still sampled.
    fn narrow(&mut self, capacity: u64, threshold: u32);
    fn memory_bytes(&self) -> usize;
}

impl<P: Policy + Send> Rival for Shard<(), (), P> {
    fn read(&mut self, hash: u64, size: Option<u32>) -> bool {
        let found = self.store().candidates(hash).next();
        let held = found.map(|id| self.store().slots().size(id));
        let access = self.begin(hash, hash, size.or(held).unwrap_or(1));
        match found {
            Some(id) => self.hit(id, &access, &mut Drop),
            None => {
                self.miss(&access);
                if size.is_some() {
                    self.insert(&access, (), (), None, &mut Drop);
                }
            }
        }
        found.is_some()
    }

    fn write(&mut self, hash: u64, size: u32) {
        let access = Shard::write(self, hash, hash, size);
        let found = self.store().candidates(hash).next();
        match found {
            Some(id) if u64::from(size) > self.capacity() => {
                self.remove(id, RemovalCause::Evicted, &mut Drop);
            }
            Some(id) => self.replace(id, &access, (), (), None, &mut Drop),
            None => {
                self.insert(&access, (), (), None, &mut Drop);
            }
        }
    }

    fn forget(&mut self, hash: u64) {
        let found = self.store().candidates(hash).next();
        if let Some(id) = found {
            self.remove(id, RemovalCause::Explicit, &mut Drop);
        }
    }

    fn len(&self) -> usize {
        self.store().len()
    }

    fn narrow(&mut self, capacity: u64, threshold: u32) {
        let slots = self.store().slots();
        let gone: Vec<SlotId> =
            slots.iter_live().filter(|&id| sample_of(slots.hash(id)) >= threshold).collect();
        for id in gone {
            self.remove(id, RemovalCause::Explicit, &mut Drop);
        }
        self.resize(capacity, &mut Drop);
    }

    fn memory_bytes(&self) -> usize {
        Shard::memory_bytes(self)
    }
}

/// A shard of this capacity is wanted.
struct Making(u64);

impl WithMaker for Making {
    type Output = Box<dyn Rival>;

    fn with<P: Policy + Send + 'static>(
        self,
        make: impl Fn(u64) -> P + Send + Sync + 'static,
    ) -> Box<dyn Rival> {
        Box::new(Shard::<(), (), P>::new(self.0, make(1)))
    }
}

/// Counts of requests, each for those that it stands for.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    requests: f64,
    misses: f64,
    sampled: f64,
    sampled_misses: f64,
    hits: [f64; RIVALS.len()],
}

/// See the module's head.
pub struct Rivals {
    rivals: [Box<dyn Rival>; RIVALS.len()],
    capacity: u64,
    threshold: u32,
    tally: Tally,
    sampled: u32,
}

impl Rivals {
    /// For a cache of this capacity, which may hold something already.
    pub fn new(capacity: u64) -> Rivals {
        let threshold = (RATIO * WHOLE) as u32;
        let scaled = (capacity as f64 * RATIO) as u64;
        Rivals {
            rivals: RIVALS.map(|name| name.maker(Making(scaled))),
            capacity,
            threshold,
            tally: Tally::default(),
            sampled: 0,
        }
    }

    fn ratio(&self) -> f64 {
        f64::from(self.threshold) / WHOLE
    }

    /// A read of the cache; a hit on an object that counts for `size`, or a miss.
    #[inline]
    pub fn read(&mut self, hash: u64, size: Option<u32>) {
        self.tally.requests += 1.0;
        self.tally.misses += f64::from(size.is_none());
        if sample_of(hash) < self.threshold {
            self.sample(hash, size);
        }
    }

    #[cold]
    fn sample(&mut self, hash: u64, size: Option<u32>) {
        let weight = 1.0 / self.ratio();
        self.tally.sampled += weight;
        self.tally.sampled_misses += if size.is_none() { weight } else { 0.0 };
        for (rival, hits) in self.rivals.iter_mut().zip(&mut self.tally.hits) {
            *hits += if rival.read(hash, size) { weight } else { 0.0 };
        }
        self.sampled = self.sampled.wrapping_add(1);
        if self.sampled.is_multiple_of(HALF_LIFE) {
            let Tally { requests, misses, sampled, sampled_misses, hits } = &mut self.tally;
            let counts = [requests, misses, sampled, sampled_misses];
            counts.into_iter().chain(hits).for_each(|count| *count /= 2.0);
        }
        if self.sampled.is_multiple_of(PERIOD) {
            self.tend();
        }
    }

    fn tend(&mut self) {
        if self.rivals.iter().any(|rival| rival.len() > OBJECTS) {
            self.threshold = ((f64::from(self.threshold) * NARROWED) as u32).max(1);
            let scaled = (self.capacity as f64 * self.ratio()) as u64;
            self.rivals.iter_mut().for_each(|rival| rival.narrow(scaled, self.threshold));
        }
    }

    /// An object was stored with this size.
    #[inline]
    pub fn write(&mut self, hash: u64, size: u32) {
        if sample_of(hash) < self.threshold {
            self.rivals.iter_mut().for_each(|rival| rival.write(hash, size));
        }
    }

    /// An object was removed by a client, or has expired.
    #[inline]
    pub fn forget(&mut self, hash: u64) {
        if sample_of(hash) < self.threshold {
            self.rivals.iter_mut().for_each(|rival| rival.forget(hash));
        }
    }

    /// The cache has another capacity: the rivals begin anew.
    pub fn set_capacity(&mut self, capacity: u64) {
        if capacity != self.capacity {
            *self = Rivals::new(capacity);
        }
    }

    /// Requests that are spoken of, older ones counted for less, and the share of objects that is
    /// sampled.
    pub fn sample_size(&self) -> (f64, f64) {
        (self.tally.requests, self.ratio())
    }

    /// The hit ratio of the cache itself, and of each rival; none before anything was sampled.
    pub fn hit_ratios(&self) -> Option<(f64, [(PolicyName, f64); RIVALS.len()])> {
        let Tally { requests, misses, sampled, sampled_misses, hits } = self.tally;
        if sampled == 0.0 {
            return None;
        }
        let ratio = |misses: f64| (1.0 - misses / requests).clamp(0.0, 1.0);
        let told = |at: usize| {
            let difference = sampled - hits[at] - sampled_misses;
            (RIVALS[at], ratio(misses + difference))
        };
        Some((ratio(misses), std::array::from_fn(told)))
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        self.rivals.iter().map(|rival| rival.memory_bytes()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use augury_core::hash::mix;
    use augury_core::random::Random;
    use std::collections::BTreeMap;

    /// A key of a skewed stream.
    fn drawn(random: &mut Random) -> u64 {
        let (a, b) = (u64::from(random.below(20_000)), u64::from(random.below(20_000)));
        a * b / 20_000
    }

    #[test]
    fn a_rival_of_the_cache_s_own_policy_hits_what_the_cache_hits() {
        let mut cache =
            Shard::<(), (), _>::new(4_000, augury_core::policy::eviction::lru::Lru::default());
        let mut rivals = Rivals::new(4_000);
        let mut random = Random::new(5);
        for _ in 0..400_000 {
            let hash = mix(drawn(&mut random));
            let is_hit = Rival::read(&mut cache, hash, None);
            rivals.read(hash, is_hit.then_some(1));
            if !is_hit {
                Rival::write(&mut cache, hash, 1);
                rivals.write(hash, 1);
            }
        }
        let (own, all) = rivals.hit_ratios().expect("there were requests");
        let all: BTreeMap<&str, f64> =
            all.iter().map(|&(name, ratio)| (name.name(), ratio)).collect();
        assert!((own - all["lru"]).abs() < 0.02, "{own} {all:?}");
        assert!(all["lfu"] > all["fifo"], "{all:?}");
        assert!(rivals.rivals.iter().all(|rival| rival.len() <= OBJECTS + PERIOD as usize));
    }

    #[test]
    fn what_a_client_removes_no_rival_has() {
        let mut rivals = Rivals::new(1_000_000);
        for key in 0..1_000 {
            rivals.write(mix(key), 10);
        }
        assert!(rivals.rivals.iter().all(|rival| rival.len() > 20));
        (0..1_000).for_each(|key| rivals.forget(mix(key)));
        assert!(rivals.rivals.iter().all(|rival| rival.len() == 0));
        assert_eq!(None, rivals.hit_ratios());
    }
}
