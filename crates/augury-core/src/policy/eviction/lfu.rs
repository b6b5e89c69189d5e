//! LFU with dynamic ageing: evict the lowest `L + uses`.
//!
//! LFU-DA of Arlitt, Cherkasova, Dilley, Friedrich and Jin, "Evaluating content management
//! techniques for web proxy caches", ACM SIGMETRICS Performance Evaluation Review 2000: a count
//! starts from the count of the last victim, so an entry that is no longer asked for is overtaken
//! by newcomers, however popular it was. The mechanism is [`GreedyDual`]'s.
//!
//! Departures from libCacheSim: its LFU never ages (0.08 more misses per request than ours on
//! average over the open traces of 90,000 requests or more); its LFUDA adds the last victim's
//! count at every hit in place of one use (0.04 more over the 22 cells where it ends; it is better
//! on loops, 0.81 against 0.92 on arc_p3 at 10%). Exponentially decayed counts were tried with
//! half-lives of 0.5 to 32 requests per resident: each wins somewhere and loses more elsewhere.
//!
//! Cost and bytes per entry: see [`super::greedy_dual`].

use super::greedy_dual::{GreedyDual, Worth};

/// Uses, whatever the size.
#[derive(Debug)]
pub struct Uses;

impl Worth for Uses {
    #[inline]
    fn worth(uses: u32, _size: u32) -> f64 {
        uses as f64
    }
}

/// See the module's head.
pub type Lfu = GreedyDual<Uses>;
