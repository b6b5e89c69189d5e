//! One shard: a store and a policy under one capacity.
//!
//! The engine room. Every door (replay, Python, server) ends in these verbs, each a short
//! sequence of store and policy calls with bounded work. A shard compares no keys, runs no
//! foreign code and drops no value: entries that leave go to a [`Sink`], which the caller empties
//! after letting go of the lock.

mod measuring;
mod restoring;
mod revising;

use std::sync::Arc;

use smallvec::SmallVec;

use crate::clock::Millis;
use crate::curve::MissRatioCurve;
use crate::metrics::{RemovalCause, Stats};
use crate::model::costs::Costs;
use crate::model::predictor::Predictor;
use crate::policy::explanation::Explanation;
use crate::policy::{Policy, Verdict};
use crate::request::{Access, Tick};
use crate::sampler::live::{Live, Sampled};
use crate::slots::SlotId;
use crate::store::Store;

/// Where removed entries go.
pub trait Sink<K, V> {
    /// Takes over an entry that has left.
    fn removed(&mut self, key: K, value: V, cause: RemovalCause);
}

/// Entries that have left, kept until the lock is released.
pub struct Removed<K, V> {
    /// The key.
    pub key: K,
    /// The value.
    pub value: V,
    /// Why it left.
    pub cause: RemovalCause,
}

impl<K, V> Sink<K, V> for Left<K, V> {
    fn removed(&mut self, key: K, value: V, cause: RemovalCause) {
        self.push(Removed { key, value, cause });
    }
}

/// Entries that have left, in the order of leaving. As a rule no more than two.
pub type Left<K, V> = SmallVec<[Removed<K, V>; 2]>;

impl<K, V> Sink<K, V> for Vec<Removed<K, V>> {
    fn removed(&mut self, key: K, value: V, cause: RemovalCause) {
        self.push(Removed { key, value, cause });
    }
}

/// Drops on the spot: for keys and values whose drop runs no foreign code (replay).
pub struct Drop;

impl<K, V> Sink<K, V> for Drop {
    #[inline]
    fn removed(&mut self, _key: K, _value: V, _cause: RemovalCause) {}
}

/// What became of an insertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// Resident in this slot.
    Stored(SlotId),
    /// The policy turned it away.
    Rejected,
    /// Larger than the whole cache.
    Oversized,
}

/// See the module's head.
pub struct Shard<K, V, P: Policy> {
    store: Store<K, V, P::Record>,
    /// What was prefetched and waits for its first use; none where nothing ever was.
    stage: Option<Box<Store<K, V, ()>>>,
    policy: P,
    capacity: u64,
    stats: Stats,
    tick: Tick,
    generation: u32,
    /// Feature rows for training; none where nobody asked for them.
    sampling: Option<Box<Live>>,
    /// What other capacities would give; none where nobody asked for it.
    curve: Option<Box<MissRatioCurve>>,
    /// Room that is taken elsewhere.
    reserved: u64,
    /// Hashes of the latest misses that the policy has not heard of, by their lowest bits.
    noted: [u64; NOTED],
}

/// Misses that are remembered until their objects come: more than are being loaded at a time.
const NOTED: usize = 64;

impl<K, V, P: Policy> Shard<K, V, P> {
    /// An empty shard. `capacity` is in the unit of the sizes that accesses carry.
    pub fn new(capacity: u64, mut policy: P) -> Self {
        policy.set_capacity(capacity);
        let (store, stats) = (Store::default(), Stats::default());
        let (stage, sampling, curve) = (None, None, None);
        let (tick, generation, reserved, noted) = (0, 0, 0, [0; NOTED]);
        Shard {
            store,
            stage,
            policy,
            capacity,
            stats,
            tick,
            generation,
            sampling,
            curve,
            reserved,
            noted,
        }
    }

    /// An empty shard that carries on this one's counters: what takes over when a policy has
    /// panicked. The entries of this one count as evicted.
    pub fn successor(&self, mut policy: P) -> Self {
        policy.set_capacity(self.capacity);
        let mut stats = self.stats;
        stats.evicted = stats.insertions.saturating_sub(stats.expired + stats.explicit);
        let generation = self.generation.wrapping_add(1);
        Shard {
            store: Store::default(),
            stage: None,
            policy,
            capacity: self.capacity,
            stats,
            tick: self.tick,
            generation,
            sampling: None,
            curve: None,
            reserved: self.reserved,
            noted: [0; NOTED],
        }
    }

