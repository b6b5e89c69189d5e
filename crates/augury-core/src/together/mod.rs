//! What caches of several processes tell each other: how hot which object is, and what they have
//! learned of all of them.
//!
//! Beside the flow. A cache that has a share of the traffic sees little of each object, and it takes
//! long until its heats are worth much; the mean of what several have seen is worth as much as one
//! that sees everything. [`Member`] keeps what one of them has to tell and was told, [`merge`] makes
//! one of what several tell, [`Message`] is either as bytes. Objects go by a hash that all of them
//! compute alike, under a secret of theirs; who computes it, and how bytes travel, is not known here.

mod heats;
mod member;
mod merging;
mod message;
mod noted;

pub use heats::Heats;
pub use member::Member;
pub use merging::merge;
pub use message::{Content, KEYS_MAX, MESSAGE_MAX, Message};
pub use noted::Noted;
