//! A whole trace in memory, with the future of every request.
//!
//! Replays of many cells decode once and run from here. Where the format does not know the next
//! request for the same object, or says it wrongly, it is computed by one backward pass.

use rustc_hash::{FxHashMap, FxHashSet};

use super::error::TraceError;
use super::request::Request;
use super::skip::Skipped;
use super::source::TraceSource;

/// A decoded trace.
#[derive(Debug, Clone)]
pub struct DecodedTrace {
    /// The trace's name in results.
    pub name: String,
    /// All requests in order.
    pub requests: Vec<Request>,
    /// Whether every size is 1, so that capacities count entries.
    pub unit_sizes: bool,
    /// Whether [`Request::next`] is filled in (it always is after loading).
    pub has_next: bool,
    /// Bad records left out while loading.
    pub skipped: Skipped,
}

/// What one pass over the distinct objects of a trace tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Footprint {
    /// Number of distinct objects.
    pub objects: u64,
    /// Sum over the distinct objects of the last size seen.
    pub bytes: u64,
}

impl Footprint {
    /// Counts one more object.
    pub(crate) fn add(&mut self, size: u32) {
        self.objects += 1;
        self.bytes += u64::from(size);
    }

    /// Mean size over objects, 0 where there is none.
    pub fn mean_object_size(&self) -> f64 {
        if self.objects == 0 { 0.0 } else { self.bytes as f64 / self.objects as f64 }
    }
}

impl DecodedTrace {
    /// Reads the whole trace and completes [`Request::next`].
    pub fn load(source: &TraceSource) -> Result<Self, TraceError> {
        let mut reader = source.open()?;
        let mut requests = Vec::new();
        if let Some(length) = reader.length_hint() {
            // A hint may be wrong; half a gigabyte is as much as it is believed for.
            requests.reserve(length.min(10_000_000) as usize);
        }
        reader.for_each_chunk(|chunk| requests.extend_from_slice(chunk))?;
        let skipped = reader.skipped();
        let mut trace = Self::from_requests(source.name(), requests);
        trace.skipped = skipped;
        Ok(trace)
    }

    /// A trace of these requests. Next indices that do not fit them are computed anew.
    pub fn from_requests(name: String, mut requests: Vec<Request>) -> Self {
        if !next_indices_hold(&requests) {
            fill_next(&mut requests);
        }
        let unit_sizes = requests.iter().all(|request| request.size == 1);
        DecodedTrace { name, requests, unit_sizes, has_next: true, skipped: Skipped::default() }
    }

    /// Distinct objects and their bytes: the last request for each object decides its size.
    pub fn objects(&self) -> Footprint {
        let mut footprint = Footprint::default();
        let last_of_each = self.requests.iter().filter(|request| request.next.is_none());
        last_of_each.for_each(|request| footprint.add(request.size));
        footprint
    }

    /// Sum over the distinct objects of the last size seen.
    pub fn footprint(&self) -> u64 {
        self.objects().bytes
    }

    /// Number of distinct objects.
    pub fn distinct(&self) -> u64 {
        self.objects().objects
    }

    /// Mean size over objects.
    pub fn mean_object_size(&self) -> f64 {
        self.objects().mean_object_size()
    }
}

/// Whether the next indices are right: each names a later request for the same object, none is
/// named twice, and no two requests of one object are both its last. Then every object's
/// requests form one chain in order.
fn next_indices_hold(requests: &[Request]) -> bool {
    if requests.iter().all(|request| request.next.is_none()) {
        return false;
    }
    let mut named = vec![false; requests.len()];
    let mut last_of = FxHashSet::default();
    requests.iter().enumerate().all(|(index, request)| match request.next {
        None => last_of.insert(request.key),
        Some(next) => {
            let next = usize::try_from(next).unwrap_or(usize::MAX);
            let is_same = requests.get(next).is_some_and(|later| later.key == request.key);
            next > index && is_same && !std::mem::replace(&mut named[next], true)
        }
    })
}

/// Fills in [`Request::next`] by a backward pass over a hash map of keys.
pub fn fill_next(requests: &mut [Request]) {
    let mut later: FxHashMap<u64, u64> = FxHashMap::default();
    for (index, request) in requests.iter_mut().enumerate().rev() {
        request.next = later.insert(request.key, index as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(records: &[(u64, u32, Option<u64>)]) -> DecodedTrace {
        let request = |&(key, size, next)| Request { next, ..Request::read(key, size) };
        DecodedTrace::from_requests("t".into(), records.iter().map(request).collect())
    }

    fn next(trace: &DecodedTrace) -> Vec<Option<u64>> {
        trace.requests.iter().map(|request| request.next).collect()
    }

    #[test]
    fn missing_and_wrong_next_indices_are_computed() {
        let right = vec![Some(2), None, Some(3), None];
        for given in [
            [None, None, None, None],
            [Some(2), None, Some(3), None],
            [Some(3), None, Some(3), None],
            [Some(2), None, None, None],
            [Some(2), Some(9), Some(3), None],
            [Some(1), None, Some(3), None],
        ] {
            let keys = [7, 8, 7, 7];
            let records: Vec<_> = keys.into_iter().zip(given).map(|(k, n)| (k, 1, n)).collect();
            assert_eq!(right, next(&trace(&records)), "from {given:?}");
        }
    }

    #[test]
    fn the_footprint_counts_the_last_size_of_each_object() {
        let trace = trace(&[(1, 10, None), (2, 5, None), (1, 30, None)]);
        assert_eq!(Footprint { objects: 2, bytes: 35 }, trace.objects());
        assert_eq!(17.5, trace.mean_object_size());
        assert!(!trace.unit_sizes);
    }
}