    /// The store, to look for candidates and read entries.
    #[inline]
    pub fn store(&self) -> &Store<K, V, P::Record> {
        &self.store
    }

    /// The policy.
    pub fn policy(&self) -> &P {
        &self.policy
    }

    /// Counters since the beginning.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Requests seen so far.
    pub fn tick(&self) -> Tick {
        self.tick
    }

    /// Grows with every [`Shard::successor`]: slot versions compare within one generation only.
    #[inline]
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// The capacity.
    #[inline]
    pub fn capacity(&self) -> u64 {
        self.capacity
    }

    /// An access at the present tick; counts the request.
    #[inline]
    pub fn begin(&mut self, hash: u64, key: u64, size: u32) -> Access {
        if self.sampling.is_some() {
            self.sample(hash);
        }
        let now = self.tick;
        self.tick += 1;
        Access::new(hash, key, size, now)
    }

    /// A write that is no request of its own: it shares the tick of the latest request, so that
    /// a miss followed by its insertion is one request here as it is in a replayed trace.
    #[inline]
    pub fn write(&self, hash: u64, key: u64, size: u32) -> Access {
        Access::new(hash, key, size, self.tick.saturating_sub(1))
    }

    /// The access found `id`: fresh, compared, resident. Counts a hit; a size that differs is
    /// taken over and room made for it.
    #[inline]
    pub fn hit(&mut self, id: SlotId, access: &Access, sink: &mut impl Sink<K, V>) {
        self.stats.hits += 1;
        self.stats.requested_bytes += access.size as u64;
        self.measure(access.hash, Some(access.size), true);
        self.policy.on_hit(self.store.slots_mut(), id, access);
        if self.store.slots().size(id) != access.size {
            self.resize_entry(id, access.size, access.now, sink);
        }
    }

    /// The access found nothing. Counts a miss.
    #[inline]
    pub fn miss(&mut self, access: &Access) {
        self.stats.misses += 1;
        self.stats.requested_bytes += access.size as u64;
        self.stats.missed_bytes += access.size as u64;
        self.measure(access.hash, Some(access.size), false);
        self.policy.on_miss(self.store.slots(), access);
    }

    /// A miss of which the policy hears when its object comes, if it comes: until then there is
    /// nothing to decide, and most of what a miss costs is what the policy learns from it. Its size
    /// is not known before, so no bytes are counted.
    #[inline]
    pub fn miss_noted(&mut self, hash: u64) {
        self.stats.misses += 1;
        self.measure(hash, None, false);
        self.noted[hash as usize % NOTED] = hash;
    }

    /// Whether an object of this hash was missed lately, and the policy has not heard of it. Once
    /// for each miss.
    #[inline]
    pub fn take_noted(&mut self, hash: u64) -> bool {
        let noted = &mut self.noted[hash as usize % NOTED];
        let is_noted = *noted == hash;
        if is_noted {
            *noted = 0;
        }
        is_noted
    }

    /// A write is about to add an entry: the policy learns of the use, nothing is counted.
    pub fn announce(&mut self, access: &Access) {
        self.policy.on_miss(self.store.slots(), access);
    }

    /// Adds an entry whose key is not resident, making room first. Where the entry is not
    /// stored, key and value go to the sink as evicted.
    #[inline]
    pub fn insert(
        &mut self,
        access: &Access,
        key: K,
        value: V,
        deadline: Option<Millis>,
        sink: &mut impl Sink<K, V>,
    ) -> Inserted {
        match self.make_room(access, sink) {
            Ok(()) => Inserted::Stored(self.place(access, key, value, deadline)),
            Err(outcome) => {
                sink.removed(key, value, RemovalCause::Evicted);
                outcome
            }
        }
    }

    /// First half of [`Shard::insert`]: evicts until the newcomer fits, or says why it may not
    /// come in. A caller that keeps key and value until this is done can be sure that a policy's
    /// panic does not drop them under its lock.
    #[inline]
    pub fn make_room(
        &mut self,
        access: &Access,
        sink: &mut impl Sink<K, V>,
    ) -> Result<(), Inserted> {
        let size = self.admissible(access, sink)?;
        while self.used() + size > self.capacity {
            match self.policy.victim(self.store.slots_mut(), Some(access), access.now) {
                Verdict::Evict(id) => self.remove_at(id, RemovalCause::Evicted, access.now, sink),
                Verdict::Reject => {
                    self.policy.on_reject(access);
                    self.stats.rejections += 1;
                    return Err(Inserted::Rejected);
                }
            }
        }
        Ok(())
    }

