//! The databases: keys to objects, under one bound of memory and one policy.
//!
//! Every protocol ends here. What changes is told to a list of [`Change`]s, by which watchers and
//! tracking clients learn of it; nothing here knows them, nor any protocol or socket.

mod changes;
mod databases;
mod fields;
mod insight;
mod largest;
pub mod leavers;
mod loading;
pub mod popular;
mod prefixes;
mod residents;
pub mod rivals;
mod saving;

use std::hash::{BuildHasher, Hasher, RandomState};

use augury_core::clock::Millis;
use augury_core::hash::mix;
use augury_core::metrics::{RemovalCause, Stats};
use augury_core::policy::Policy;
use augury_core::shard::{Removed, Shard};
use augury_core::slots::SlotId;
use augury_replay::replay::{PolicyName, WithMaker};
use smallvec::SmallVec;

use crate::object::hash::Hash;
use crate::object::{DATABASES, Object};
use databases::named;
use fields::FieldDeadlines;
use largest::Largest;
use leavers::Leavers;
use loading::Loading;
use popular::Popularity;
use prefixes::Prefixes;
use residents::{Gone, Residents, weight};
use rivals::Rivals;

pub use changes::{Act, Change};
pub use databases::Census;
pub use residents::Asked;
pub use saving::Kept;

/// How a keyspace is made.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// What decides who stays.
    pub policy: PolicyName,
    /// Bytes, with keys, values, index, history and the allocator's rounding.
    pub memory: u64,
    /// Of everything random in the policy.
    pub seed: u64,
}

/// A plan on its way to the type that its policy's name stands for.
struct Making(Plan);

impl WithMaker for Making {
    type Output = Box<dyn Residents>;

    fn with<P: Policy + Send + 'static>(
        self,
        make: impl Fn(u64) -> P + Send + Sync + 'static,
    ) -> Box<dyn Residents> {
        let Plan { memory, seed, .. } = self.0;
        let mut shard = Shard::<(), Object, P>::new(memory, make(mix(seed)));
        shard.keep_journal(JOURNAL);
        Box::new(shard)
    }
}

/// Decisions that are remembered for explanations.
const JOURNAL: usize = 4096;
/// Entries moved nearer to their end for each that is removed, at most.
const MOVES_PER_EXPIRED: usize = 4;

/// See the module's head.
pub struct Keyspace {
    residents: Box<dyn Residents>,
    hasher: RandomState,
    gone: Gone,
    /// What has left and is not counted yet: the memory that says what it was is on its way.
    leaving: Gone,
    fields: FieldDeadlines,
    /// Fields that have expired, since counting began.
    fields_expired: u64,
    keys: [u64; DATABASES as usize],
    /// Whether somebody wants to know of changes.
    is_watched: bool,
    changes: Vec<Change>,
    /// How many of them were shown to [`Keyspace::unpublished`].
    published: usize,
    /// The number under which the objects of each database are stored.
    stored: [u8; DATABASES as usize],
    /// Databases that were flushed since they were taken; none for all of them.
    flushes: Vec<Option<u8>>,
    /// Whether reads are to teach the policy nothing.
    is_quiet: bool,
    /// Grows with every change of what is stored by a client.
    dirty: u64,
    /// Bytes under the prefixes that quotas count.
    prefixes: Prefixes,
    /// What had been counted when counting began anew.
    stats_before: Stats,
    /// Of the bound, what is left to others.
    reserved: u64,
    loading: Loading,
    popularity: Popularity,
    largest: Largest,
    /// What has left for room; none where nobody watches it.
    leavers: Option<Box<Leavers>>,
    /// What other policies would have hit; none where nobody wants to know.
    rivals: Option<Box<Rivals>>,
}

impl Keyspace {
    /// An empty keyspace.
    pub fn new(plan: Plan) -> Keyspace {
        Keyspace {
            residents: plan.policy.maker(Making(plan)),
            hasher: RandomState::new(),
            gone: Gone::new(),
            fields_expired: 0,
            leaving: Gone::new(),
            fields: FieldDeadlines::default(),
            keys: [0; DATABASES as usize],
            is_watched: false,
            changes: Vec::new(),
            published: 0,
            stored: std::array::from_fn(|db| db as u8),
            flushes: Vec::new(),
            is_quiet: false,
            dirty: 0,
            prefixes: Prefixes::default(),
            stats_before: Stats::default(),
            reserved: 0,
            loading: Loading::default(),
            popularity: Popularity::new(plan.seed),
            largest: Largest::default(),
            leavers: None,
            rivals: None,
        }
    }

