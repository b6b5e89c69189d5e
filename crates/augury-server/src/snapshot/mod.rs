//! Snapshots: entries, their histories and what was learned, as a file, and back after a restart.
//!
//! ```text
//! magic | version | section ... | end
//! section: kind | length | bytes | checksum over kind, length, number of the section and bytes
//! ```
//! Sections are `about` (when, how much, by which policy), `learned` (see `augury_core::saved`),
//! `entries` (many) and `end` (how many entries). A file is written beside its name, synced, and
//! renamed, so there is always a whole one. Nothing in it is believed: no memory is asked for by a
//! number that was read, and a file with one wrong byte is refused as a whole.
//!
//! While clients are served entries are copied in short holds of the server's lock: what changes
//! meanwhile is in the file as it was or as it is, each entry by itself.

pub mod entry;
mod keeper;
pub mod reader;
pub mod section;
mod writer;

pub use keeper::{Keeper, Snapshots, report};
pub use reader::{Restored, restore, set_aside};
pub use section::SnapshotError;
pub use writer::{Order, Written, write};
