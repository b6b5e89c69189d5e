//! Redis's protocol: bytes to commands, and answers to bytes.
//!
//! RESP2 and RESP3 as the Redis protocol specification has them, inline commands too.

pub mod batch;
pub mod parser;
pub mod reply;

pub use batch::Batch;
pub use parser::{Arguments, Limits, ProtocolError};
pub use reply::{Protocol, Reply};
