//! What to keep: the two contracts that every eviction and admission decision goes through.
//!
//! - [`Policy`], structural: told of every hit, insertion and removal, names the victim. One file
//!   each in [`eviction`].
//! - [`Ranking`](ranking::Ranking), pure: a record, a size and the time to a score; exchangeable while running.
//!   Sampled eviction, shadows and models use it.
//!
//! Policies see slot numbers, sizes, hashes and ticks, never keys, values, clocks or the store.

pub mod eviction;
pub mod explanation;
pub mod forecast;
pub mod journal;
pub mod learner;
pub mod ranking;
pub mod sampled;
pub mod sweep;

use std::sync::Arc;

use crate::history::SavedHistory;
use crate::metrics::RemovalCause;
use crate::model::costs::Costs;
use crate::model::predictor::Predictor;
use crate::request::{Access, Tick};
use crate::sampler::Sampler;
use crate::saved::SavedError;
use crate::slots::{SlotId, Slots};

use explanation::Explanation;
use forecast::{Forecast, Shadowing};

/// What a policy answers when room is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Remove this resident.
    Evict(SlotId),
    /// Turn the newcomer away and keep what is resident.
    Reject,
}

/// A structural eviction policy.
///
/// For one request the cache calls, in this order: `on_hit` for a hit; for a miss `on_miss`, then
/// `victim` and `on_remove` until the newcomer fits, then `on_insert`, or `on_reject` where a
/// verdict was [`Verdict::Reject`].
///
/// Laws, checked for every policy by one conformance suite: the victim is resident; a slot leaves
/// exactly once; the policy's own count equals the store's; same seed, same victims; a hit
/// allocates nothing.
pub trait Policy {
    /// Inline record in each slot; the store never interprets it.
    type Record: Copy + Default + Send;

    /// The capacity, in the unit of the sizes. Called before the first request and at a resize.
    fn set_capacity(&mut self, capacity: u64);

    /// Loads a trained model, exchanges it or lets go of it: no flush, no pause. Policies that
    /// have no use for one ignore it.
    fn set_predictor(&mut self, _predictor: Option<Arc<Predictor>>) {}

    /// Takes over what misses cost, by namespace. Policies that have no use for it ignore it.
    fn set_costs(&mut self, _costs: Option<Costs>) {}

    /// Remembers up to `limit` decisions from now on, for [`Policy::explain`]. Policies that
    /// explain nothing ignore it.
    fn keep_journal(&mut self, _limit: usize) {}

    /// Why the object of this hash is, or is not, among the residents; `id` is its slot, where it
    /// is one. None from policies that explain nothing.
    fn explain(
        &self,
        _slots: &Slots<Self::Record>,
        _hash: u64,
        _id: Option<SlotId>,
        _now: Tick,
    ) -> Option<Explanation> {
        None
    }

    /// When the object of this hash is expected to be asked for; `id` is its slot, where it is
    /// resident. None from policies that expect nothing, and where nothing is remembered of it.
    fn forecast(
        &self,
        _slots: &Slots<Self::Record>,
        _hash: u64,
        _id: Option<SlotId>,
        _now: Tick,
    ) -> Option<Forecast> {
        None
    }

    /// The share of the requests that a resident has had of late, older ones counted for less; none
    /// from policies that do not remember it.
    fn share(&self, _slots: &Slots<Self::Record>, _id: SlotId, _now: Tick) -> Option<f64> {
        None
    }

    /// How the experts' shadows do, where the policy chooses by shadows.
    fn shadowing(&self) -> Option<Shadowing> {
        None
    }

    /// Shows its residents to a sampler, after the request of tick `now`. Policies whose records
    /// are no histories ignore it.
    fn show(&self, _slots: &Slots<Self::Record>, _sampler: &mut Sampler, _now: Tick) {}

    /// Loads a model that was trained on what this cache saw lately and is better than the one
    /// before it, if any: it takes over what that one has earned or lost, and is on trial from now on
    /// where that one was not.
    fn renew_predictor(&mut self, predictor: Arc<Predictor>) {
        self.set_predictor(Some(predictor));
    }

