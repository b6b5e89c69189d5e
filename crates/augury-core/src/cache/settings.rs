//! What learning needs of a running cache: a model to load, decisions and rows to keep, and
//! explanations.
//!
//! Each is set for all shards, one after the other; of two calls at once the later one holds.

use std::sync::Arc;

use super::keyed::Needs;
use super::lookup::Found;
use super::{Cache, Gone, Probe};
use crate::clock::Clock;
use crate::hash::mix;
use crate::model::costs::Costs;
use crate::model::predictor::Predictor;
use crate::policy::Policy;
use crate::policy::explanation::Explanation;
use crate::sampler::live::Sampled;
use crate::shard::Shard;

/// What all shards have in common, those included that take over after a panic.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    predictor: Option<Arc<Predictor>>,
    costs: Option<Costs>,
    /// Decisions remembered, over all shards.
    journal: usize,
    /// Feature rows kept, over all shards.
    samples: usize,
    /// Of the sampling.
    seed: u64,
    /// Whether shards measure their curves.
    pub(super) curve: bool,
}

impl Settings {
    /// Sets up a shard that is new.
    pub(super) fn apply<K, V, P: Policy>(
        &self,
        shard: &mut Shard<K, V, P>,
        at: usize,
        shards: usize,
    ) {
        shard.set_predictor(self.predictor.clone());
        shard.set_costs(self.costs.clone());
        self.apply_journal(shard, shards);
        self.apply_samples(shard, at, shards);
        shard.keep_curve(self.curve);
    }

    fn apply_journal<K, V, P: Policy>(&self, shard: &mut Shard<K, V, P>, shards: usize) {
        shard.keep_journal(self.journal.div_ceil(shards));
    }

    fn apply_samples<K, V, P: Policy>(&self, shard: &mut Shard<K, V, P>, at: usize, shards: usize) {
        shard.keep_samples(self.samples.div_ceil(shards), mix(self.seed ^ at as u64));
    }
}

impl<K, V, P: Policy, C: Clock> Cache<K, V, P, C> {
    /// Loads a trained model, exchanges it or lets go of it, while the cache is at work.
    pub fn set_predictor(&self, predictor: Option<Arc<Predictor>>) {
        // The old one is held until no shard has it any more: a large one is freed unlocked.
        let _old = std::mem::replace(&mut self.shards.settings().predictor, predictor);
        for at in 0..self.shards.count() {
            let mut shard = self.shards.lock(at);
            let latest = self.shards.settings().predictor.clone();
            shard.set_predictor(latest);
        }
    }

    /// Takes over what misses cost, by the namespaces' places.
    pub fn set_costs(&self, costs: Option<Costs>) {
        self.shards.settings().costs = costs;
        for at in 0..self.shards.count() {
            let mut shard = self.shards.lock(at);
            let latest = self.shards.settings().costs.clone();
            shard.set_costs(latest);
        }
    }

    /// Remembers up to `limit` decisions, about evenly over the shards, from now on.
    pub fn keep_journal(&self, limit: usize) {
        self.shards.settings().journal = limit;
        for at in 0..self.shards.count() {
            let mut shard = self.shards.lock(at);
            self.shards.settings().apply_journal(&mut shard, self.shards.count());
        }
    }

    /// Keeps the latest `limit` feature rows, about evenly over the shards, from now on; none if
    /// 0. What was kept before is let go of.
    pub fn keep_samples(&self, limit: usize, seed: u64) {
        {
            let mut settings = self.shards.settings();
            (settings.samples, settings.seed) = (limit, seed);
        }
        for at in 0..self.shards.count() {
            let mut shard = self.shards.lock(at);
            self.shards.settings().apply_samples(&mut shard, at, self.shards.count());
        }
    }

    /// The feature rows that are kept, with what has become of them; none where none are kept.
    pub fn sampled(&self) -> Option<Sampled> {
        let parts = (0..self.shards.count()).map(|at| self.shards.lock(at).sampled());
        Sampled::merged(parts.collect::<Option<Vec<_>>>()?)
    }
}

impl<K: Clone, V, P: Policy, C: Clock> Cache<K, V, P, C> {
    /// Why the key is, or is not, resident. Not an access; none from policies that explain
    /// nothing.
    pub fn explain<Q: Probe<K>>(
        &self,
        hash: u64,
        mut probe: Q,
        gone: &mut Gone<K, V>,
    ) -> Result<Option<Explanation>, Q::Error> {
        self.settle(hash, &mut probe, gone, Needs::NOTHING, |shard, found, _, _| {
            let id = match found {
                Found::At(id) => Some(id),
                Found::Absent | Found::Undecided => None,
            };
            shard.explain(hash, id)
        })
    }
}
