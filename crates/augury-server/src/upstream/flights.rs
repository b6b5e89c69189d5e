//! Loads under way: one for each key, who waits for it, and whether what it brings may be stored.
//!
//! A write revokes the load of its key: what it brings goes to those who waited before the write, whose
//! requests are as old as the load, and is not stored; who asks after the write begins another. So
//! no load undoes a write, and nobody reads what is older than a write that was answered.

use std::collections::HashMap;
use std::sync::Arc;

use augury_core::clock::Millis;
use rustc_hash::FxHashMap;

use crate::client::Handle;

/// Number of a load, never used twice.
pub type LoadId = u64;

/// What a load was begun for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Somebody asks for the key.
    Demand,
    /// What is stored ends soon.
    Refresh,
    /// The key may be asked for next.
    Prefetch,
}

/// Somebody who is to be told what a load brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiter {
    /// The client.
    pub handle: Handle,
    /// Which of its waits it is.
    pub token: u64,
    /// Whether its command waits for this; else one that follows it will ask for it.
    pub is_parked: bool,
    /// Whether it wants what was brought itself: it has been stored for it before, and was gone again.
    pub wants_copy: bool,
}

/// A load under way.
#[derive(Debug)]
pub struct Load {
    /// Its key.
    pub key: Arc<[u8]>,
    /// Hash of the key.
    pub hash: u64,
    /// What it was begun for; who joins makes a demand of it.
    pub purpose: Purpose,
    /// When it began.
    pub since: Millis,
    /// Whether what it brings is not to be stored.
    pub is_revoked: bool,
    /// Who waits for it.
    pub waiters: Vec<Waiter>,
}

/// See the module's head.
#[derive(Debug, Default)]
pub struct Flights {
    loads: FxHashMap<LoadId, Load>,
    /// Those that may still be joined.
    by_key: HashMap<Arc<[u8]>, LoadId>,
    latest: LoadId,
}

impl Flights {
    /// Number of loads under way, revoked ones among them.
    pub fn len(&self) -> usize {
        self.loads.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.loads.is_empty()
    }

    /// Waits for the load of a key that is under way; whether there is one.
    pub fn join(&mut self, key: &[u8], waiter: Waiter) -> bool {
        let load = self.by_key.get(key).and_then(|id| self.loads.get_mut(id));
        let Some(load) = load else { return false };
        load.purpose = Purpose::Demand;
        load.waiters.push(waiter);
        true
    }

    /// Whether the load of a key is under way.
    pub fn holds(&self, key: &[u8]) -> bool {
        self.by_key.contains_key(key)
    }

    /// Begins a load of a key of which none is under way.
    pub fn begin(&mut self, key: Arc<[u8]>, hash: u64, purpose: Purpose, now: Millis) -> LoadId {
        self.latest += 1;
        let waiters = Vec::new();
        self.by_key.insert(key.clone(), self.latest);
        let load = Load { key, hash, purpose, since: now, is_revoked: false, waiters };
        self.loads.insert(self.latest, load);
        self.latest
    }

    /// The key was written: what the load under way brings is not stored; whether there is one.
    pub fn revoke(&mut self, key: &[u8]) -> bool {
        let Some(id) = self.by_key.remove(key) else { return false };
        if let Some(load) = self.loads.get_mut(&id) {
            load.is_revoked = true;
        }
        true
    }

    /// As [`Flights::revoke`] of all keys; how many loads it were.
    pub fn revoke_all(&mut self) -> usize {
        let count = self.by_key.len();
        for (_, id) in self.by_key.drain() {
            if let Some(load) = self.loads.get_mut(&id) {
                load.is_revoked = true;
            }
        }
        count
    }

    /// A load has ended; none where it had ended before.
    pub fn end(&mut self, id: LoadId) -> Option<Load> {
        let load = self.loads.remove(&id)?;
        if !load.is_revoked {
            self.by_key.remove(&load.key);
        }
        Some(load)
    }

    /// The loads that began before a moment.
    pub fn begun_before(&self, moment: Millis) -> Vec<LoadId> {
        let mut found: Vec<LoadId> = self
            .loads
            .iter()
            .filter_map(|(&id, load)| (load.since < moment).then_some(id))
            .collect();
        found.sort_unstable();
        found
    }
}
