//! Keys by their hashes: predictors speak of hashes, and loaders want keys.
//!
//! A bounded table in the order of arrival; what was asked for again since it came to the end goes
//! round once more. What it lets go of is handed to the caller, who drops it under no lock: a key's
//! destructor is foreign code.

use std::collections::{HashMap, VecDeque};

use super::Object;

/// Keys remembered at most.
const KEYS: usize = 65_536;

struct Known {
    key: Object,
    /// Size of its entry when it was last stored; 0 where it never was.
    size: u32,
    /// Asked for again since it came, or since it last went round.
    is_used: bool,
}

/// See the module's head.
#[derive(Default)]
pub(super) struct Keys {
    known: HashMap<u64, Known>,
    order: VecDeque<u64>,
}

impl Keys {
    /// The key was asked for; the size of its entry, where it is known. A key that makes way, or
    /// that was there already, is added to `gone`.
    pub(super) fn note(&mut self, hash: u64, key: Object, gone: &mut Vec<Object>) -> Option<u32> {
        if let Some(known) = self.known.get_mut(&hash) {
            known.is_used = true;
            gone.push(key);
            return (known.size > 0).then_some(known.size);
        }
        while self.known.len() >= KEYS {
            let Some(oldest) = self.order.pop_front() else { break };
            match self.known.get_mut(&oldest) {
                Some(known) if known.is_used => {
                    known.is_used = false;
                    self.order.push_back(oldest);
                }
                _ => gone.extend(self.known.remove(&oldest).map(|known| known.key)),
            }
        }
        self.known.insert(hash, Known { key, size: 0, is_used: false });
        self.order.push_back(hash);
        None
    }

    /// The entry was stored with this size.
    pub(super) fn sized(&mut self, hash: u64, size: u32) {
        if let Some(known) = self.known.get_mut(&hash) {
            known.size = size;
        }
    }

    pub(super) fn get(&self, hash: u64) -> Option<&Object> {
        self.known.get(&hash).map(|known| &known.key)
    }

    /// What the collector is shown.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Object> {
        self.known.values().map(|known| &known.key)
    }

    /// All keys, which the caller drops.
    pub(super) fn take(&mut self) -> Vec<Object> {
        self.order.clear();
        self.known.drain().map(|(_, known)| known.key).collect()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let entry = size_of::<(u64, Known)>() + 1;
        self.known.capacity() * entry * 8 / 7 + self.order.capacity() * size_of::<u64>()
    }
}
