//! Predicted TTLs: how long a value may be served, by how often its like has changed so far.
//!
//! Beside the flow of a shard. Whoever stores a value of which no TTL is said tells of it: the key's
//! hash, its namespace's number, the time, and a fingerprint by which a later value is known to be
//! the same or another. Where the key was stored before, that is a look at it (`changes`), and what
//! is known of the key, leaning on what is known of its namespace, is a rate of changes. The TTL is
//! the longest within the bounds at which answers out of the cache are stale with no more than the
//! chance that is allowed.
//!
//! That chance is the mean over the TTL, as for answers that are spread evenly over it: for changes
//! at a rate `r` and a TTL `T`, `1 - (1 - exp(-r T)) / (r T)`. An answer at the very end of it is
//! stale with about twice that chance. Where nothing is known the TTL is the lower bound.
//!
//! Nothing here may know keys or values. Memory is bounded: keys are remembered in two generations
//! of half the limit each, the older of which is forgotten as a whole.

mod changes;

use crate::clock::Millis;
use changes::Changes;
use rustc_hash::FxHashMap;

/// What a key's looks so far count for at its next, and those of a namespace.
const KEPT_OF_KEY: f32 = 31.0 / 32.0;
const KEPT_OF_NAMESPACE: f32 = 255.0 / 256.0;
/// Namespaces told apart; numbers beyond share the first one.
const NAMESPACES: usize = 2_048;

/// What is allowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// No TTL is shorter.
    pub low: Millis,
    /// No TTL is longer.
    pub high: Millis,
    /// Chance that an answer out of the cache is stale, between 0 and 1.
    pub staleness: f64,
}

/// A value that is about to be stored.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// Well-mixed hash of its key.
    pub hash: u64,
    /// Equal for equal values; none where that cannot be told.
    pub fingerprint: Option<u64>,
    /// Number of the key's namespace.
    pub namespace: u16,
    /// When it was found to be so.
    pub now: Millis,
}

/// A TTL, and what is to be remembered if the value is stored.
#[derive(Debug, Clone, Copy)]
pub struct Foretold {
    /// Milliseconds.
    pub ttl: Millis,
    seen: Seen,
    record: Record,
    look: Option<Look>,
}

/// Counters since the beginning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Values stored with a predicted TTL.
    pub stored: u64,
    /// Those that could be compared with an earlier one, and that were another.
    pub looks: u64,
    /// See `looks`.
    pub changed: u64,
    /// Those of which no fingerprint was to be had.
    pub unreadable: u64,
    /// Sum of their TTLs in milliseconds.
    pub ttls: u64,
}

#[derive(Debug, Clone, Copy)]
struct Look {
    interval: Millis,
    has_changed: bool,
}

/// What is remembered of a key.
#[derive(Debug, Clone, Copy)]
struct Record {
    fingerprint: Option<u64>,
    /// When it had this fingerprint.
    seen_at: Millis,
    changes: Changes,
}

/// Chooses TTLs for one cache. See the module's head.
///
/// ```
/// use augury_core::expiry::{Bounds, Lifetimes, Seen};
/// let bounds = Bounds { low: 1_000, high: 60_000, staleness: 0.05 };
/// let mut lifetimes = Lifetimes::new(bounds, 1_000);
/// let mut store = |now, value| {
///     let seen = Seen { hash: 7, fingerprint: Some(value), namespace: 0, now };
///     let foretold = lifetimes.foretell(&seen);
///     lifetimes.keep(&foretold);
///     foretold.ttl
/// };
/// assert_eq!(1_000, store(0, 42));
/// let later = (1..100).map(|look| store(look * 10_000, 42)).last();
/// assert_eq!(Some(60_000), later); // it has never changed
/// ```
#[derive(Debug, Clone)]
pub struct Lifetimes {
    bounds: Bounds,
    /// The product of rate and TTL at which staleness is what is allowed.
    span: f64,
    young: FxHashMap<u64, Record>,
    old: FxHashMap<u64, Record>,
    /// Keys per generation.
    limit: usize,
    namespaces: Vec<Changes>,
    counts: Counts,
}

