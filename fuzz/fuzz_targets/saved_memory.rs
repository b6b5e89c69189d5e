//! Law: no bytes panic as what a policy has learned, nor does the cache that goes on with them.

#![no_main]

use augury_core::guard::{Auto, Guard};
use augury_core::hash::mix;
use augury_core::history::{SAVED_BYTES, SavedHistory};
use augury_core::shard::{Drop, Shard};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((history, learned)) = bytes.split_first_chunk::<SAVED_BYTES>() else { return };
    let mut shard = Shard::<u64, (), _>::new(50, Auto::with_chooser(1, Guard::default()));
    let _ = shard.restore_memory(u64::from(history[0]) << 30, Some(learned));
    for key in 0..40 {
        let access = shard.write(mix(key), key, 1);
        let history = Some(SavedHistory::from_bytes(history));
        shard.place_restored(&access, key, (), None, history);
    }
    for key in 0..400 {
        let access = shard.begin(mix(key), key, 1);
        shard.miss(&access);
        shard.insert(&access, key, (), None, &mut Drop);
    }
    assert!(shard.used() <= 50);
});
