//! Law: no column list, format or workload name panics; a workload that parses draws requests.

#![no_main]

use augury_replay::trace::{Columns, Format, SourceOptions, TraceSource};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = text.parse::<Columns>();
    let _ = text.parse::<Format>();
    // Millions of users or objects are allowed and take seconds to set up.
    let parameters = if text.contains('?') { "&objects=1000" } else { "?objects=1000" };
    let workload = format!("synthetic:{text}{parameters}");
    let source = TraceSource::new(&workload, SourceOptions::default());
    let Some(source) = source.ok().filter(|_| !text.contains("users")) else { return };
    assert!(source.open().unwrap().take(100).all(|request| request.is_ok()));
});
