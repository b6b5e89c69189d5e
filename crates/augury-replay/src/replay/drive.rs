//! The replay loop: requests into one shard without keys or values.
//!
//! `hash::mix` is a bijection, so an equal hash is an equal object and nothing is compared. Ticks
//! are positions in the trace. Reads count; writes insert or update uncounted; a delete removes.

use std::sync::Arc;

use augury_core::clock::Millis;
use augury_core::hash::mix;
use augury_core::metrics::{RemovalCause, Stats};
use augury_core::model::predictor::Predictor;
use augury_core::policy::Policy;
use augury_core::prefetch::predictor::{Candidate, Predictor as PrefetchPredictor};
use augury_core::prefetch::{PrefetchStats, Prefetcher};
use augury_core::request::{Access, NEVER, Op};
use augury_core::shard::{Drop, Shard};
use augury_core::slots::SlotId;

use super::prefetch::PrefetchSpec;
use crate::trace::Request;

/// Expired entries removed per request at most: more would be a pause, fewer a backlog.
const EXPIRIES_PER_REQUEST: usize = 16;

/// A predictor chosen while running.
type Ahead = Prefetcher<Box<dyn PrefetchPredictor + Send + Sync>>;

/// One cache being replayed.
pub struct Drive<P: Policy> {
    shard: Shard<(), (), P>,
    timed: bool,
    prefetcher: Option<Box<Ahead>>,
}

impl<P: Policy> Drive<P> {
    /// An empty cache.
    pub fn new(capacity: u64, policy: P) -> Self {
        Drive { shard: Shard::new(capacity, policy), timed: false, prefetcher: None }
    }

    /// Fetches ahead from now on; to be called once.
    pub fn prefetch_from_now(&mut self, spec: &PrefetchSpec) {
        let ahead = Ahead::new(self.shard.capacity(), spec.budget, spec.predictor.build());
        self.prefetcher = Some(Box::new(ahead));
    }

    /// What was fetched ahead, where anything might have been.
    pub fn prefetch_stats(&self) -> Option<&PrefetchStats> {
        self.prefetcher.as_ref().map(|ahead| ahead.stats())
    }

    /// Counters so far.
    pub fn stats(&self) -> &Stats {
        self.shard.stats()
    }

    /// The policy.
    pub fn policy(&self) -> &P {
        self.shard.policy()
    }

    /// The cache itself.
    pub fn shard(&self) -> &Shard<(), (), P> {
        &self.shard
    }

    /// Loads a trained model into the policy.
    pub fn set_predictor(&mut self, predictor: Option<Arc<Predictor>>) {
        self.shard.set_predictor(predictor);
    }

    /// Remembers up to `limit` decisions from now on.
    pub fn keep_journal(&mut self, limit: usize) {
        self.shard.keep_journal(limit);
    }

    /// Loads a model that was trained on what this cache saw lately: see
    /// [`Policy::renew_predictor`].
    pub fn renew_predictor(&mut self, predictor: Arc<Predictor>) {
        self.shard.renew_predictor(predictor);
    }

    /// The engine's bytes: index, slots, deadlines, policy.
    pub fn memory_bytes(&self) -> usize {
        let ahead = self.prefetcher.as_ref().map_or(0, |ahead| ahead.memory_bytes());
        self.shard.memory_bytes() + ahead
    }

    /// Room taken, by what is fetched ahead too.
    pub fn used(&self) -> u64 {
        self.shard.used()
    }

    /// Entries resident.
    pub fn len(&self) -> usize {
        self.shard.store().len()
    }

    /// Whether nothing is resident.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Replays the next requests.
    pub fn feed(&mut self, requests: &[Request]) {
        for request in requests {
            self.request(request);
        }
    }

