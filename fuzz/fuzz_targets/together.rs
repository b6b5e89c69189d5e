//! Law: no bytes panic as a message of caches that learn together, and what is accepted can be merged and
//! told again.
//!
//! The hash over the content is made to fit, or nothing behind it would be reached.

#![no_main]

use augury_core::artifact::sealed;
use augury_core::together::{Message, merge};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = Message::read(bytes);
    let Some(bytes) = sealed(bytes) else { return };
    let Ok(message) = Message::read(&bytes) else { return };
    let merged = merge(&[message.clone(), message], 1_000);
    assert!(merged.to_bytes().is_ok_and(|bytes| Message::read(&bytes).is_ok()));
});
