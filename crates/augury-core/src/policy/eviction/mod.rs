//! Eviction policies, one file each with the same skeleton: head comment (what it is, paper,
//! departures, cost per access, bytes per entry), the type, private verbs, the trait, tests.

mod list;
pub mod lru;
