//! Law: no bytes panic as a server's snapshot, nor as an entry of one, and what is restored fits.

#![no_main]

use augury_replay::replay::PolicyName;
use augury_server::keyspace::{Keyspace, Plan};
use augury_server::snapshot::{entry, reader};
use libfuzzer_sys::fuzz_target;

const MEMORY: u64 = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let plan = Plan { policy: PolicyName::Auto, memory: MEMORY, seed: 1 };
    let mut keyspace = Keyspace::new(plan);
    // A checksum stops nearly all bytes: the entries behind it are fed by themselves.
    let mut rest = bytes;
    while let Some(entry) = entry::decode(&mut rest, 1) {
        keyspace.restore(entry.object, entry.deadline, entry.history, 1);
    }
    assert!(keyspace.used() <= MEMORY);
    let mut keyspace = Keyspace::new(plan);
    let _ = reader::read(bytes, &mut keyspace, "auto", 1);
    assert!(keyspace.used() <= MEMORY);
});
