//! The engine under whatever policy: one call through a table per operation.
//!
//! A shard of `augury-core` whose values are [`Object`]s, which carry their keys. Keys are bytes, so
//! that comparing them runs no foreign code and needs no pins.

use std::ops::Range;
use std::sync::Arc;

use augury_core::clock::Millis;
use augury_core::curve::MissRatioCurve;
use augury_core::history::SavedHistory;
use augury_core::metrics::{RemovalCause, Stats};
use augury_core::model::predictor::Predictor;
use augury_core::policy::Policy;
use augury_core::policy::explanation::Explanation;
use augury_core::policy::forecast::{Forecast, Shadowing};
use augury_core::request::Tick;
use augury_core::saved::SavedError;
use augury_core::shard::{Inserted, Left, Shard};
use augury_core::slots::SlotId;

use smallvec::SmallVec;

use crate::object::Object;

/// Bytes that an entry takes beside its object: slot, payload, and its share of the index at the
/// mean of its fillings.
pub(super) const ENTRY_BYTES: usize = 32 + 8 + 8;

/// What is asked for: a key of a database, with its hash.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// Keyed hash of database and key.
    pub hash: u64,
    /// Number of the database.
    pub db: u8,
    /// The key.
    pub key: &'a [u8],
}

/// Objects that have left.
pub(super) type Gone = Left<(), Object>;

