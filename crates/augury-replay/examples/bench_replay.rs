//! One replay from opening the file to the result: `bench_replay POLICY FILE CAPACITY SEED`.
//!
//! For `benchmarks/speed.py` and `benchmarks/overhead.py`, which measure this process from outside.
//! One thread, the file read as the replay goes. `none` in place of a policy reads the trace and
//! runs no cache: what the others cost beyond it is the cache. Prints one JSON object.

use std::error::Error;

use augury_replay::replay::{Capacity, CellSpec, PolicyName, run_stream};
use augury_replay::trace::{SourceOptions, TraceSource};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [policy, file, capacity, seed] = arguments.as_slice() else {
        return Err("usage: bench_replay POLICY FILE CAPACITY SEED".into());
    };
    let source = TraceSource::new(file, SourceOptions::default())?;
    let result =
        if policy == "none" { read(&source)? } else { replay(&source, policy, capacity, seed)? };
    println!("{result}");
    Ok(())
}

fn replay(
    source: &TraceSource,
    policy: &str,
    capacity: &str,
    seed: &str,
) -> Result<String, Box<dyn Error>> {
    let policy: PolicyName = policy.parse()?;
    let spec = CellSpec {
        policy,
        capacity: Capacity::Absolute(capacity.parse()?),
        seed: seed.parse()?,
        prefetch: None,
    };
    let result = run_stream(source, &spec, &mut |_| true)?;
    Ok(format!(
        r#"{{"requests": {}, "misses": {}, "resident": {}}}"#,
        result.stats.requests(),
        result.stats.misses,
        result.resident
    ))
}

fn read(source: &TraceSource) -> Result<String, Box<dyn Error>> {
    let (mut requests, mut keys) = (0_u64, 0_u64);
    source.open()?.for_each_chunk(|chunk| {
        requests += chunk.len() as u64;
        keys = chunk.iter().fold(keys, |keys, request| keys ^ request.key);
    })?;
    std::hint::black_box(keys);
    Ok(format!(r#"{{"requests": {requests}, "misses": 0, "resident": 0}}"#))
}
