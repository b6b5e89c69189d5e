//! The engine under whatever policy: one call through a table per operation.

use augury_core::cache::{
    self, Cursor, Export, Gone, Kept, Memory, Newcomer, Noted, Outcome, Peeked, When,
};
use augury_core::clock::Millis;
use augury_core::curve::CurvePoint;
use augury_core::hash::mix;
use augury_core::metrics::Stats;
use augury_core::model::costs::Costs;
use augury_core::model::predictor::Predictor;
use augury_core::policy::Policy;
use augury_core::policy::explanation::Explanation;
use augury_core::sampler::live::Sampled;
use augury_core::saved::SavedError;
use augury_core::shard::Removed;
use augury_replay::replay::{PolicyName, WithMaker};
use pyo3::prelude::*;
use std::sync::Arc;

use super::Object;
use super::key::Asked;
use super::time::{Shared, Time};

/// An answer, or what a key's `==` has raised: in a box, so that answers travel in registers.
pub(super) type Answer<T> = Result<T, Box<PyErr>>;

/// What has left and is to be told of and dropped.
pub(super) type Left = Gone<Object, Object>;

/// The verbs of `augury_core::cache` that are used here, which documents them.
pub(super) trait Engine: Send + Sync {
    fn get(&self, asked: Asked<'_, '_>, left: &mut Left) -> Answer<Option<Object>>;
    fn peek(&self, asked: Asked<'_, '_>, left: &mut Left) -> Answer<Option<Peeked<Object>>>;
    fn contains(&self, asked: Asked<'_, '_>, left: &mut Left) -> Answer<bool>;
    fn insert(
        &self,
        newcomer: Newcomer<Object, Object>,
        when: When<'_, Object>,
        asked: Asked<'_, '_>,
        left: &mut Left,
    ) -> Answer<Outcome>;
    fn remove(
        &self,
        asked: Asked<'_, '_>,
        left: &mut Left,
    ) -> Answer<Option<Removed<Object, Object>>>;
    fn set_deadline(
        &self,
        asked: Asked<'_, '_>,
        deadline: Option<Millis>,
        left: &mut Left,
    ) -> Answer<bool>;
    fn explain(&self, asked: Asked<'_, '_>, left: &mut Left) -> Answer<Option<Explanation>>;
    fn clear(&self, left: &mut Left);
    fn expire(&self, limit: usize, left: &mut Left) -> usize;
    fn resize(&self, capacity: u64, left: &mut Left);
    fn reserve(&self, room: u64, left: &mut Left);
    fn next_entries(&self, cursor: &mut Cursor, batch: &mut Vec<(Object, Object)>) -> bool;
    fn next_noted(&self, cursor: &mut Cursor, batch: &mut Vec<Noted<Object>>) -> bool;
    fn visit(&self, show: &mut dyn FnMut(&Object, &Object));
    fn holds(&self, hash: u64) -> bool;
    fn len(&self) -> usize;
    fn used(&self) -> u64;
    fn capacity(&self) -> u64;
    fn memory_bytes(&self) -> usize;
    fn stats(&self) -> Stats;
    fn set_predictor(&self, predictor: Option<Arc<Predictor>>);
    fn set_costs(&self, costs: Costs);
    fn sampled(&self) -> Option<Sampled>;
    fn curve(&self) -> Option<[CurvePoint; 4]>;
    fn export(&self) -> Export<Object, Object>;
    fn memories(&self) -> Vec<Memory>;
    fn restore_memory(&self, memories: &[Memory]) -> Result<(), SavedError>;
    fn hear(&self, heats: &[(u64, f32)]) -> usize;
    fn restore(
        &self,
        asked: Asked<'_, '_>,
        kept: Kept<Object, Object>,
        left: &mut Left,
    ) -> Answer<bool>;
}

type Concurrent<P> = cache::Cache<Object, Object, P, Shared>;

