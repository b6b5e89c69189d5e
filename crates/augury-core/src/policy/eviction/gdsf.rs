//! GDSF (greedy dual, size, frequency): evict the lowest `L + uses * cost / size`.
//!
//! Cherkasova, "Improving WWW proxies performance with greedy-dual-size-frequency caching
//! policy", HP Labs 1998. Cost is 1: a miss is a miss, so this minimises the number of misses and
//! not their bytes. The mechanism is [`GreedyDual`]'s. Misses equal libCacheSim's GDSF, with one
//! departure: an entry whose size changes at a hit is priced, and takes room, by its new size,
//! which the peer ignores (0.738 against 0.713 on cloudphysics_io at 10%, where one block is asked
//! for in many lengths; equal to the miss with the peer's rule).
//!
//! Cost and bytes per entry: see [`super::greedy_dual`].

use super::greedy_dual::{GreedyDual, Worth};

/// Uses per byte.
#[derive(Debug)]
pub struct UsesPerByte;

impl Worth for UsesPerByte {
    #[inline]
    fn worth(uses: u32, size: u32) -> f64 {
        uses as f64 / size.max(1) as f64
    }
}

/// See the module's head.
pub type Gdsf = GreedyDual<UsesPerByte>;
