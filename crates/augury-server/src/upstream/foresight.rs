//! Prefetch: what is loaded because it may be asked for next.
//!
//! The core's prefetcher says what, within its budget of extra loads; here are the keys behind its
//! hashes, and what was brought and waits for its first use. It waits beside the databases, so that
//! a wrong guess displaces nothing there.

use std::collections::VecDeque;
use std::sync::Arc;

use augury_core::clock::Millis;
#[cfg(test)]
use augury_core::prefetch::PrefetchStats;
use augury_core::prefetch::successor::Successor;
use augury_core::prefetch::{NAMESPACES, Prefetcher};
use augury_core::request::{Access, NEVER};
use rustc_hash::FxHashMap;

use crate::keyspace::Keyspace;
use crate::object::Object;

/// Keys remembered, whose hashes the prefetcher may name.
const NAMES: usize = 1 << 15;
/// Longest key that is remembered.
const KEY_MAX: usize = 512;
/// What a value is taken to weigh before one has come.
const WEIGHT: f32 = 256.0;

/// What was brought and waits.
pub struct Staged {
    /// Key and value.
    pub object: Object,
    /// When it ends.
    pub deadline: Option<Millis>,
}

/// Something that would have to be loaded without prefetch.
#[derive(Clone, Copy)]
pub struct Demand<'a> {
    /// Hash of the key.
    pub hash: u64,
    /// The key.
    pub key: &'a Arc<[u8]>,
    /// Requests so far.
    pub tick: u64,
    /// Whose: keys are expected to follow each other within one client's.
    pub session: u32,
    /// The time.
    pub now: Millis,
}

/// See the module's head.
pub struct Foresight {
    prefetcher: Prefetcher<Successor>,
    names: FxHashMap<u64, Arc<[u8]>>,
    order: VecDeque<u64>,
    staged: FxHashMap<u64, Staged>,
    bytes: u64,
    /// Mean weight of what was brought of late.
    weight: f32,
}

impl Foresight {
    /// Prefetches within a share of extra loads, for a server with so many bytes.
    pub fn new(budget: f64, memory: u64) -> Foresight {
        Foresight {
            prefetcher: Prefetcher::new(memory, budget, Successor::default()),
            names: FxHashMap::default(),
            order: VecDeque::new(),
            staged: FxHashMap::default(),
            bytes: 0,
            weight: WEIGHT,
        }
    }

    /// Something is asked for that is not in the databases. `was_brought`: it was prefetched, or is on
    /// its way for that. What is to be loaded now is added to `out`.
    pub fn demand(
        &mut self,
        demand: Demand<'_>,
        was_brought: bool,
        is_resident: impl Fn(u64) -> bool,
        out: &mut Vec<(u64, Arc<[u8]>)>,
    ) {
        let Demand { hash, key, tick, session, now } = demand;
        self.remember(hash, key);
        let access = Access {
            hash,
            key: hash,
            size: self.weight as u32,
            now: tick,
            next_access: NEVER,
            session,
            time: (now / 1000).try_into().unwrap_or(u32::MAX),
            namespace: namespace(key),
            heard: 0,
        };
        self.prefetcher.demand(&access, was_brought, is_resident);
        for &hash in self.prefetcher.to_drop() {
            if let Some(dropped) = self.staged.remove(&hash) {
                self.bytes -= Keyspace::weight(&dropped.object);
            }
        }
        let issued: Vec<u64> = self.prefetcher.to_issue().iter().map(|it| it.hash).collect();
        for hash in issued {
            match self.names.get(&hash) {
                Some(key) => out.push((hash, key.clone())),
                None => self.prefetcher.recalled(hash),
            }
        }
    }

    fn remember(&mut self, hash: u64, key: &Arc<[u8]>) {
        if key.len() > KEY_MAX || self.names.contains_key(&hash) {
            return;
        }
        if self.order.len() >= NAMES
            && let Some(oldest) = self.order.pop_front()
        {
            self.names.remove(&oldest);
        }
        self.names.insert(hash, key.clone());
        self.order.push_back(hash);
    }

    /// Whether a prefetch of this is on its way or waits.
    pub fn is_expected(&self, hash: u64) -> bool {
        self.prefetcher.is_waiting(hash)
    }