impl<P: Policy + Send + 'static> Engine for Concurrent<P> {
    #[inline]
    fn get(&self, asked: Asked<'_, '_>, left: &mut Left) -> Answer<Option<Object>> {
        Concurrent::get(self, asked.hash, asked, left)
    }

    fn peek(&self, asked: Asked<'_, '_>, left: &mut Left) -> Answer<Option<Peeked<Object>>> {
        Concurrent::peek(self, asked.hash, asked, left)
    }

    fn contains(&self, asked: Asked<'_, '_>, left: &mut Left) -> Answer<bool> {
        Concurrent::contains(self, asked.hash, asked, left)
    }

    fn insert(
        &self,
        newcomer: Newcomer<Object, Object>,
        when: When<'_, Object>,
        asked: Asked<'_, '_>,
        left: &mut Left,
    ) -> Answer<Outcome> {
        Concurrent::insert(self, newcomer, when, asked, left)
    }

    fn remove(
        &self,
        asked: Asked<'_, '_>,
        left: &mut Left,
    ) -> Answer<Option<Removed<Object, Object>>> {
        Concurrent::remove(self, asked.hash, asked, left)
    }

    fn set_deadline(
        &self,
        asked: Asked<'_, '_>,
        deadline: Option<Millis>,
        left: &mut Left,
    ) -> Answer<bool> {
        Concurrent::set_deadline(self, asked.hash, deadline, asked, left)
    }

    fn explain(&self, asked: Asked<'_, '_>, left: &mut Left) -> Answer<Option<Explanation>> {
        Concurrent::explain(self, asked.hash, asked, left)
    }

    fn clear(&self, left: &mut Left) {
        Concurrent::clear(self, left);
    }

    fn expire(&self, limit: usize, left: &mut Left) -> usize {
        Concurrent::expire(self, limit, left)
    }

    fn resize(&self, capacity: u64, left: &mut Left) {
        Concurrent::resize(self, capacity, left);
    }

    fn reserve(&self, room: u64, left: &mut Left) {
        Concurrent::reserve(self, room, left);
    }

    fn next_entries(&self, cursor: &mut Cursor, batch: &mut Vec<(Object, Object)>) -> bool {
        Concurrent::next_entries(self, cursor, batch)
    }

    fn next_noted(&self, cursor: &mut Cursor, batch: &mut Vec<Noted<Object>>) -> bool {
        Concurrent::next_noted(self, cursor, batch)
    }

    fn visit(&self, show: &mut dyn FnMut(&Object, &Object)) {
        Concurrent::visit(self, show);
    }

    fn holds(&self, hash: u64) -> bool {
        Concurrent::holds(self, hash)
    }

    fn len(&self) -> usize {
        Concurrent::len(self)
    }

    fn used(&self) -> u64 {
        Concurrent::used(self)
    }

    fn capacity(&self) -> u64 {
        Concurrent::capacity(self)
    }

    fn memory_bytes(&self) -> usize {
        Concurrent::memory_bytes(self)
    }

    fn stats(&self) -> Stats {
        Concurrent::stats(self)
    }

    fn set_predictor(&self, predictor: Option<Arc<Predictor>>) {
        Concurrent::set_predictor(self, predictor);
    }

    fn set_costs(&self, costs: Costs) {
        Concurrent::set_costs(self, Some(costs));
    }

    fn sampled(&self) -> Option<Sampled> {
        Concurrent::sampled(self)
    }

    fn curve(&self) -> Option<[CurvePoint; 4]> {
        Concurrent::curve(self)
    }

    fn export(&self) -> Export<Object, Object> {
        Concurrent::export(self)
    }

    fn memories(&self) -> Vec<Memory> {
        Concurrent::memories(self)
    }

    fn hear(&self, heats: &[(u64, f32)]) -> usize {
        Concurrent::hear(self, heats)
    }

    fn restore_memory(&self, memories: &[Memory]) -> Result<(), SavedError> {
        Concurrent::restore_memory(self, memories)
    }

    fn restore(
        &self,
        asked: Asked<'_, '_>,
        kept: Kept<Object, Object>,
        left: &mut Left,
    ) -> Answer<bool> {
        Concurrent::restore(self, asked.hash, kept, asked, left)
    }
}

/// What a cache is made of.
pub(super) struct Plan {
    pub(super) policy: PolicyName,
    pub(super) capacity: u64,
    pub(super) seed: u64,
    pub(super) journal: usize,
    pub(super) samples: usize,
    pub(super) curve: bool,
    pub(super) time: Arc<Time>,
}

impl Plan {
    pub(super) fn build(self) -> Box<dyn Engine> {
        self.policy.maker(self)
    }
}

impl WithMaker for Plan {
    type Output = Box<dyn Engine>;

    fn with<P: Policy + Send + 'static>(
        self,
        make: impl Fn(u64) -> P + Send + Sync + 'static,
    ) -> Box<dyn Engine> {
        let Plan { capacity, seed, journal, samples, curve, time, .. } = self;
        let cache =
            Concurrent::new(capacity, 1, Shared(time), move |at| make(mix(seed ^ at as u64)));
        cache.keep_journal(journal);
        cache.keep_samples(samples, seed);
        cache.keep_curve(curve);
        Box::new(cache)
    }
}
