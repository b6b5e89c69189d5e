//! Prefetch: what to fetch before it is asked for.
//!
//! Stands beside the policy and sees only the accesses that would have gone to the origin without
//! it: misses, and first uses of what it had fetched. That stream is the same whether it acts or
//! not, so it is always judged by what it would have done.
//!
//! 1. A [`Predictor`] names candidates and the kind of evidence for each.
//! 2. `accuracy` knows how often evidence of that kind came true, in that namespace.
//! 3. `budget` says from which chance on predictions fit into the requests that may be wasted.
//! 4. What is prefetched must also be worth its room: its chance must beat the hits that the
//!    residents it displaces would have had while it waits.
//! 5. Those that pass are for the caller to fetch and stage; of the others a sample is followed up
//!    as if it had been fetched. After [`HORIZON`] further demands a prediction has failed.
//!
//! Where nothing has been worth prefetching for long the prefetcher is dormant: a sample of the
//! objects is observed, which is enough to notice that this has changed.
//!
//! Prefetched objects wait in a stage of their own (`crate::shard`), so the policy learns nothing
//! from predictions. This module must not know stores, policies or values.

mod accuracy;
mod budget;
pub mod grams;
pub mod mithril;
mod objects;
mod outstanding;
pub mod predictor;
mod recent;
pub mod sequence;
mod strides;
pub mod successor;

use crate::request::{Access, Tick};

use accuracy::Accuracy;
use budget::Budget;
use outstanding::{Outstanding, Pending};
use predictor::{Attention, Candidate, Candidates, Predictor};

pub use accuracy::NAMESPACES;
pub use budget::WINDOW;

/// Demands after which a prediction that has not come true has failed.
pub const HORIZON: u64 = 128;
/// Share of the capacity that prefetched objects may take.
const STAGE_SHARE: u64 = 8;
/// Predictions followed up at a time.
const FOLLOWED: usize = 1_024;
/// One in so many of the predictions not acted on is followed up.
const SAMPLED: u32 = 8;
/// Demands after which something staged has had its chance as much as a newcomer has.
const SETTLED: f32 = 16.0;
/// Demands without anything issued after which a prefetcher is dormant.
const DORMANT: u64 = 16_384;
/// Demands after which the room's worth is measured anew.
const PERIOD: u64 = 512;

/// What has been done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PrefetchStats {
    /// Objects fetched before they were asked for.
    pub issued: u64,
    /// Of which asked for while they waited.
    pub used: u64,
}

impl PrefetchStats {
    /// What has been done since another, earlier look.
    pub fn since(&self, before: &PrefetchStats) -> PrefetchStats {
        PrefetchStats {
            issued: self.issued.saturating_sub(before.issued),
            used: self.used.saturating_sub(before.used),
        }
    }
}

/// See the module's head.
#[derive(Debug)]
pub struct Prefetcher<P> {
    predictor: P,
    accuracy: Accuracy,
    budget: Budget,
    real: Outstanding,
    shadow: Outstanding,
    stats: PrefetchStats,
    stage: u64,
    staged: u64,
    capacity: u64,
    demands: u64,
    now: Tick,
    /// Demands at the latest time that anything was issued.
    awake: u64,
    offered: u32,
    /// Hits per tick and unit of capacity, and ticks that a prefetched object waits, where it
    /// is used and where it is not.
    worth: f32,
    waits: [f32; 2],
    measured: u64,
    /// Demands after which something staged has to make room, at most [`HORIZON`].
    patience: f32,
    issue: Vec<Candidate>,
    drop: Vec<u64>,
}

impl<P: Predictor> Prefetcher<P> {
    /// For a cache of this capacity. `budget` is the share of requests to the origin that may be
    /// added, 0 or more.
    pub fn new(capacity: u64, budget: f64, predictor: P) -> Self {
        Prefetcher {
            predictor,
            accuracy: Accuracy::default(),
            budget: Budget::new(budget),
            real: Outstanding::default(),
            shadow: Outstanding::default(),
            stats: PrefetchStats::default(),
            stage: capacity / STAGE_SHARE,
            staged: 0,
            capacity,
            demands: 0,
            now: 0,
            awake: 0,
            offered: 0,
            worth: 1.0,
            waits: [1.0; 2],
            measured: 0,
            patience: HORIZON as f32,
            issue: Vec::with_capacity(predictor::MOST),
            drop: Vec::new(),
        }
    }

    /// Counters since the beginning.
    pub fn stats(&self) -> &PrefetchStats {
        &self.stats
    }

    /// Whether this has been issued and waits for its first use.
    pub fn is_waiting(&self, hash: u64) -> bool {
        self.real.contains(hash)
    }

    /// What is to be fetched and staged after the latest demand.
    pub fn to_issue(&self) -> &[Candidate] {
        &self.issue
    }

    /// Hashes of what is to leave the stage after the latest demand, before anything comes.
    pub fn to_drop(&self) -> &[u64] {
        &self.drop
    }

    /// Something staged has left without having been asked for.
    pub fn withdrawn(&mut self, hash: u64) {
        if let Some(pending) = self.real.take(hash) {
            self.failed(&pending);
        }
    }

    /// What was issued has not been fetched and will not be: nothing is learned of it, and what it
    /// was to cost is given back.
    pub fn recalled(&mut self, hash: u64) {
        let Some(Pending { candidate, .. }) = self.real.take(hash) else { return };
        self.staged -= u64::from(candidate.size);
        self.stats.issued -= 1;
        self.budget.give_back();
    }

    /// The cache has another capacity from now on.
    pub fn resize(&mut self, capacity: u64) {
        (self.capacity, self.stage) = (capacity, capacity / STAGE_SHARE);
    }