    /// A key with its hash, which nobody outside the process can foretell.
    #[inline]
    pub fn asked<'a>(&self, db: u8, key: &'a [u8]) -> Asked<'a> {
        let db = self.stored[usize::from(db)];
        Asked { hash: hash_of(&self.hasher, db, key), db, key }
    }

    /// The object under a key, if it is there and fresh: a hit, else a miss.
    #[inline]
    pub fn read(&mut self, asked: Asked<'_>, now: Millis) -> Option<&Object> {
        if self.is_quiet {
            return self.peek(asked, now);
        }
        let Some(mut id) = self.read_place(asked, now) else { return self.lent(asked) };
        if !self.fields.is_empty() {
            id = self.without_expired_fields(id, now)?;
        }
        self.residents.object(id)
    }

    /// As [`Keyspace::read`]; the object's place.
    #[inline]
    pub fn read_place(&mut self, asked: Asked<'_>, now: Millis) -> Option<SlotId> {
        if self.is_quiet {
            return self.find(asked, now);
        }
        let found = self.residents.read(asked, now, &mut self.gone);
        self.settle_gone();
        self.popularity.note(asked.hash, now);
        if let Some(rivals) = &mut self.rivals {
            let size = found.and_then(|id| self.residents.object(id)).map(weight);
            rivals.read(asked.hash, size);
        }
        found
    }

    /// The object in this place, to change what is said beside its value: marks and the fields of
    /// memcached. Its size stays, and nobody is told.
    #[inline]
    pub fn annotate(&mut self, id: SlotId) -> Option<&mut Object> {
        self.residents.object_mut(id)
    }

    /// The object's place, if it is there and fresh. No request: for writes and for looking.
    #[inline]
    pub fn find(&mut self, asked: Asked<'_>, now: Millis) -> Option<SlotId> {
        let found = self.residents.find(asked, now, &mut self.gone);
        self.settle_gone();
        if self.fields.is_empty() { found } else { self.without_expired_fields(found?, now) }
    }

    /// The object, if it is there and fresh. No request.
    pub fn peek(&mut self, asked: Asked<'_>, now: Millis) -> Option<&Object> {
        match self.find(asked, now) {
            Some(id) => self.residents.object(id),
            None => self.lent(asked),
        }
    }

    /// The object in this place.
    pub fn object(&self, id: SlotId) -> Option<&Object> {
        self.residents.object(id)
    }

    /// Changes the object in this place, which is a use of it and which keeps its key and deadline; what `act` says, or
    /// None where the place is vacant.
    pub fn revise<T>(&mut self, id: SlotId, act: impl FnOnce(&mut Object) -> T) -> Option<T> {
        let object = self.residents.object_mut(id)?;
        let before = (!self.prefixes.is_empty()).then(|| weight(object));
        let answer = act(object);
        if let Some(before) = before {
            self.prefixes.add(object.key(), weight(object));
            self.prefixes.subtract(object.key(), before);
        }
        if self.is_watched {
            let (db, key) = (named(&self.stored, object.db()), object.key().into());
            self.changes.push(Change { db, key, act: Act::Written { is_new: false } });
        }
        self.dirty += 1;
        if let Some(rivals) = &mut self.rivals {
            let size = weight(object);
            rivals.write(self.residents.hash(id), size);
        }
        self.residents.settle(id, true, &mut self.gone);
        self.settle_gone();
        self.note_fields(id);
        Some(answer)
    }

    /// Changes the fields of the hash in this place, which is removed where none is left; what
    /// `act` says, or None where there is no hash.
    pub fn revise_hash<T>(&mut self, id: SlotId, act: impl FnOnce(&mut Hash) -> T) -> Option<T> {
        let answer = self.revise(id, |object| object.as_hash_mut().map(act))??;
        if self.object(id).and_then(Object::as_hash).is_some_and(Hash::is_empty) {
            self.remove(id);
        }
        Some(answer)
    }

    /// Gives what is in place `id` another key, in place of what is in `over`, if anything is. Its
    /// deadline goes along.
    pub fn transfer(&mut self, id: SlotId, to: Asked<'_>, over: Option<SlotId>) {
        let deadline = self.deadline(id);
        let Some(object) = self.residents.object_mut(id) else { return };
        let object = object.take_under(to.db, to.key);
        self.remove(id);
        self.put(to.hash, object, deadline, over);
    }

    /// Stores an object in the place where [`Keyspace::find`] found its key, or as a newcomer;
    /// whether it is stored: the policy may turn it away.
    pub fn put(
        &mut self,
        hash: u64,
        object: Object,
        deadline: Option<Millis>,
        id: Option<SlotId>,
    ) -> bool {
        let db = usize::from(object.db());
        let expiring = object.as_hash().and_then(Hash::earliest).map(|_| Box::from(object.key()));
        if self.is_watched {
            let (db, key) = (named(&self.stored, object.db()), object.key().into());
            self.changes.push(Change { db, key, act: Act::Written { is_new: id.is_none() } });
        }
        self.dirty += 1;
        if id.is_none() {
            self.keys[db] += 1;
        }
        // What is too large for the bound is dropped in place of a resident, and never counted.
        if !self.prefixes.is_empty()
            && (id.is_none() || u64::from(weight(&object)) <= self.capacity())
        {
            self.prefixes.add(object.key(), weight(&object));
        }
        if let Some(rivals) = &mut self.rivals {
            rivals.write(hash, weight(&object));
        }
        let is_stored = self.residents.put(hash, object, deadline, id, &mut self.gone);
        self.settle_gone();
        if let Some(key) = expiring {
            let key: Box<[u8]> = key;
            let asked = Asked { hash, db: db as u8, key: &key };
            if let Some(id) = self.residents.find(asked, 0, &mut self.gone) {
                self.note_fields(id);
            }
        }
        is_stored
    }

    /// Removes what is in this place, as a client asked for.
    pub fn remove(&mut self, id: SlotId) {
        self.dirty += 1;
        self.residents.remove(id, RemovalCause::Explicit, &mut self.gone);
        self.settle_gone();
    }

    /// The deadline of what is in this place, in milliseconds of Unix time.
    pub fn deadline(&self, id: SlotId) -> Option<Millis> {
        self.residents.deadline(id)
    }

    /// Sets or clears the deadline of what is in this place.
    pub fn set_deadline(&mut self, id: SlotId, deadline: Option<Millis>) {
        if self.is_watched
            && let Some(object) = self.residents.object(id)
        {
            let (db, key) = (named(&self.stored, object.db()), object.key().into());
            self.changes.push(Change { db, key, act: Act::Written { is_new: false } });
        }
        self.dirty += 1;
        self.residents.set_deadline(id, deadline);
    }

    /// Removes up to `limit` entries whose deadline has passed; how many. In bounded time: so
    /// [`Keyspace::is_due`] says whether more may be left.
    pub fn expire(&mut self, now: Millis, limit: usize) -> usize {
        let moves = limit.saturating_mul(MOVES_PER_EXPIRED);
        let count = self.residents.expire(now, limit, moves, &mut self.gone);
        self.settle_gone();
        count
    }

    /// Whether the deadline of an entry may have passed.
    pub fn is_due(&self, now: Millis) -> bool {
        self.residents.is_due(now)
    }

    /// Does up to `limit` steps of what deadlines that come near will need; how many.
    pub fn prepare_deadlines(&mut self, now: Millis, limit: usize) -> usize {
        self.residents.prepare_deadlines(now, limit)
    }

    /// One more than the highest place in use: every object is in a place below.
    pub fn bound(&self) -> SlotId {
        self.residents.bound()
    }

    /// Whether no database has a key.
    pub fn is_empty(&self) -> bool {
        self.residents.len() == 0
    }

    /// Whether any key has a deadline.
    pub fn has_deadlines(&self) -> bool {
        self.residents.has_deadlines()
    }

    /// Bytes in use, as counted against the bound.
    pub fn used(&self) -> u64 {
        self.residents.used()
    }

    /// The bound of memory in bytes.
    pub fn capacity(&self) -> u64 {
        self.residents.capacity()
    }

    /// Changes the bound, evicting what no longer fits.
    pub fn resize(&mut self, memory: u64) {
        self.residents.resize(memory, &mut self.gone);
        if let Some(rivals) = &mut self.rivals {
            rivals.set_capacity(memory);
        }
        self.settle_gone();
    }

    /// Bytes of the bound that are left to others.
    pub fn reserved(&self) -> u64 {
        self.reserved
    }

    /// Bytes that the residents count for.
    pub fn counted(&self) -> u64 {
        self.residents.used().saturating_sub(self.reserved)
    }

    /// Leaves so many bytes of the bound to others.
    pub fn reserve(&mut self, bytes: u64) {
        self.reserved = bytes;
        self.residents.reserve(bytes, &mut self.gone);
        self.settle_gone();
    }

    /// Bytes of index, slots, deadlines and policy.
    pub fn overhead_bytes(&self) -> usize {
        self.residents.memory_bytes() + self.fields.memory_bytes() + self.insight_bytes()
    }

    /// Counters since the beginning, or since [`Keyspace::reset_stats`].
    pub fn stats(&self) -> Stats {
        self.residents.stats().since(&self.stats_before)
    }

    /// Counts from here on.
    pub fn reset_stats(&mut self) {
        self.stats_before = self.residents.stats();
        self.fields_expired = 0;
    }

    /// Fields of hashes that have expired, since counting began.
    pub fn fields_expired(&self) -> u64 {
        self.fields_expired
    }

    /// The ranking that rules at present, where the policy chooses among several.
    pub fn ruling(&self) -> Option<&'static str> {
        self.residents.ruling()
    }

    /// Fetches what look-ups of these keys will look at, all at once: for keys that are known
    /// together.
    pub fn warm<'a>(&self, db: u8, keys: impl Iterator<Item = &'a [u8]>) {
        let mut hashes = SmallVec::<[u64; 64]>::new();
        hashes.extend(keys.map(|key| self.asked(db, key).hash));
        self.residents.warm(&hashes);
    }

    /// Fetches what a write of this hash will look at first, if it is new.
    pub fn approach(&self, hash: u64) {
        self.residents.approach(hash);
    }

    /// Counts the bytes of keys under these prefixes, of which none begins with another. Looks at
    /// every entry where they are others than before.
    pub fn count_prefixes(&mut self, prefixes: Vec<Box<[u8]>>) {
        let mut prefixes = Prefixes::new(prefixes);
        if prefixes.are(&self.prefixes) {
            return;
        }
        for object in (0..self.residents.bound()).filter_map(|id| self.residents.object(id)) {
            prefixes.add(object.key(), weight(object));
        }
        self.prefixes = prefixes;
    }

    /// Bytes of the keys under one of the prefixes that are counted.
    pub fn prefix_bytes(&mut self, prefix: &[u8]) -> u64 {
        self.bury();
        self.prefixes.bytes(prefix)
    }

    /// Number of changes by clients since the beginning.
    pub fn dirty(&self) -> u64 {
        self.dirty
    }

    /// Says whether reads are to leave no trace: no hit or miss is counted, and the policy learns
    /// nothing.
    pub fn set_quiet(&mut self, is_quiet: bool) {
        self.is_quiet = is_quiet;
    }

    /// Requests so far.
    pub fn ticks(&self) -> u64 {
        self.residents.ticks()
    }

    /// Bytes that the entry in this place counts for, its share of the index among them.
    pub fn entry_bytes(&self, id: SlotId) -> Option<u64> {
        self.residents.object(id).map(|object| residents::weight(object).into())
    }

    #[inline]
    fn settle_gone(&mut self) {
        if !self.gone.is_empty() {
            self.let_go();
        }
    }

    /// What has left is counted and dropped when something else leaves: to wait for its memory would
    /// take as long as the rest of an eviction. Where somebody watches it is told of at once.
    fn let_go(&mut self) {
        self.bury();
        for left in &self.gone {
            left.value.fetch();
        }
        std::mem::swap(&mut self.gone, &mut self.leaving);
        if self.is_watched {
            self.bury();
        }
    }

    /// Counts what has left, tells of it, and drops it.
    fn bury(&mut self) {
        let mut leaving = std::mem::take(&mut self.leaving);
        for left in leaving.drain(..) {
            self.count_out(&left);
            if left.cause == RemovalCause::Replaced {
                continue;
            }
            if left.cause == RemovalCause::Evicted
                && let Some(leavers) = &mut self.leavers
                && leavers.has_room()
            {
                let hash = hash_of(&self.hasher, left.value.db(), left.value.key());
                leavers.note(&left.value, self.residents.explain(hash, None));
            }
            if left.cause != RemovalCause::Evicted
                && let Some(rivals) = &mut self.rivals
            {
                rivals.forget(hash_of(&self.hasher, left.value.db(), left.value.key()));
            }
            if self.is_watched {
                let (db, key) = (named(&self.stored, left.value.db()), left.value.key().into());
                self.changes.push(Change { db, key, act: Act::Left(left.cause) });
            }
            if self.loading.keeps_expired
                && left.cause == RemovalCause::Expired
                && left.value.is_loaded()
            {
                self.loading.expired.push(left.value);
            }
        }
        self.leaving = leaving;
    }

    /// Counts what has left.
    fn count_out(&mut self, left: &Removed<(), Object>) {
        if !self.prefixes.is_empty() {
            self.prefixes.subtract(left.value.key(), weight(&left.value));
        }
        if left.cause != RemovalCause::Replaced {
            self.keys[usize::from(left.value.db())] -= 1;
        }
    }
}

#[inline]
fn hash_of(hasher: &RandomState, db: u8, key: &[u8]) -> u64 {
    let mut hasher = hasher.build_hasher();
    hasher.write(key);
    hasher.write_u8(db);
    hasher.finish()
}