    /// Replays one request.
    #[inline]
    pub fn request(&mut self, request: &Request) {
        let mut access = self.shard.begin(mix(request.key), request.key, request.size);
        access.next_access = request.next.unwrap_or(NEVER);
        access.session = request.session;
        access.namespace = request.namespace;
        access.time = u32::try_from(request.time).unwrap_or(u32::MAX);
        let found = self.find(&access, request.time);
        if request.op == Op::Get {
            self.read(&access, found, request);
        } else {
            self.operate(&access, found, request);
        }
    }

    #[inline]
    fn find(&mut self, access: &Access, time: u64) -> Option<SlotId> {
        if self.timed {
            self.shard.expire(time * 1000, EXPIRIES_PER_REQUEST, &mut Drop);
        }
        let found = self.shard.store().candidates(access.hash).next()?;
        if self.timed && self.shard.store().deadline(found).is_some_and(|at| at <= time * 1000) {
            self.shard.remove(found, RemovalCause::Expired, &mut Drop);
            return None;
        }
        Some(found)
    }

    #[inline]
    fn read(&mut self, access: &Access, found: Option<SlotId>, request: &Request) {
        match found {
            Some(id) => self.shard.hit(id, access, &mut Drop),
            None if self.prefetcher.is_some() => self.read_ahead(access, request),
            None => self.load(access, request),
        }
    }

    #[inline]
    fn load(&mut self, access: &Access, request: &Request) {
        self.shard.miss(access);
        let deadline = self.deadline(request);
        self.shard.insert(access, (), (), deadline, &mut Drop);
    }

    /// What is not resident may be staged; either way the prefetcher hears of it and its wishes
    /// are carried out. The loader is assumed to answer at once.
    fn read_ahead(&mut self, access: &Access, request: &Request) {
        let staged = self.shard.staged_candidates(access.hash).next();
        match staged {
            Some(id) => {
                let deadline = self.deadline(request);
                self.shard.promote(id, access, deadline, &mut Drop);
            }
            None => self.load(access, request),
        }
        let Some(ahead) = &mut self.prefetcher else { return };
        let store = self.shard.store();
        ahead.demand(access, staged.is_some(), |hash| store.candidates(hash).next().is_some());
        for &hash in ahead.to_drop() {
            let found = self.shard.staged_candidates(hash).next();
            if let Some(id) = found {
                self.shard.unstage(id, RemovalCause::Evicted, &mut Drop);
            }
        }
        for &Candidate { hash, key, size, namespace, .. } in ahead.to_issue() {
            let wanted = Access { namespace, ..Access::new(hash, key, size, access.now) };
            self.shard.stage(&wanted, (), (), &mut Drop);
        }
    }

    /// What is written or deleted is no longer worth waiting for.
    fn withdraw(&mut self, hash: u64) {
        let Some(id) = self.shard.staged_candidates(hash).next() else { return };
        self.shard.unstage(id, RemovalCause::Explicit, &mut Drop);
        if let Some(ahead) = &mut self.prefetcher {
            ahead.withdrawn(hash);
        }
    }

    #[cold]
    fn operate(&mut self, access: &Access, found: Option<SlotId>, request: &Request) {
        if request.op.is_read() {
            return self.read(access, found, request);
        }
        self.withdraw(access.hash);
        let deadline = self.deadline(request);
        match (request.op, found) {
            (Op::Delete, Some(id)) => self.shard.remove(id, RemovalCause::Explicit, &mut Drop),
            (Op::Delete, None) | (Op::Add, Some(_)) => {}
            (_, Some(id)) if u64::from(access.size) > self.shard.capacity() => {
                self.shard.remove(id, RemovalCause::Replaced, &mut Drop);
            }
            (_, Some(id)) => self.shard.replace(id, access, (), (), deadline, &mut Drop),
            (Op::Set | Op::Add, None) => {
                self.shard.announce(access);
                self.shard.insert(access, (), (), deadline, &mut Drop);
            }
            (_, None) => {}
        }
    }

    #[inline]
    fn deadline(&mut self, request: &Request) -> Option<Millis> {
        if request.ttl == 0 {
            return None;
        }
        self.timed = true;
        Some((request.time + u64::from(request.ttl)) * 1000)
    }
}