    /// As [`Shard::make_room`], whatever the newcomer is worth.
    pub fn force_room(
        &mut self,
        access: &Access,
        sink: &mut impl Sink<K, V>,
    ) -> Result<(), Inserted> {
        let size = self.admissible(access, sink)?;
        while self.used() + size > self.capacity {
            self.evict_one(access.now, sink);
        }
        Ok(())
    }

    /// The newcomer's size, where the cache could hold it.
    #[inline]
    fn admissible(&mut self, access: &Access, sink: &mut impl Sink<K, V>) -> Result<u64, Inserted> {
        let size = access.size as u64;
        if size + self.reserved > self.capacity {
            self.stats.oversized += 1;
            return Err(Inserted::Oversized);
        }
        if self.staged() + self.reserved + size > self.capacity {
            self.clear_stage(sink);
        }
        Ok(size)
    }

    /// Second half of [`Shard::insert`]: stores the newcomer that room was made for.
    #[inline]
    pub fn place(&mut self, access: &Access, key: K, value: V, deadline: Option<Millis>) -> SlotId {
        let id = self.store.insert(access.hash, access.size, key, value);
        if deadline.is_some() {
            self.store.set_deadline(id, deadline);
        }
        self.stats.insertions += 1;
        self.arrived(access);
        self.policy.on_insert(self.store.slots_mut(), id, access);
        id
    }

    /// An object of this hash may be about to come in.
    #[inline]
    pub fn approach(&self, hash: u64) {
        self.policy.approach(hash);
    }

    /// Sets or clears a resident's deadline.
    pub fn set_deadline(&mut self, id: SlotId, deadline: Option<Millis>) {
        self.store.set_deadline(id, deadline);
    }

    /// Replaces a resident's value, size and deadline. The policy is told as of a hit: what is
    /// written is in use. The old value leaves through the sink with the newcomer's key, which
    /// is equal. The caller guarantees that the slot is live and the size within the capacity;
    /// where room has to be made the entry itself may be the victim.
    pub fn replace(
        &mut self,
        id: SlotId,
        access: &Access,
        key: K,
        value: V,
        deadline: Option<Millis>,
        sink: &mut impl Sink<K, V>,
    ) {
        debug_assert!(self.store.slots().is_live(id), "slot {id} is vacant");
        if let Some(old) = self.store.replace_value(id, value) {
            self.stats.removed(RemovalCause::Replaced);
            sink.removed(key, old, RemovalCause::Replaced);
            self.store.set_deadline(id, deadline);
            self.arrived(access);
            self.policy.on_hit(self.store.slots_mut(), id, access);
            self.resize_entry(id, access.size, access.now, sink);
        }
    }

    /// Room taken: by residents, by what is staged, and elsewhere.
    #[inline]
    pub fn used(&self) -> u64 {
        self.store.used() + self.staged() + self.reserved
    }

    /// Leaves so much of the capacity to others, evicting what no longer fits. To the policy the
    /// capacity stays what it was.
    pub fn reserve(&mut self, room: u64, sink: &mut impl Sink<K, V>) {
        self.reserved = room;
        if self.staged() + room > self.capacity {
            self.clear_stage(sink);
        }
        self.shrink(self.tick, sink);
    }

    /// Room taken by what is staged.
    #[inline]
    pub fn staged(&self) -> u64 {
        self.stage.as_ref().map_or(0, |stage| stage.used())
    }