/// The verbs of [`Shard`] that are used here, with keys compared.
pub(super) trait Residents: Send {
    /// The fresh resident under this key; what is due leaves.
    fn find(&mut self, asked: Asked<'_>, now: Millis, gone: &mut Gone) -> Option<SlotId>;
    /// As `find`, counted and learned as a read.
    fn read(&mut self, asked: Asked<'_>, now: Millis, gone: &mut Gone) -> Option<SlotId>;
    /// Fetches what a write of this hash will look at first, if it is new.
    fn approach(&self, hash: u64);
    /// Fetches what look-ups of these hashes will look at.
    fn warm(&self, hashes: &[u64]);
    fn object(&self, id: SlotId) -> Option<&Object>;
    /// Whether anything of this hash is resident.
    fn holds(&self, hash: u64) -> bool;
    fn object_mut(&mut self, id: SlotId) -> Option<&mut Object>;
    /// Takes over an object's size after a change, which is a use of it or not; whether it is still
    /// resident.
    fn settle(&mut self, id: SlotId, is_use: bool, gone: &mut Gone) -> bool;
    /// Stores an object in place of the resident `id`, or as a newcomer; whether it is stored.
    fn put(
        &mut self,
        hash: u64,
        object: Object,
        deadline: Option<Millis>,
        id: Option<SlotId>,
        gone: &mut Gone,
    ) -> bool;
    fn remove(&mut self, id: SlotId, cause: RemovalCause, gone: &mut Gone);
    fn deadline(&self, id: SlotId) -> Option<Millis>;
    fn set_deadline(&mut self, id: SlotId, deadline: Option<Millis>);
    fn expire(&mut self, now: Millis, limit: usize, moves: usize, gone: &mut Gone) -> usize;
    /// Whether a deadline may be at or before `now`.
    fn is_due(&self, now: Millis) -> bool;
    fn prepare_deadlines(&mut self, now: Millis, limit: usize) -> usize;
    fn has_deadlines(&self) -> bool;
    /// One more than the highest slot number in use.
    fn bound(&self) -> SlotId;
    fn len(&self) -> usize;
    fn used(&self) -> u64;
    fn capacity(&self) -> u64;
    fn resize(&mut self, capacity: u64, gone: &mut Gone);
    fn reserve(&mut self, room: u64, gone: &mut Gone);
    fn memory_bytes(&self) -> usize;
    fn stats(&self) -> Stats;
    /// Requests so far.
    fn ticks(&self) -> u64;
    fn ruling(&self) -> Option<&'static str>;
    fn explain(&self, hash: u64, id: Option<SlotId>) -> Option<Explanation>;
    fn forecast(&self, hash: u64, id: Option<SlotId>) -> Option<Forecast>;
    fn shadowing(&self) -> Option<Shadowing>;
    fn set_predictor(&mut self, predictor: Option<Arc<Predictor>>);
    fn keep_curve(&mut self, is_kept: bool);
    fn curve(&self) -> Option<&MissRatioCurve>;
    /// The hash of what is in this place, or was.
    fn hash(&self, id: SlotId) -> u64;
    /// The places of what has this hash.
    fn candidates(&self, hash: u64) -> SmallVec<[SlotId; 2]>;
    /// Shows the weights and hashes of the residents in these places, all of them below the bound.
    fn weigh(&self, places: Range<SlotId>, see: &mut dyn FnMut(u32, u64));
    /// Requests so far, and what the policy has learned of objects in general.
    fn memory(&self) -> (Tick, Option<Vec<u8>>);
    /// About in the order in which they would leave.
    fn leaving_order(&self) -> Vec<SlotId>;
    /// What the policy remembers of this resident.
    fn history(&self, id: SlotId) -> Option<SavedHistory>;
    /// Goes on with what was learned elsewhere.
    fn restore_memory(&mut self, tick: Tick, learned: Option<&[u8]>) -> Result<(), SavedError>;
    /// Adds what was resident elsewhere; the caller knows that its key is not here and that it
    /// fits.
    fn restore(
        &mut self,
        hash: u64,
        object: Object,
        deadline: Option<Millis>,
        history: Option<SavedHistory>,
    );
}

impl<P: Policy + Send> Residents for Shard<(), Object, P> {
    #[inline]
    fn find(&mut self, asked: Asked<'_>, now: Millis, gone: &mut Gone) -> Option<SlotId> {
        let store = self.store();
        let id = store.candidates(asked.hash).find(|&id| {
            store.entry(id).is_some_and(|(_, object)| object.is_under(asked.db, asked.key))
        })?;
        if store.deadline(id).is_some_and(|at| at <= now) {
            self.remove(id, RemovalCause::Expired, gone);
            return None;
        }
        Some(id)
    }

    #[inline]
    fn read(&mut self, asked: Asked<'_>, now: Millis, gone: &mut Gone) -> Option<SlotId> {
        let hash = asked.hash;
        let found = self.find(asked, now, gone);
        match found {
            Some(id) => {
                let size = self.store().slots().size(id);
                let access = self.begin(hash, hash, size);
                self.hit(id, &access, gone);
            }
            None => {
                self.begin(hash, hash, 1);
                self.miss_noted(hash);
            }
        }
        found
    }

    fn approach(&self, hash: u64) {
        Shard::approach(self, hash);
    }

    fn warm(&self, hashes: &[u64]) {
        let store = self.store();
        for &hash in hashes {
            store.fetch_index(hash);
        }
        let mut found = SmallVec::<[_; 64]>::new();
        found.extend(hashes.iter().map(|&hash| store.fetch_slot(hash).ok_or(hash)));
        for place in found {
            match place {
                Ok(id) => {
                    if let Some((_, object)) = store.entry(id) {
                        object.fetch();
                    }
                }
                Err(hash) => Shard::approach(self, hash),
            }
        }
    }

    #[inline]
    fn object(&self, id: SlotId) -> Option<&Object> {
        self.store().entry(id).map(|(_, object)| object)
    }

    fn holds(&self, hash: u64) -> bool {
        self.store().candidates(hash).next().is_some()
    }

    fn object_mut(&mut self, id: SlotId) -> Option<&mut Object> {
        self.value_mut(id)
    }

    fn settle(&mut self, id: SlotId, is_use: bool, gone: &mut Gone) -> bool {
        let Some(size) = self.object(id).map(weight) else { return false };
        if u64::from(size) > self.capacity() {
            self.remove(id, RemovalCause::Evicted, gone);
            return false;
        }
        let version = self.store().slots().version(id);
        if is_use {
            let hash = self.store().slots().hash(id);
            let access = self.write(hash, hash, size);
            self.revised(id, &access);
        }
        self.set_size(id, size, gone);
        self.store().slots().version(id) == version
    }

    fn put(
        &mut self,
        hash: u64,
        object: Object,
        deadline: Option<Millis>,
        id: Option<SlotId>,
        gone: &mut Gone,
    ) -> bool {
        let access = self.write(hash, hash, weight(&object));
        if let Some(id) = id {
            if u64::from(access.size) > self.capacity() {
                self.remove(id, RemovalCause::Evicted, gone);
                return false;
            }
            let version = self.store().slots().version(id);
            self.replace(id, &access, (), object, deadline, gone);
            return self.store().slots().version(id) == version;
        }
        if self.take_noted(hash) {
            self.announce(&access);
        }
        matches!(self.insert(&access, (), object, deadline, gone), Inserted::Stored(_))
    }

    fn remove(&mut self, id: SlotId, cause: RemovalCause, gone: &mut Gone) {
        Shard::remove(self, id, cause, gone);
    }

    fn deadline(&self, id: SlotId) -> Option<Millis> {
        self.store().deadline(id)
    }

    fn set_deadline(&mut self, id: SlotId, deadline: Option<Millis>) {
        Shard::set_deadline(self, id, deadline);
    }

    fn expire(&mut self, now: Millis, limit: usize, moves: usize, gone: &mut Gone) -> usize {
        Shard::expire_within(self, now, limit, moves, gone)
    }

    fn is_due(&self, now: Millis) -> bool {
        self.store().is_due(now)
    }

    fn prepare_deadlines(&mut self, now: Millis, limit: usize) -> usize {
        Shard::prepare_deadlines(self, now, limit)
    }

    fn has_deadlines(&self) -> bool {
        self.store().has_deadlines()
    }

    fn bound(&self) -> SlotId {
        self.store().slots().bound()
    }

    fn len(&self) -> usize {
        self.store().len()
    }

    fn used(&self) -> u64 {
        Shard::used(self)
    }

    fn capacity(&self) -> u64 {
        Shard::capacity(self)
    }

    fn resize(&mut self, capacity: u64, gone: &mut Gone) {
        Shard::resize(self, capacity, gone);
    }

    fn reserve(&mut self, room: u64, gone: &mut Gone) {
        Shard::reserve(self, room, gone);
    }

    fn memory_bytes(&self) -> usize {
        Shard::memory_bytes(self)
    }

    fn stats(&self) -> Stats {
        *Shard::stats(self)
    }

    fn ticks(&self) -> u64 {
        self.tick()
    }

    fn ruling(&self) -> Option<&'static str> {
        self.policy().ruling()
    }

    fn explain(&self, hash: u64, id: Option<SlotId>) -> Option<Explanation> {
        Shard::explain(self, hash, id)
    }

    fn forecast(&self, hash: u64, id: Option<SlotId>) -> Option<Forecast> {
        self.policy().forecast(self.store().slots(), hash, id, latest(self.tick()))
    }

    fn shadowing(&self) -> Option<Shadowing> {
        self.policy().shadowing()
    }

    fn set_predictor(&mut self, predictor: Option<Arc<Predictor>>) {
        Shard::set_predictor(self, predictor);
    }

    fn keep_curve(&mut self, is_kept: bool) {
        Shard::keep_curve(self, is_kept);
    }

    fn curve(&self) -> Option<&MissRatioCurve> {
        Shard::curve(self)
    }

    fn hash(&self, id: SlotId) -> u64 {
        self.store().slots().hash(id)
    }

    fn candidates(&self, hash: u64) -> SmallVec<[SlotId; 2]> {
        self.store().candidates(hash).collect()
    }

    fn weigh(&self, places: Range<SlotId>, see: &mut dyn FnMut(u32, u64)) {
        let slots = self.store().slots();
        slots.each_live(places.start, places.end, |id, _, size| see(size, slots.hash(id)));
    }

    fn memory(&self) -> (Tick, Option<Vec<u8>>) {
        (self.tick(), self.policy().save(self.tick()))
    }

    fn leaving_order(&self) -> Vec<SlotId> {
        self.policy().leaving_order(self.store().slots(), latest(self.tick()))
    }

    fn history(&self, id: SlotId) -> Option<SavedHistory> {
        let slots = self.store().slots();
        slots.is_live(id).then(|| self.policy().save_record(slots, id, latest(self.tick())))?
    }

    fn restore_memory(&mut self, tick: Tick, learned: Option<&[u8]>) -> Result<(), SavedError> {
        Shard::restore_memory(self, tick, learned)
    }

    fn restore(
        &mut self,
        hash: u64,
        object: Object,
        deadline: Option<Millis>,
        history: Option<SavedHistory>,
    ) {
        let access = self.write(hash, hash, weight(&object));
        self.place_restored(&access, (), object, deadline, history);
    }
}

/// The tick of the latest request: what is restored at once is as old as it was.
fn latest(tick: Tick) -> Tick {
    tick.saturating_sub(1)
}

/// What an entry counts for: its object's bytes and its own.
#[inline]
pub(super) fn weight(object: &Object) -> u32 {
    u32::try_from(object.memory_bytes() + ENTRY_BYTES).unwrap_or(u32::MAX)
}
