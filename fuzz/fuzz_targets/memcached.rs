//! Law: whatever bytes a memcached client sends, no request panics, what is stored stays within its
//! bounds, and the answers are the same however the bytes are cut.
//!
//! The first two bytes choose how long the pieces are; the rest is sent.

#![no_main]

use augury_server::client::{Client, Place};
use augury_server::config::Settings;
use augury_server::memcache::{Batch, Limits, State, run};
use augury_server::server::Server;
use libfuzzer_sys::fuzz_target;

/// A line that is longer may end the connection, if its end comes late.
const SENT_MAX: usize = 2000;
const NOW: u64 = 1_800_000_000_000;
const ITEM_MAX: usize = 600;

/// All answers to bytes that come in pieces of a length, and whether the connection goes on.
fn answers(bytes: &[u8], piece: usize) -> (Vec<u8>, bool) {
    let mut server = Server::new(Settings {
        memory: 1 << 20,
        memcached_item_max: ITEM_MAX,
        ..Settings::default()
    });
    (server.now, server.started, server.memcache) = (NOW, NOW, State::new(0));
    let place = Place { worker: 0, connection: 0 };
    let mut client = Client::new(1, place, String::new(), String::new(), NOW);
    let (mut batch, mut input, mut output) = (Batch::default(), Vec::new(), Vec::new());
    for piece in bytes.chunks(piece) {
        input.extend_from_slice(piece);
        loop {
            batch.fill(&input, Limits { item: ITEM_MAX });
            for request in batch.requests() {
                run(&mut server, &mut client, request, &input, &mut output);
            }
            let is_dry = batch.requests().is_empty();
            input.drain(..batch.settle());
            if client.is_closing {
                return (output, false);
            }
            if is_dry {
                break;
            }
        }
    }
    assert!(server.keyspace.used() <= server.keyspace.capacity());
    (output, true)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first_chunk::<2>() else { return };
    let bytes = &bytes[..bytes.len().min(SENT_MAX)];
    let piece = 1 + usize::from(u16::from_le_bytes(*choice)) % SENT_MAX;
    assert_eq!(answers(bytes, SENT_MAX), answers(bytes, piece));
});