    /// Takes over how hot an object is by what several caches have seen of it; `id` is its slot, where
    /// it is resident. Whether anything is remembered of it here. Policies that go by no heat ignore it.
    fn hear(
        &mut self,
        _slots: &mut Slots<Self::Record>,
        _hash: u64,
        _id: Option<SlotId>,
        _heat: f32,
        _now: Tick,
    ) -> bool {
        false
    }

    /// What has been learned of objects in general, as bytes for [`Policy::restore`]; none where
    /// nothing is. Requests so far: `now`.
    fn save(&self, _now: Tick) -> Option<Vec<u8>> {
        None
    }

    /// Takes over what [`Policy::save`] wrote in another cache, in place of what has been learned
    /// here. The caller guarantees that the capacity is set and nothing resident.
    ///
    /// # Errors
    /// The bytes are not what this policy writes; nothing has changed.
    fn restore(&mut self, _saved: &[u8], _now: Tick) -> Result<(), SavedError> {
        Ok(())
    }

    /// What is remembered of a resident, in a form that another cache understands; none where
    /// the record means nothing elsewhere.
    fn save_record(
        &self,
        _slots: &Slots<Self::Record>,
        _id: SlotId,
        _now: Tick,
    ) -> Option<SavedHistory> {
        None
    }

    /// The residents about in the order in which they would leave: inserted anew in this order
    /// they keep their standing. By default in the order of their slots.
    fn leaving_order(&self, slots: &Slots<Self::Record>, _now: Tick) -> Vec<SlotId> {
        slots.iter_live().collect()
    }

    /// As [`Policy::on_insert`] for an entry that was resident in another cache, with what that
    /// one remembered of it. No request: nothing was asked for.
    fn on_restore(
        &mut self,
        slots: &mut Slots<Self::Record>,
        id: SlotId,
        access: &Access,
        _saved: Option<SavedHistory>,
    ) {
        self.on_insert(slots, id, access);
    }

    /// An object of this hash may be about to come in: a policy that keeps memory of what has left
    /// can begin to fetch it.
    fn approach(&self, _hash: u64) {}

    /// Who may well be the next victim, where the policy has an idea: the store can begin to fetch
    /// what a removal waits for.
    fn likely_next(&self) -> Option<SlotId> {
        None
    }

    /// `id` is resident and was just asked for.
    fn on_hit(&mut self, slots: &mut Slots<Self::Record>, id: SlotId, access: &Access);

    /// The access found nothing; nothing has been decided yet.
    fn on_miss(&mut self, _slots: &Slots<Self::Record>, _access: &Access) {}

    /// Room is needed. The caller guarantees at least one resident. `incoming` is the newcomer,
    /// or `None` where the cache shrinks or a resident has grown; then `Reject` is not an answer.
    fn victim(
        &mut self,
        slots: &mut Slots<Self::Record>,
        incoming: Option<&Access>,
        now: Tick,
    ) -> Verdict;

    /// `id` has become resident; its record is `Record::default()`.
    fn on_insert(&mut self, slots: &mut Slots<Self::Record>, id: SlotId, access: &Access);

    /// The newcomer was turned away.
    fn on_reject(&mut self, _access: &Access) {}

    /// `id` is about to leave: its slot can still be read and must be let go of.
    fn on_remove(
        &mut self,
        slots: &mut Slots<Self::Record>,
        id: SlotId,
        cause: RemovalCause,
        now: Tick,
    );

    /// The resident's size has changed from `old`; the slot has the new one.
    fn on_resize(&mut self, _slots: &Slots<Self::Record>, _id: SlotId, _old: u32) {}

    /// Number of residents by the policy's own count, where it keeps one; for the conformance
    /// suite.
    fn tracked(&self) -> Option<usize> {
        None
    }

    /// The ranking that rules at present, where the policy chooses among several.
    fn ruling(&self) -> Option<&'static str> {
        None
    }

    /// Bytes held beyond the records in the slots: lists, ghosts, sketches, shadows, models.
    fn memory_bytes(&self) -> usize;
}
