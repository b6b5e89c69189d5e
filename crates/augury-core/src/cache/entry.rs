//! What goes into a cache and what the cache says of it.

use super::permit::Permit;
use crate::clock::Millis;
use crate::metrics::RemovalCause;

/// An entry on its way in.
#[derive(Debug, Clone)]
pub struct Newcomer<K, V> {
    /// Well-mixed 64-bit hash of the key.
    pub hash: u64,
    /// The key.
    pub key: K,
    /// The value.
    pub value: V,
    /// In the unit of the capacity: bytes, or 1 where entries are counted.
    pub size: u32,
    /// From this time on the entry is expired; `None` for never.
    pub deadline: Option<Millis>,
    /// Whether it comes in whatever it is worth, if it fits.
    pub is_forced: bool,
    /// Place of its namespace among the costs of misses; 0 where it has none.
    pub namespace: u16,
    /// How hot other caches say that it is, as [`crate::history::heat_code`] has it; 0 where nothing
    /// was heard.
    pub heard: u16,
}

/// On what condition an insertion takes place.
#[derive(Clone, Copy)]
pub enum When<'a, V> {
    /// Always.
    Always,
    /// The key is not resident.
    Absent,
    /// The key is resident.
    Present,
    /// The key is resident and this is true of its value: compare and set. Called under the
    /// lock: the contract of [`Probe::quick`](super::Probe::quick).
    Matching(&'a dyn Fn(&V) -> bool),
    /// The permit was not revoked.
    Permitted(&'a Permit),
}

impl<V> When<'_, V> {
    pub(super) fn allows(&self, resident: Option<&V>) -> bool {
        match self {
            When::Always => true,
            When::Absent => resident.is_none(),
            When::Present => resident.is_some(),
            When::Matching(test) => resident.is_some_and(test),
            When::Permitted(permit) => !permit.is_revoked(),
        }
    }
}

/// What became of an insertion. Where it is not stored, the key's earlier entry is gone too,
/// except for `Declined`: nobody reads a value that has been written over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Resident; the key was not.
    Added,
    /// Resident in place of an older value, which left as [`RemovalCause::Replaced`].
    Replaced,
    /// The condition did not hold; nothing has changed.
    Declined,
    /// The policy turned the newcomer away; it is in the list as evicted.
    Rejected,
    /// Larger than the shard; it is in the list as evicted.
    Oversized,
    /// Its deadline has passed already; it is in the list as expired.
    Expired,
}

impl Outcome {
    pub(super) fn cause(self) -> Option<RemovalCause> {
        match self {
            Outcome::Added | Outcome::Replaced | Outcome::Declined => None,
            Outcome::Rejected | Outcome::Oversized => Some(RemovalCause::Evicted),
            Outcome::Expired => Some(RemovalCause::Expired),
        }
    }
}

/// A resident as [`Cache::peek`](super::Cache::peek) sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peeked<V> {
    /// The value.
    pub value: V,
    /// Its size, in the unit of the capacity.
    pub size: u32,
    /// Its deadline, if it has one.
    pub deadline: Option<Millis>,
}