    /// Room for what is staged.
    pub fn stage(&self) -> u64 {
        self.stage
    }

    /// Something was asked for that would not be there without prefetch: missed, or found staged.
    /// `is_resident` tells whether the cache holds an object already.
    pub fn demand(&mut self, access: &Access, was_staged: bool, is_resident: impl Fn(u64) -> bool) {
        self.issue.clear();
        self.drop.clear();
        self.demands += 1;
        self.now = access.now;
        self.resolve(access, was_staged);
        self.budget.demand(access.now, was_staged);
        if self.demands.is_multiple_of(PERIOD) {
            self.measure(access.now);
        }
        self.expire();
        let attention = match self.demands - self.awake {
            ..DORMANT => Attention::Full,
            _ => Attention::Sampled,
        };
        let mut candidates = Candidates::default();
        self.predictor.observe(access, attention, &mut candidates);
        for candidate in candidates.as_slice() {
            if candidate.hash != access.hash {
                self.consider(candidate, &is_resident);
            }
        }
    }

    /// Closes the prediction of what is asked for.
    #[inline]
    fn resolve(&mut self, access: &Access, was_staged: bool) {
        if !was_staged {
            // The stage may have been cleared for something large.
            self.withdrawn(access.hash);
        } else if let Some(Pending { candidate, tick, .. }) = self.real.take(access.hash) {
            self.accuracy.note(candidate.class, candidate.namespace, true);
            self.staged -= u64::from(candidate.size);
            self.stats.used += 1;
            self.waited(tick, true);
            self.patience += (HORIZON as f32 - self.patience) / 256.0;
        }
        if let Some(Pending { candidate, since, .. }) = self.shadow.take(access.hash) {
            let in_time = (self.demands - since) as f32 <= self.patience;
            self.accuracy.note(candidate.class, candidate.namespace, in_time);
        }
    }

    fn waited(&mut self, since: Tick, was_used: bool) {
        let wait = &mut self.waits[usize::from(!was_used)];
        *wait += ((self.now - since) as f32 - *wait) / 64.0;
    }

    /// Gives up what has waited for too long.
    #[inline]
    fn expire(&mut self) {
        while self.shadow.oldest().is_some_and(|pending| pending.since + HORIZON < self.demands) {
            if let Some(Pending { candidate, .. }) = self.shadow.pop() {
                self.accuracy.note(candidate.class, candidate.namespace, false);
            }
        }
        while self.real.oldest().is_some_and(|pending| pending.since + HORIZON < self.demands) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(pending) = self.real.pop() {
            self.failed(&pending);
            self.drop.push(pending.candidate.hash);
        }
    }

    fn failed(&mut self, pending: &Pending) {
        let Candidate { class, namespace, size, .. } = pending.candidate;
        self.waited(pending.tick, false);
        self.accuracy.note(class, namespace, false);
        self.staged -= u64::from(size);
    }

    #[inline]
    fn consider(&mut self, candidate: &Candidate, is_resident: &impl Fn(u64) -> bool) {
        let Candidate { hash, size, namespace, class, .. } = *candidate;
        let chance = self.accuracy.chance(class, namespace);
        let [used, failed] = self.waits;
        let wait = chance * used + (1.0 - chance) * failed;
        let is_worth_it = chance > self.worth * wait * size as f32;
        let is_chosen = chance >= self.budget.threshold() && is_worth_it;
        self.offered += 1;
        if !is_chosen && !self.offered.is_multiple_of(SAMPLED) {
            return;
        }
        if self.real.contains(hash) || self.shadow.contains(hash) || is_resident(hash) {
            return;
        }
        let weight = if is_chosen { 1.0 } else { SAMPLED as f32 };
        if is_worth_it {
            self.budget.offer(chance, weight);
        }
        let (since, tick) = (self.demands, self.now);
        let pending = Pending { candidate: *candidate, chance, since, tick };
        if is_chosen && self.budget.allows() && self.make_room(u64::from(size), chance) {
            self.budget.spend();
            self.awake = self.demands;
            self.staged += u64::from(size);
            self.stats.issued += 1;
            self.real.push(pending);
            self.issue.push(*candidate);
        } else if self.shadow.len() < FOLLOWED {
            self.shadow.push(pending);
        }
    }

    /// Drops from the stage the oldest that are less likely to be used than a newcomer of this
    /// chance, until there is room for it; whether there is.
    fn make_room(&mut self, size: u64, chance: f32) -> bool {
        if size > self.stage {
            return false;
        }
        while self.staged + size > self.stage || self.real.len() >= FOLLOWED {
            let Some(oldest) = self.real.oldest() else { return false };
            let age = (self.demands - oldest.since) as f32;
            let likely = oldest.chance * (1.0 - age / HORIZON as f32);
            if chance * (age / SETTLED).min(1.0) <= likely {
                return false;
            }
            self.patience -= (self.patience - age).max(0.0) / 8.0;
            self.drop_oldest();
        }
        true
    }

    /// Measures what room is worth: the hit ratio of what is resident, per unit of capacity.
    fn measure(&mut self, now: u64) {
        let ticks = now.saturating_sub(self.measured).max(1) as f32;
        let hits = (1.0 - PERIOD as f32 / ticks).max(0.0);
        self.worth = hits / self.capacity.max(1) as f32;
        self.measured = now;
    }

    /// Bytes held; bounded.
    pub fn memory_bytes(&self) -> usize {
        self.predictor.memory_bytes()
            + self.accuracy.memory_bytes()
            + self.real.memory_bytes()
            + self.shadow.memory_bytes()
    }
}