    /// Takes what was brought and is fresh.
    pub fn take(&mut self, hash: u64, key: &[u8], now: Millis) -> Option<Staged> {
        let staged = self.staged.remove(&hash)?;
        self.bytes -= Keyspace::weight(&staged.object);
        let is_fresh = staged.deadline.is_none_or(|at| at > now);
        if is_fresh && staged.object.is_under(0, key) {
            return Some(staged);
        }
        self.prefetcher.withdrawn(hash);
        None
    }

    /// A prefetch has brought this. It is dropped where it is not expected any more, or where there
    /// is no room.
    pub fn brought(&mut self, hash: u64, object: Object, deadline: Option<Millis>) {
        let weight = Keyspace::weight(&object);
        self.weigh(&object);
        if !self.prefetcher.is_waiting(hash) {
            return;
        }
        if self.bytes + weight > self.prefetcher.stage() {
            return self.prefetcher.withdrawn(hash);
        }
        self.bytes += weight;
        let before = self.staged.insert(hash, Staged { object, deadline });
        self.bytes -= before.map_or(0, |it| Keyspace::weight(&it.object));
    }

    /// A value was loaded: what such values weigh.
    pub fn weigh(&mut self, object: &Object) {
        self.weight += (Keyspace::weight(object) as f32 - self.weight) / 64.0;
    }

    /// A prefetch was not begun, or has brought nothing.
    pub fn recalled(&mut self, hash: u64) {
        self.prefetcher.recalled(hash);
    }

    /// The key was written or removed.
    pub fn forget(&mut self, hash: u64) {
        if let Some(dropped) = self.staged.remove(&hash) {
            self.bytes -= Keyspace::weight(&dropped.object);
        }
        self.prefetcher.withdrawn(hash);
    }

    /// Nothing that was brought waits any more.
    pub fn clear(&mut self) {
        let hashes: Vec<u64> = self.staged.keys().copied().collect();
        hashes.into_iter().for_each(|hash| self.forget(hash));
    }

    /// What has been done.
    #[cfg(test)]
    pub fn stats(&self) -> PrefetchStats {
        *self.prefetcher.stats()
    }

    /// How much waits: objects and bytes.
    pub fn staged(&self) -> (usize, u64) {
        (self.staged.len(), self.bytes)
    }
}

/// Keys that begin alike, up to the first colon or slash, are alike.
fn namespace(key: &[u8]) -> u16 {
    let Some(end) = memchr::memchr2(b':', b'/', key) else { return 0 };
    let hash = xxhash_rust::xxh3::xxh3_64(&key[..end]);
    (hash % (NAMESPACES as u64 - 1) + 1) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Chains of keys asked for one after another, in an order that does not repeat.
    #[test]
    fn what_follows_is_brought_before_it_is_asked_for_within_the_budget() {
        let mut foresight = Foresight::new(0.1, 64 << 20);
        let (mut issued, mut used, mut demands) = (0u64, 0u64, 0u64);
        for round in 0..4_000u64 {
            let chain = augury_core::hash::mix(round) % 500;
            for step in 0..8u64 {
                let name = format!("chain:{chain}:{step}");
                let key: Arc<[u8]> = name.as_bytes().into();
                let hash = xxhash_rust::xxh3::xxh3_64(&key);
                let staged = foresight.take(hash, &key, 0);
                used += u64::from(staged.is_some());
                let mut out = Vec::new();
                let demand = Demand { hash, key: &key, tick: demands, session: 0, now: 0 };
                foresight.demand(demand, staged.is_some(), |_| false, &mut out);
                demands += 1;
                for (hash, key) in out {
                    issued += 1;
                    foresight.brought(hash, Object::text(0, &key, b"value"), None);
                }
                let (count, bytes) = foresight.staged();
                assert!(bytes <= 8 << 20 && (count == 0) == (bytes == 0));
            }
        }
        let in_vain = issued - used;
        assert!(used > demands / 4, "{used} used of {issued}, {demands} demands");
        assert!(in_vain as f64 <= 0.1 * demands as f64 + 128.0, "{in_vain} of {demands}");
        assert_eq!((issued, used), (foresight.stats().issued, foresight.stats().used));
        foresight.clear();
        assert_eq!((0, 0), foresight.staged());
    }
}
