//! What is fetched ahead of its demand, from the prediction to the use: the state under one lock.
//!
//! A key that the predictor names is *queued*; the loading layer takes it off the queue when its
//! threads have time, and it is *flying* until its load lands; then it is *staged*. Somebody who
//! asks for it while it flies makes it *awaited*: it will go to the cache and not to the stage.
//! Nothing in here runs foreign code; objects that are let go of are handed to the caller.

use std::collections::{HashMap, VecDeque};

use augury_core::hash::mix;
use augury_core::prefetch::Prefetcher;
use augury_core::prefetch::predictor::Candidate;
use augury_core::prefetch::successor::Successor;
use augury_core::request::Access;
use pyo3::prelude::*;

use super::Object;
use super::keys::Keys;

/// Keys that wait to be fetched, at most: what is not fetched soon is not worth fetching.
const QUEUED: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Queued,
    Flying,
    Awaited,
    Staged,
}

struct Foreseen {
    key: Object,
    phase: Phase,
}

/// Each fetched key is counted once as issued, and once as what became of it.
#[derive(Default, Clone, Copy)]
pub(super) struct Counts {
    /// Accesses that would have gone to the origin without prefetch.
    pub(super) demands: u64,
    pub(super) issued: u64,
    /// Used: staged when they were asked for, or on their way.
    pub(super) in_time: u64,
    pub(super) late: u64,
    /// Loads that raised.
    pub(super) failed: u64,
    /// Fetched in vain.
    pub(super) dropped: u64,
}

/// What a demand lets go of, for the caller to drop under no lock.
#[derive(Default)]
pub(super) struct Released {
    /// Keys whose values are to leave the stage.
    pub(super) staged: Vec<Object>,
    /// Nothing but to be dropped.
    pub(super) keys: Vec<Object>,
}

/// See the module's head.
pub(super) struct Foresight {
    prefetcher: Prefetcher<Successor>,
    keys: Keys,
    foreseen: HashMap<u64, Foreseen>,
    queue: VecDeque<u64>,
    /// Mean size of what is stored, the latest an eighth: for what was never seen.
    typical: f32,
    pub(super) counts: Counts,
}

impl Foresight {
    pub(super) fn new(capacity: u64, budget: f64) -> Self {
        Foresight {
            prefetcher: Prefetcher::new(capacity, budget, Successor::default()),
            keys: Keys::default(),
            foreseen: HashMap::new(),
            queue: VecDeque::new(),
            typical: 1.0,
            counts: Counts::default(),
        }
    }

    pub(super) fn phase(&self, hash: u64) -> Option<Phase> {
        self.foreseen.get(&hash).map(|one| one.phase)
    }

    /// The key was missed in the cache; `was_staged` where its value was in the stage and has been
    /// taken out. Queues what is to be fetched.
    pub(super) fn demand(
        &mut self,
        py: Python<'_>,
        mut access: Access,
        key: Object,
        was_staged: bool,
        is_resident: impl Fn(u64) -> bool,
        released: &mut Released,
    ) {
        let mut was_fetched = was_staged;
        match self.phase(access.hash) {
            // Without prefetch it would wait for the load of whoever asked first.
            Some(Phase::Awaited) => return released.keys.push(key),
            Some(Phase::Flying) => {
                self.set_phase(access.hash, Phase::Awaited);
                was_fetched = true;
            }
            Some(Phase::Queued) => self.recall(access.hash, released),
            Some(Phase::Staged) => {
                let one = self.foreseen.remove(&access.hash);
                if was_staged {
                    self.counts.in_time += 1;
                    released.keys.extend(one.map(|one| one.key));
                } else {
                    // Expired, or of another key with this hash.
                    self.counts.dropped += 1;
                    released.staged.extend(one.map(|one| one.key));
                }
            }
            None => {}
        }
        self.counts.demands += 1;
        let size = self.keys.note(access.hash, key, &mut released.keys);
        access.size = size.unwrap_or(self.typical as u32).max(1);
        self.prefetcher.demand(&access, was_fetched, is_resident);
        for at in 0..self.prefetcher.to_drop().len() {
            let hash = self.prefetcher.to_drop()[at];
            if let Some(one) = self.foreseen.remove(&hash) {
                self.counts.dropped += u64::from(one.phase != Phase::Queued);
                let is_staged = one.phase == Phase::Staged;
                if is_staged { &mut released.staged } else { &mut released.keys }.push(one.key);
            }
        }
        for at in 0..self.prefetcher.to_issue().len() {
            let candidate = self.prefetcher.to_issue()[at];
            self.enqueue(py, &candidate, released);
        }
    }

    fn enqueue(&mut self, py: Python<'_>, candidate: &Candidate, released: &mut Released) {
        let Candidate { hash, key: number, .. } = *candidate;
        let known = self.keys.get(hash).map(|key| key.clone_ref(py));
        // The next key of a run may never have been seen: small integers are their own hashes.
        let is_number = number != hash && mix(number) == hash;
        let key = known.or_else(|| {
            is_number.then(|| number.into_pyobject(py).ok().map(|key| key.into_any().unbind()))?
        });
        let (Some(key), false) = (key, self.foreseen.contains_key(&hash)) else {
            return self.prefetcher.recalled(hash);
        };
        self.foreseen.insert(hash, Foreseen { key, phase: Phase::Queued });
        self.queue.push_back(hash);
        while self.queue.len() > QUEUED {
            let Some(oldest) = self.queue.pop_front() else { break };
            if self.phase(oldest) == Some(Phase::Queued) {
                self.recall(oldest, released);
            }
        }
    }

