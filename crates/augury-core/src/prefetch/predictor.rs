//! What a predictor is: the stream of what had to be fetched in, what may be asked for next out.
//!
//! A predictor says how it came to each candidate (its *class*) and nothing about how likely it
//! is: that is measured, class by class, in `accuracy.rs`. It must not know budgets, nor what is
//! resident.

use crate::request::Access;

/// Candidates of one access at most.
pub const MOST: usize = 8;
/// Classes of evidence that a predictor may tell apart.
pub const CLASSES: usize = 256;

/// An object that may be asked for soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Candidate {
    /// Hash of its key.
    pub hash: u64,
    /// Its key as [`Access::key`] has it.
    pub key: u64,
    /// Its size when it was last seen, or its neighbour's.
    pub size: u32,
    /// Its namespace.
    pub namespace: u16,
    /// The kind of evidence, below [`CLASSES`].
    pub class: u8,
}

/// The candidates of one access: room for [`MOST`], the others are left out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Candidates {
    found: [Candidate; MOST],
    count: usize,
}

impl Candidates {
    /// Adds one, unless there are [`MOST`] or its object is among them.
    #[inline]
    pub fn push(&mut self, candidate: Candidate) {
        if self.count < MOST && self.as_slice().iter().all(|one| one.hash != candidate.hash) {
            self.found[self.count] = candidate;
            self.count += 1;
        }
    }

    /// Those added, in order.
    #[inline]
    pub fn as_slice(&self) -> &[Candidate] {
        &self.found[..self.count]
    }
}

/// How much is to be observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attention {
    /// Everything.
    Full,
    /// A fixed sample of the objects, and what follows them.
    Sampled,
}

impl Attention {
    /// Whether an object of this hash is observed.
    #[inline]
    pub fn includes(self, hash: u64) -> bool {
        self == Attention::Full || (hash >> 40) & 15 == 0
    }
}

/// Learns from one access after another what follows what.
pub trait Predictor {
    /// This was asked for and would not have been there without prefetch; what may come next is
    /// added to `out`. Bounded work.
    fn observe(&mut self, access: &Access, attention: Attention, out: &mut Candidates);

    /// Bytes held; bounded whatever is observed.
    fn memory_bytes(&self) -> usize;
}

impl<P: Predictor + ?Sized> Predictor for Box<P> {
    fn observe(&mut self, access: &Access, attention: Attention, out: &mut Candidates) {
        (**self).observe(access, attention, out);
    }

    fn memory_bytes(&self) -> usize {
        (**self).memory_bytes()
    }
}

/// The steps 1, 2, 3 to 4, 5 to 8, ... as 0, 1, 2, 3, ...
#[inline]
pub(super) fn octave(count: u32) -> u32 {
    32 - count.saturating_sub(1).leading_zeros()
}
