//! memcached's protocol: text and meta commands, on the strings of database 0.
//!
//! Bytes become [`Request`]s in a [`Batch`], without the lock; [`run()`] answers them under it. The
//! behaviour is that of memcached 1.6, texts of errors too. What differs:
//! - Redis clients see the same keys. A string that they wrote has flags 0 and a `cas unique` made
//!   of its bytes, which is stable until it changes, and is never shown as fetched before; what
//!   memcached clients wrote is a string to them.
//! - A hash is nothing that can be fetched: reading it is a miss, so that one such key does not break
//!   a list of keys. `set` replaces it, `delete` and `touch` work, `add` finds the key taken; what
//!   would need its bytes answers SERVER_ERROR.
//! - There are no slabs and no crawler: commands that steer them answer as memcached does where
//!   they are turned off. The binary protocol and UDP are not spoken.
//! - From later versions: the flags `E` (a unique that the client chooses), `x` of `md` (the value leaves,
//!   the item stays), `N` of `ms` (append to what is missing), `s` of `ms`. Lists of `gat` may be long.
//! - Numbers beyond their range are refused, where memcached cuts them to 32 bits.

mod arithmetic;
mod batch;
mod command;
mod flags;
mod items;
mod line;
mod meta;
mod number;
mod reading;
mod request;
mod run;
mod state;
mod stats;
mod storing;
mod through;

pub use batch::{Batch, Limits};
pub use request::Request;
pub use run::run;
pub use state::State;

use crate::upstream::asking::Verdict;

/// Longest key, in bytes.
pub const KEY_MAX: usize = 250;

const VERSION_LINE: &str = "VERSION 1.6.18";

/// The version of memcached whose protocol this is.
pub const VERSION: &str = VERSION_LINE.split_at("VERSION ".len()).1;
