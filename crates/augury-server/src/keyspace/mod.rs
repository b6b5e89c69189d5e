//! The databases: keys to objects, under one bound of memory and one policy.
//!
//! Every protocol ends here. What changes is told to a [`Changes`] list, by which watchers and
//! tracking clients learn of it; nothing here knows them, nor any protocol or socket.

mod fields;
mod residents;

use std::hash::{BuildHasher, Hasher, RandomState};

use augury_core::clock::Millis;
use augury_core::hash::mix;
use augury_core::metrics::{RemovalCause, Stats};
use augury_core::policy::Policy;
use augury_core::policy::explanation::Explanation;
use augury_core::shard::Shard;
use augury_core::slots::SlotId;
use augury_replay::replay::{PolicyName, WithMaker};

use crate::object::hash::Hash;
use crate::object::{DATABASES, Object};
use fields::FieldDeadlines;
use residents::{Gone, Residents};

pub use residents::Asked;

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

/// A change that somebody may wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Number of the database.
    pub db: u8,
    /// The key.
    pub key: Box<[u8]>,
    /// Why the entry left; none where it was written.
    pub cause: Option<RemovalCause>,
}

/// See the module's head.
pub struct Keyspace {
    residents: Box<dyn Residents>,
    hasher: RandomState,
    gone: Gone,
    fields: FieldDeadlines,
    keys: [u64; DATABASES as usize],
    /// Whether somebody wants to know of changes.
    is_watched: bool,
    changes: Vec<Change>,
    /// Grows with every change of what is stored by a client.
    dirty: u64,
}

impl Keyspace {
    /// An empty keyspace.
    pub fn new(plan: Plan) -> Keyspace {
        Keyspace {
            residents: plan.policy.maker(Making(plan)),
            hasher: RandomState::new(),
            gone: Gone::new(),
            fields: FieldDeadlines::default(),
            keys: [0; DATABASES as usize],
            is_watched: false,
            changes: Vec::new(),
            dirty: 0,
        }
    }

    /// A key with its hash, which nobody outside the process can foretell.
    #[inline]
    pub fn asked<'a>(&self, db: u8, key: &'a [u8]) -> Asked<'a> {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(key);
        hasher.write_u8(db);
        Asked { hash: hasher.finish(), db, key }
    }

    /// The object under a key, if it is there and fresh: a hit, else a miss.
    #[inline]
    pub fn read(&mut self, asked: Asked<'_>, now: Millis) -> Option<&Object> {
        let found = self.residents.read(asked, now, &mut self.gone);
        self.settle_gone();
        let mut id = found?;
        if !self.fields.is_empty() {
            id = self.without_expired_fields(id, now)?;
        }
        self.residents.object(id)
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
        let id = self.find(asked, now)?;
        self.residents.object(id)
    }

    /// The object in this place.
    pub fn object(&self, id: SlotId) -> Option<&Object> {
        self.residents.object(id)
    }

    /// Changes the object in this place, which is a use of it and which keeps its key and deadline; what `act` says, or
    /// None where the place is vacant.
    pub fn revise<T>(&mut self, id: SlotId, act: impl FnOnce(&mut Object) -> T) -> Option<T> {
        let object = self.residents.object_mut(id)?;
        let answer = act(object);
        if self.is_watched {
            let (db, key) = (object.db(), object.key().into());
            self.changes.push(Change { db, key, cause: None });
        }
        self.dirty += 1;
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
            let (db, key) = (object.db(), object.key().into());
            self.changes.push(Change { db, key, cause: None });
        }
        self.dirty += 1;
        if id.is_none() {
            self.keys[db] += 1;
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
            let (db, key) = (object.db(), object.key().into());
            self.changes.push(Change { db, key, cause: None });
        }
        self.dirty += 1;
        self.residents.set_deadline(id, deadline);
    }

    /// Removes up to `limit` entries whose deadline has passed; how many.
    pub fn expire(&mut self, now: Millis, limit: usize) -> usize {
        let count = self.residents.expire(now, limit, &mut self.gone);
        self.settle_gone();
        count
    }

    /// Removes all keys of a database, or of all.
    pub fn flush(&mut self, db: Option<u8>) {
        for id in 0..self.residents.bound() {
            if self.residents.object(id).is_some_and(|object| db.is_none_or(|db| db == object.db()))
            {
                self.residents.remove(id, RemovalCause::Explicit, &mut self.gone);
                self.settle_gone();
            }
        }
        self.dirty += 1;
    }

    /// One more than the highest place in use: every object is in a place below.
    pub fn bound(&self) -> SlotId {
        self.residents.bound()
    }

    /// Number of keys in a database, those that have expired and not yet left among them.
    pub fn len(&self, db: u8) -> u64 {
        self.keys[usize::from(db)]
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
        self.settle_gone();
    }

    /// Leaves so many bytes of the bound to others.
    pub fn reserve(&mut self, bytes: u64) {
        self.residents.reserve(bytes, &mut self.gone);
        self.settle_gone();
    }

    /// Bytes of index, slots, deadlines and policy.
    pub fn overhead_bytes(&self) -> usize {
        self.residents.memory_bytes() + self.fields.memory_bytes()
    }

    /// Counters since the beginning.
    pub fn stats(&self) -> Stats {
        self.residents.stats()
    }

    /// The ranking that rules at present, where the policy chooses among several.
    pub fn ruling(&self) -> Option<&'static str> {
        self.residents.ruling()
    }

    /// Why the key is, or is not, resident.
    pub fn explain(&mut self, asked: Asked<'_>, now: Millis) -> Option<Explanation> {
        let id = self.find(asked, now);
        self.residents.explain(asked.hash, id)
    }

    /// Fetches what a read of this hash will look at first.
    pub fn approach(&self, hash: u64) {
        self.residents.approach(hash);
    }

    /// Number of changes by clients since the beginning.
    pub fn dirty(&self) -> u64 {
        self.dirty
    }

    /// Says whether changes are to be kept for [`Keyspace::take_changes`].
    pub fn watch(&mut self, is_watched: bool) {
        self.is_watched = is_watched;
    }

    /// Whether there are changes to be told of.
    #[inline]
    pub fn has_changes(&self) -> bool {
        !self.changes.is_empty()
    }

    /// The changes since the last call, in order.
    pub fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    #[inline]
    fn settle_gone(&mut self) {
        if !self.gone.is_empty() {
            self.let_go();
        }
    }

    /// Counts what has left, tells of it, and drops it.
    fn let_go(&mut self) {
        for left in self.gone.drain(..) {
            if left.cause == RemovalCause::Replaced {
                continue;
            }
            self.keys[usize::from(left.value.db())] -= 1;
            if self.is_watched {
                let (db, key) = (left.value.db(), left.value.key().into());
                self.changes.push(Change { db, key, cause: Some(left.cause) });
            }
        }
    }
}
