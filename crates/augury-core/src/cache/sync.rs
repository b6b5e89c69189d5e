//! What threads meet at: the standard library's locks and atomics, and in this crate's unit tests
//! those of shuttle, which runs threads one at a time in an order that it chooses.
//!
//! Only `cfg(test)` switches: every other build, integration tests included, has the standard
//! library's. The modules of this folder take them from here and nowhere else.

#[cfg(not(test))]
pub(super) use std::sync::{Mutex, MutexGuard, atomic};

#[cfg(test)]
pub(super) use shuttle::sync::{Mutex, MutexGuard, atomic};
