//! One record per distinct object: how often, when, how large.
//!
//! Counting distinct objects exactly takes memory in proportion to them: about 60 bytes each.
//! Everything else in an inspection is bounded.

use rustc_hash::FxHashMap;

/// What is remembered of an object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    /// Requests so far.
    pub(crate) count: u64,
    /// Index of the last request.
    pub(crate) last: u64,
    /// Requests between the last two requests for it; 0 before the second.
    pub(crate) reuse_time: u64,
    /// Size at the last request.
    pub(crate) size: u32,
}

/// All objects seen.
#[derive(Debug, Default)]
pub(crate) struct Census {
    numbers: FxHashMap<u64, u32>,
    objects: Vec<Seen>,
}

impl Census {
    /// Counts a request; the object's number, and the reuse time where there is one.
    pub(crate) fn count(&mut self, key: u64, size: u32, index: u64) -> (u32, Option<u64>) {
        // More than 2^32 objects do not fit any memory this could run in.
        let fresh = self.objects.len() as u32;
        let number = *self.numbers.entry(key).or_insert(fresh);
        if number == fresh {
            self.objects.push(Seen { count: 1, last: index, reuse_time: 0, size });
            return (number, None);
        }
        let seen = &mut self.objects[number as usize];
        seen.count += 1;
        seen.size = size;
        seen.reuse_time = index - seen.last;
        seen.last = index;
        (number, Some(seen.reuse_time))
    }

    /// The object with this number.
    pub(crate) fn object(&self, number: u32) -> &Seen {
        &self.objects[number as usize]
    }

    /// All objects, in order of first request.
    pub(crate) fn objects(&self) -> &[Seen] {
        &self.objects
    }
}
