//! The replay loop: requests into one shard without keys or values.
//!
//! `hash::mix` is a bijection, so an equal hash is an equal object and nothing is compared. Ticks
//! are positions in the trace. Reads count; writes insert or update uncounted; a delete removes.

use augury_core::clock::Millis;
use augury_core::hash::mix;
use augury_core::metrics::{RemovalCause, Stats};
use augury_core::policy::Policy;
use augury_core::request::{Access, NEVER, Op};
use augury_core::shard::{Drop, Shard};
use augury_core::slots::SlotId;

use crate::trace::Request;

/// Expired entries removed per request at most: more would be a pause, fewer a backlog.
const EXPIRIES_PER_REQUEST: usize = 16;

/// One cache being replayed.
pub struct Drive<P: Policy> {
    shard: Shard<(), (), P>,
    timed: bool,
}

impl<P: Policy> Drive<P> {
    /// An empty cache.
    pub fn new(capacity: u64, policy: P) -> Self {
        Drive { shard: Shard::new(capacity, policy), timed: false }
    }

    /// Counters so far.
    pub fn stats(&self) -> &Stats {
        self.shard.stats()
    }

    /// The policy.
    pub fn policy(&self) -> &P {
        self.shard.policy()
    }

    /// The engine's bytes: index, slots, deadlines, policy.
    pub fn memory_bytes(&self) -> usize {
        self.shard.memory_bytes()
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

    #[inline]
    fn request(&mut self, request: &Request) {
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
            None => {
                self.shard.miss(access);
                let deadline = self.deadline(request);
                self.shard.insert(access, (), (), deadline, &mut Drop);
            }
        }
    }

    #[cold]
    fn operate(&mut self, access: &Access, found: Option<SlotId>, request: &Request) {
        let deadline = self.deadline(request);
        match (request.op, found) {
            (op, _) if op.is_read() => self.read(access, found, request),
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