    /// Staged entries whose key has this very hash.
    #[inline]
    pub fn staged_candidates(&self, hash: u64) -> impl Iterator<Item = SlotId> + '_ {
        self.stage.iter().flat_map(move |stage| stage.candidates(hash))
    }

    /// Adds a prefetched entry, which is no request: it takes room from the residents and waits
    /// in a stage of its own, where the policy neither sees nor evicts it, until
    /// [`Shard::promote`] or [`Shard::unstage`]. The caller guarantees that its key is neither
    /// resident nor staged, and bounds what is staged. Whether there is room.
    pub fn stage(&mut self, access: &Access, key: K, value: V, sink: &mut impl Sink<K, V>) -> bool {
        if u64::from(access.size) + self.staged() + self.reserved > self.capacity {
            sink.removed(key, value, RemovalCause::Evicted);
            return false;
        }
        while self.used() + u64::from(access.size) > self.capacity {
            self.evict_one(access.now, sink);
        }
        let stage = self.stage.get_or_insert_default();
        stage.insert(access.hash, access.size, key, value);
        true
    }

    /// The access found `id` staged: a hit. The policy sees what it would have seen without
    /// prefetch, a miss and an insertion, and may turn the newcomer away.
    pub fn promote(
        &mut self,
        id: SlotId,
        access: &Access,
        deadline: Option<Millis>,
        sink: &mut impl Sink<K, V>,
    ) -> Option<Inserted> {
        let (key, value) = self.stage.as_mut()?.remove(id)?;
        self.stats.hits += 1;
        self.stats.requested_bytes += access.size as u64;
        self.measure(access.hash, Some(access.size), true);
        self.policy.on_miss(self.store.slots(), access);
        Some(self.insert(access, key, value, deadline, sink))
    }

    /// Removes a staged entry that was not used.
    pub fn unstage(&mut self, id: SlotId, cause: RemovalCause, sink: &mut impl Sink<K, V>) {
        if let Some((key, value)) = self.stage.as_mut().and_then(|stage| stage.remove(id)) {
            sink.removed(key, value, cause);
        }
    }

    #[cold]
    fn clear_stage(&mut self, sink: &mut impl Sink<K, V>) {
        let Some(stage) = self.stage.take() else { return };
        let mut stage = *stage;
        for id in 0..stage.slots().bound() {
            if let Some((key, value)) = stage.remove(id) {
                sink.removed(key, value, RemovalCause::Evicted);
            }
        }
    }

    /// Removes a resident.
    #[inline]
    pub fn remove(&mut self, id: SlotId, cause: RemovalCause, sink: &mut impl Sink<K, V>) {
        self.remove_at(id, cause, self.tick, sink);
    }

    /// Removes up to `limit` residents whose deadline is at or before `now`; returns how many.
    pub fn expire(&mut self, now: Millis, limit: usize, sink: &mut impl Sink<K, V>) -> usize {
        self.expire_within(now, limit, usize::MAX, sink)
    }

    /// The same in bounded time: where many deadlines come near at once, at most so many entries are
    /// moved for that. [`Store::is_due`] says whether something may be left.
    pub fn expire_within(
        &mut self,
        now: Millis,
        limit: usize,
        mut moves: usize,
        sink: &mut impl Sink<K, V>,
    ) -> usize {
        let mut count = 0;
        while count < limit {
            let Some(id) = self.store.next_expired_within(now, &mut moves) else { break };
            self.remove_at(id, RemovalCause::Expired, self.tick, sink);
            count += 1;
        }
        count
    }

    /// See [`Store::prepare_deadlines`].
    pub fn prepare_deadlines(&mut self, now: Millis, limit: usize) -> usize {
        self.store.prepare_deadlines(now, limit)
    }

    /// Loads a trained model into the policy, exchanges it or lets go of it.
    pub fn set_predictor(&mut self, predictor: Option<Arc<Predictor>>) {
        self.policy.set_predictor(predictor);
    }

    /// Takes over what misses cost, by namespace.
    pub fn set_costs(&mut self, costs: Option<Costs>) {
        self.policy.set_costs(costs);
    }

    /// Remembers up to `limit` decisions from now on, for [`Shard::explain`].
    pub fn keep_journal(&mut self, limit: usize) {
        self.policy.keep_journal(limit);
    }

    /// Why the object of this hash is, or is not, resident (`id`, where it is).
    pub fn explain(&self, hash: u64, id: Option<SlotId>) -> Option<Explanation> {
        self.policy.explain(self.store.slots(), hash, id, self.tick.saturating_sub(1))
    }

    /// Keeps the latest `limit` feature rows from now on, with what became of them; none if 0.
    pub fn keep_samples(&mut self, limit: usize, seed: u64) {
        self.sampling = (limit > 0).then(|| Box::new(Live::new(limit, seed)));
    }

    /// The feature rows that are kept.
    pub fn sampled(&self) -> Option<Sampled> {
        self.sampling.as_ref().map(|live| live.sampled(self.tick))
    }

    /// Between two requests: the former is done, with the insertion that may have followed it;
    /// the latter asks for this.
    #[cold]
    fn sample(&mut self, hash: u64) {
        let Some(live) = &mut self.sampling else { return };
        if self.tick > 0 && self.stats.evicted > 0 {
            let sampler = live.decide(self.store.slots(), self.stats.insertions);
            self.policy.show(self.store.slots(), sampler, self.tick - 1);
        }
        live.asked(hash, self.tick);
    }

    /// Loads a model that was trained on what this cache saw lately: see
    /// [`Policy::renew_predictor`].
    pub fn renew_predictor(&mut self, predictor: Arc<Predictor>) {
        self.policy.renew_predictor(predictor);
    }

    /// Changes the capacity, evicting what no longer fits.
    pub fn resize(&mut self, capacity: u64, sink: &mut impl Sink<K, V>) {
        self.capacity = capacity;
        self.policy.set_capacity(capacity);
        if let Some(curve) = &mut self.curve {
            curve.set_capacity(capacity.max(1));
        }
        if self.staged() > capacity {
            self.clear_stage(sink);
        }
        self.shrink(self.tick, sink);
    }

    /// Evicts up to `limit` residents while more than `target` is used; the capacity stays. Lets
    /// a caller shrink in steps, its lock released between them. Whether it is done.
    pub fn evict_down(&mut self, target: u64, limit: usize, sink: &mut impl Sink<K, V>) -> bool {
        for _ in 0..limit {
            if self.store.used() <= target || self.store.is_empty() {
                return true;
            }
            self.evict_one(self.tick, sink);
        }
        self.store.used() <= target || self.store.is_empty()
    }

    /// Bytes of index, slots, deadlines and policy; not what keys and values own.
    pub fn memory_bytes(&self) -> usize {
        let staged = self.stage.as_ref().map_or(0, |stage| stage.memory_bytes());
        let sampling = self.sampling.as_ref().map_or(0, |live| live.memory_bytes());
        let curve = self.curve.as_ref().map_or(0, |curve| curve.memory_bytes());
        self.store.memory_bytes() + staged + self.policy.memory_bytes() + sampling + curve
    }

    fn resize_entry(&mut self, id: SlotId, size: u32, now: Tick, sink: &mut impl Sink<K, V>) {
        let old = self.store.slots().size(id);
        self.store.set_size(id, size);
        self.policy.on_resize(self.store.slots(), id, old);
        self.shrink(now, sink);
    }

    fn shrink(&mut self, now: Tick, sink: &mut impl Sink<K, V>) {
        while self.used() > self.capacity && !self.store.is_empty() {
            self.evict_one(now, sink);
        }
    }

    fn evict_one(&mut self, now: Tick, sink: &mut impl Sink<K, V>) {
        match self.policy.victim(self.store.slots_mut(), None, now) {
            Verdict::Evict(id) => self.remove_at(id, RemovalCause::Evicted, now, sink),
            Verdict::Reject => unreachable!("no newcomer to reject"),
        }
    }

    #[inline]
    fn remove_at(
        &mut self,
        id: SlotId,
        cause: RemovalCause,
        now: Tick,
        sink: &mut impl Sink<K, V>,
    ) {
        // A policy that names a vacant slot would be asked again for ever, under the lock.
        assert!(self.store.slots().is_live(id), "slot {id}, to be removed, is not resident");
        if let Some(curve) = &mut self.curve
            && matches!(cause, RemovalCause::Explicit | RemovalCause::Expired)
        {
            curve.forget(self.store.slots().hash(id));
        }
        self.store.fetch_leaving(id);
        self.policy.on_remove(self.store.slots_mut(), id, cause, now);
        if let Some((key, value)) = self.store.remove(id) {
            self.stats.removed(cause);
            sink.removed(key, value, cause);
        }
        if cause == RemovalCause::Evicted
            && let Some(next) = self.policy.likely_next()
        {
            // Places are struck off late: it may be vacant.
            if self.store.slots().is_live(next) {
                self.store.fetch_leaving(next);
                self.policy.approach(self.store.slots().hash(next));
            }
        }
    }
}