impl Lifetimes {
    /// TTLs within these bounds, by what at most `limit` keys have shown.
    pub fn new(bounds: Bounds, limit: usize) -> Self {
        Lifetimes {
            bounds,
            span: span_of(bounds.staleness),
            young: FxHashMap::default(),
            old: FxHashMap::default(),
            limit: (limit / 2).max(1),
            namespaces: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// The TTL of a value that is about to be stored. Nothing is remembered before
    /// [`Lifetimes::keep`].
    pub fn foretell(&self, seen: &Seen) -> Foretold {
        let known = self.young.get(&seen.hash).or_else(|| self.old.get(&seen.hash));
        let look = known.and_then(|record| {
            let has_changed = record.fingerprint? != seen.fingerprint?;
            let interval = seen.now.saturating_sub(record.seen_at).max(1);
            Some(Look { interval, has_changed })
        });
        let mut changes = known.map_or(Changes::default(), |record| record.changes);
        let mut namespace = self.namespaces.get(place(seen)).copied().unwrap_or_default();
        if let Some(look) = look {
            self.look(&mut changes, look, KEPT_OF_KEY);
            self.look(&mut namespace, look, KEPT_OF_NAMESPACE);
        }
        let rate = namespace.rate().map(|prior| changes.rate_among(prior));
        let record = Record { fingerprint: seen.fingerprint, seen_at: seen.now, changes };
        Foretold { ttl: self.ttl(rate), seen: *seen, record, look }
    }

    /// The value was stored.
    pub fn keep(&mut self, foretold: &Foretold) {
        let Foretold { ttl, seen, record, look } = *foretold;
        if let Some(look) = look {
            let at = place(&seen);
            if self.namespaces.len() <= at {
                self.namespaces.resize(at + 1, Changes::default());
            }
            let mut namespace = self.namespaces[at];
            self.look(&mut namespace, look, KEPT_OF_NAMESPACE);
            self.namespaces[at] = namespace;
            self.counts.looks += 1;
            self.counts.changed += u64::from(look.has_changed);
        }
        self.counts.stored += 1;
        self.counts.unreadable += u64::from(seen.fingerprint.is_none());
        self.counts.ttls = self.counts.ttls.saturating_add(ttl);
        if self.young.len() >= self.limit && !self.young.contains_key(&seen.hash) {
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&seen.hash);
        self.young.insert(seen.hash, record);
    }

    /// The counters.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Keys that are remembered.
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Whether [`Lifetimes::len`] is 0.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        let keys = self.young.capacity() + self.old.capacity();
        keys * (size_of::<(u64, Record)>() + 1) * 8 / 7
            + self.namespaces.capacity() * size_of::<Changes>()
    }

    fn look(&self, changes: &mut Changes, look: Look, kept: f32) {
        let Look { interval, has_changed } = look;
        if !has_changed && interval < self.bounds.low {
            // Writes of the same value in quick succession would make the earlier looks forgotten.
            changes.lengthen(interval as f64);
        } else {
            changes.look(interval as f64, has_changed, kept);
        }
    }

    fn ttl(&self, rate: Option<f64>) -> Millis {
        let Bounds { low, high, .. } = self.bounds;
        let Some(rate) = rate else { return low };
        // A rate of 0 makes it infinite, which the cast saturates.
        ((self.span / rate) as Millis).clamp(low, high)
    }
}

fn place(seen: &Seen) -> usize {
    let place = usize::from(seen.namespace);
    if place < NAMESPACES { place } else { 0 }
}

/// The `x` for which `1 - (1 - exp(-x)) / x` is this chance.
fn span_of(chance: f64) -> f64 {
    let mean = |x: f64| 1.0 + (-x).exp_m1() / x;
    let (mut low, mut high) = (1e-9, 1e9);
    for _ in 0..200 {
        let middle = f64::sqrt(low * high);
        if mean(middle) < chance { low = middle } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests;
