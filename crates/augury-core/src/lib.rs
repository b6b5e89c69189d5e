//! The engine of augury, a key-value cache that predicts.
//!
//! Read top to bottom, the modules are the data flow:
//!
//! 1. [`request`], [`hash`]: what is asked;
//! 2. [`slots`], [`store`]: what is resident;
//! 3. [`policy`]: what should be;
//! 4. [`prefetch`]: what to fetch before it is asked for;
//! 5. [`shard`]: store, stage and policy put together;
//! 6. [`metrics`]: what came of it;
//! 7. [`cache`]: many shards, many threads, and no caller's code under a lock.
//!
//! Beside the flow, [`frequency`]: how often each key of a stream is asked for; [`sampler`]: rows to
//! learn from; [`drift`]: whether what was learned still holds; [`refresh`]: what to reload before it is
//! asked for and expired; [`expiry`]: how long a value may be served; [`saved`]: what outlives the process;
//! [`together`]: what caches of several processes tell each other.
//!
//! The core knows no Python, no sockets and no wall clock: [`clock`], seed and model are arguments.

pub mod artifact;
pub mod cache;
pub mod clock;
pub mod curve;
pub mod drift;
pub mod expiry;
pub mod frequency;
pub mod guard;
pub mod hash;
pub mod history;
mod index;
pub mod lines;
pub mod metrics;
pub mod model;
pub mod policy;
pub mod prefetch;
pub mod random;
pub mod refresh;
pub mod request;
pub mod sampler;
pub mod saved;
pub mod shard;
pub mod slots;
pub mod store;
pub mod together;
