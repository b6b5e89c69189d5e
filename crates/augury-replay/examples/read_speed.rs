//! Reading speed of a trace: requests per second by chunk, and of loading it whole.
use std::time::Instant;

use augury_replay::trace::{DecodedTrace, SourceOptions, TraceSource};

fn main() {
    for path in std::env::args().skip(1) {
        let source = TraceSource::new(&path, SourceOptions::default()).unwrap();
        for _ in 0..3 {
            let start = Instant::now();
            let (mut n, mut sum) = (0_u64, 0_u64);
            source
                .open()
                .unwrap()
                .for_each_chunk(|chunk| {
                    n += chunk.len() as u64;
                    sum = chunk.iter().fold(sum, |sum, r| sum ^ r.key);
                })
                .unwrap();
            let seconds = start.elapsed().as_secs_f64();
            let start = Instant::now();
            let n2 = source.open().unwrap().map(|r| r.unwrap().key).fold(0, |a: u64, b| a ^ b);
            let iter = start.elapsed().as_secs_f64();
            let start = Instant::now();
            let t = DecodedTrace::load(&source).unwrap();
            let load = start.elapsed().as_secs_f64();
            println!(
                "{path} chunks {:.1} M/s  iterator {:.1} M/s  load {:.1} M/s {:.3} s ({sum:x} {n2:x} {})",
                n as f64 / seconds / 1e6,
                n as f64 / iter / 1e6,
                n as f64 / load / 1e6,
                load,
                t.requests.len()
            );
        }
    }
}
