//! Law: whatever bytes a trace file holds, every reader ends, in order, without a panic.
//!
//! The first byte chooses the format and whether bad records are skipped; the rest is the file.

#![no_main]

use std::io::Cursor;

use augury_replay::trace::{Format, SourceOptions, read_from};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((choice, contents)) = data.split_first() else { return };
    let format = Format::ALL.get(usize::from(choice >> 1) % 5).copied();
    let options = SourceOptions { format, skip_bad: choice & 1 == 1, ..SourceOptions::default() };
    let Ok(reader) = read_from("fuzz", Box::new(Cursor::new(contents.to_vec())), &options) else {
        return;
    };
    let mut time = 0;
    // Compressed contents expand; a bound keeps one input from taking minutes.
    for request in reader.take(1_000_000).map_while(Result::ok) {
        assert!(request.size >= 1 && request.time >= time);
        time = request.time;
    }
});