    pub(super) fn has_queued(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Takes up to `limit` keys off the queue: they fly from now on.
    pub(super) fn launch(&mut self, py: Python<'_>, limit: usize) -> Vec<Object> {
        let mut keys = Vec::new();
        while keys.len() < limit {
            let Some(hash) = self.queue.pop_front() else { break };
            let Some(one) = self.foreseen.get_mut(&hash) else { continue };
            if one.phase == Phase::Queued {
                one.phase = Phase::Flying;
                self.counts.issued += 1;
                keys.push(one.key.clone_ref(py));
            }
        }
        keys
    }

    pub(super) fn set_phase(&mut self, hash: u64, phase: Phase) {
        if let Some(one) = self.foreseen.get_mut(&hash) {
            one.phase = phase;
        }
    }

    /// It will not be fetched after all, and never was.
    pub(super) fn recall(&mut self, hash: u64, released: &mut Released) {
        let Some(one) = self.foreseen.remove(&hash) else { return };
        // Somebody may have asked for it since it was taken off the queue.
        self.counts.issued -= u64::from(matches!(one.phase, Phase::Flying | Phase::Awaited));
        self.prefetcher.recalled(hash);
        released.keys.push(one.key);
    }

    /// Nothing flies any more, and nothing that did will land: after a fork.
    pub(super) fn recall_all(&mut self, released: &mut Released) {
        let flying = self.foreseen.iter().filter(|(_, one)| one.phase != Phase::Staged);
        for hash in flying.map(|(&hash, _)| hash).collect::<Vec<_>>() {
            self.recall(hash, released);
        }
        self.queue.clear();
    }

    /// A flight that somebody waits for has landed.
    pub(super) fn used_late(&mut self, hash: u64, released: &mut Released) {
        let one = self.foreseen.remove(&hash);
        self.counts.late += u64::from(one.is_some());
        released.keys.extend(one.map(|one| one.key));
    }

    /// The load has failed, or has found nothing; unless it has been done with already.
    pub(super) fn failed(&mut self, hash: u64, is_absent: bool, released: &mut Released) {
        if !matches!(self.phase(hash), Some(Phase::Flying | Phase::Awaited)) {
            return;
        }
        let Some(one) = self.foreseen.remove(&hash) else { return };
        *if is_absent { &mut self.counts.dropped } else { &mut self.counts.failed } += 1;
        self.prefetcher.withdrawn(hash);
        released.keys.push(one.key);
    }

    /// Nothing will come of it: written or removed, too large for the stage, or pushed out of it.
    pub(super) fn withdraw(&mut self, hash: u64, released: &mut Released) {
        let Some(phase) = self.phase(hash) else { return };
        match phase {
            Phase::Queued => return self.recall(hash, released),
            Phase::Awaited => return self.used_late(hash, released),
            Phase::Flying | Phase::Staged => self.counts.dropped += 1,
        }
        self.prefetcher.withdrawn(hash);
        let one = self.foreseen.remove(&hash).map(|one| one.key);
        if phase == Phase::Staged { &mut released.staged } else { &mut released.keys }.extend(one);
    }

    /// Everything is removed.
    pub(super) fn withdraw_all(&mut self, released: &mut Released) {
        for hash in self.foreseen.keys().copied().collect::<Vec<_>>() {
            self.withdraw(hash, released);
        }
    }

    /// An entry was stored with this size.
    pub(super) fn sized(&mut self, hash: u64, size: u32) {
        self.typical += (size as f32 - self.typical) / 8.0;
        self.keys.sized(hash, size);
    }

    /// Room for what is staged, after a change of the cache's capacity.
    pub(super) fn resize(&mut self, capacity: u64) -> u64 {
        self.prefetcher.resize(capacity);
        self.prefetcher.stage()
    }

    pub(super) fn stage(&self) -> u64 {
        self.prefetcher.stage()
    }

    /// Numbers of those that fly and that are staged.
    pub(super) fn pending(&self) -> (usize, usize) {
        let count = |wanted: &[Phase]| {
            self.foreseen.values().filter(|one| wanted.contains(&one.phase)).count()
        };
        (count(&[Phase::Flying, Phase::Awaited]), count(&[Phase::Staged]))
    }

    /// What the collector is shown.
    pub(super) fn objects(&self) -> impl Iterator<Item = &Object> {
        self.keys.iter().chain(self.foreseen.values().map(|one| &one.key))
    }

    /// All keys, for the caller to drop; what was predicted is forgotten.
    pub(super) fn take_objects(&mut self) -> Vec<Object> {
        let mut released = Released::default();
        self.withdraw_all(&mut released);
        released.keys.append(&mut released.staged);
        released.keys.append(&mut self.keys.take());
        released.keys
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let foreseen = self.foreseen.capacity() * (size_of::<(u64, Foreseen)>() + 1) * 8 / 7;
        self.prefetcher.memory_bytes() + self.keys.memory_bytes() + foreseen
    }
}
