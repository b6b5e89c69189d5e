//! Eviction policies, one file each with the same skeleton: head comment (what it is, paper,
//! departures, cost per access, bytes per entry), the type, private verbs, the trait, tests.

pub mod belady;
pub mod belady_size;
pub mod fifo;
pub mod gdsf;
mod ghosts;
pub mod greedy_dual;
mod heap;
pub mod hyperbolic;
pub mod lfu;
mod list;
pub mod lru;
pub mod s3fifo;
pub mod sieve;
mod sketch;
pub mod wtinylfu;
