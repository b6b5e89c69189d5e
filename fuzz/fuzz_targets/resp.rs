//! Law: whatever bytes a Redis client sends, they are taken apart without a panic, and into the same
//! commands however they are cut and however many commands are run at once.
//!
//! The first four bytes choose how long the pieces are, how many commands run at once and what the
//! client may send; the rest is sent.

#![no_main]

use augury_server::resp::{Batch, Limits, ProtocolError};
use libfuzzer_sys::fuzz_target;

type Commands = Vec<Vec<Vec<u8>>>;

/// All commands of bytes that come in pieces of a length, and what ended them, if anything did.
fn commands(
    bytes: &[u8],
    piece: usize,
    most: usize,
    limits: Limits,
) -> (Commands, Option<ProtocolError>) {
    let (mut batch, mut input, mut commands) = (Batch::default(), Vec::new(), Vec::new());
    for piece in bytes.chunks(piece) {
        input.extend_from_slice(piece);
        loop {
            batch.fill(&input, limits);
            let done = batch.len().min(most);
            for at in 0..done {
                let command = batch.command(at, &input);
                assert!(!command.is_empty() && command.len() <= limits.arguments.max(bytes.len()));
                commands.push(command.iter().map(<[u8]>::to_vec).collect());
            }
            let error = batch.error().filter(|_| done == batch.len());
            let is_dry = batch.is_empty();
            input.drain(..batch.settle(done));
            if error.is_some() {
                return (commands, error);
            }
            if is_dry {
                break;
            }
        }
    }
    (commands, None)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&[low, high, most, known], bytes)) = bytes.split_first_chunk() else { return };
    let piece = 1 + usize::from(u16::from_le_bytes([low, high]));
    let limits = if known & 1 == 1 {
        Limits { arguments: 1 << 20, bulk: 512 << 20 }
    } else {
        Limits::STRANGER
    };
    let whole = commands(bytes, bytes.len().max(1), usize::MAX, limits);
    assert_eq!(whole, commands(bytes, piece, 1 + usize::from(most), limits));
});
