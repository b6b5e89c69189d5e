//! Bytes that a cache asks the allocator for: `bench_memory POLICY CAPACITY OBJECTS REQUESTS SEED`.
//!
//! For `benchmarks/memory.py`. An allocator that counts stands in front of the system's. The cache
//! is that of a replay, without keys and values; the workload is independent requests over OBJECTS
//! objects of size 1 by a Zipf law with exponent 0.8, and its own memory is not counted. `empty` in
//! place of a policy evicts slots in turn and remembers nothing: what it takes is the store, and
//! what others take beyond it are histories, ghosts, shadows and tables. Prints one JSON object.

use std::alloc::{GlobalAlloc, Layout, System};
use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use augury_core::metrics::RemovalCause;
use augury_core::policy::{Policy, Verdict};
use augury_core::request::{Access, Tick};
use augury_core::slots::{SlotId, Slots};
use augury_replay::replay::{Drive, PolicyName, WithPolicy};
use augury_replay::trace::{Request, SourceOptions, TraceError, TraceReader, TraceSource};

#[global_allocator]
static ALLOCATOR: Counting = Counting;
static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// Counts the bytes asked for. A block that grows counts twice, old and new, while it grows.
struct Counting;

fn taken(bytes: usize) {
    PEAK.fetch_max(LIVE.fetch_add(bytes, Relaxed) + bytes, Relaxed);
}

fn given_back(bytes: usize) {
    LIVE.fetch_sub(bytes, Relaxed);
}

// SAFETY: every call goes to the system's allocator unchanged; the counters touch no block.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        // SAFETY: the caller's guarantees are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        // SAFETY: the caller's guarantees are passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        given_back(layout.size());
        // SAFETY: the caller's guarantees are passed on.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        taken(size);
        given_back(layout.size());
        // SAFETY: the caller's guarantees are passed on.
        unsafe { System.realloc(block, layout, size) }
    }
}

/// Evicts slots in turn and remembers only where it stands.
#[derive(Default)]
struct Empty {
    hand: SlotId,
}

impl Policy for Empty {
    type Record = ();

    fn set_capacity(&mut self, _capacity: u64) {}

    fn on_hit(&mut self, _slots: &mut Slots<()>, _id: SlotId, _access: &Access) {}

    fn victim(&mut self, slots: &mut Slots<()>, _incoming: Option<&Access>, _now: Tick) -> Verdict {
        loop {
            let id = if self.hand < slots.bound() { self.hand } else { 0 };
            self.hand = id + 1;
            if slots.is_live(id) {
                return Verdict::Evict(id);
            }
        }
    }

    fn on_insert(&mut self, _slots: &mut Slots<()>, _id: SlotId, _access: &Access) {}

    fn on_remove(&mut self, _slots: &mut Slots<()>, _id: SlotId, _cause: RemovalCause, _now: Tick) {
    }

    fn memory_bytes(&self) -> usize {
        0
    }
}

/// A workload that has begun, and what was allocated before the policy.
struct Measure {
    capacity: u64,
    reader: TraceReader,
    chunk: Vec<Request>,
    outside: usize,
}

impl Measure {
    fn begin(workload: &str, capacity: u64) -> Result<Self, TraceError> {
        let mut reader = TraceSource::new(workload, SourceOptions::default())?.open()?;
        let mut chunk = Vec::new();
        reader.next_chunk(&mut chunk)?;
        let outside = LIVE.load(Relaxed);
        PEAK.store(outside, Relaxed);
        Ok(Measure { capacity, reader, chunk, outside })
    }
}

impl WithPolicy for Measure {
    type Output = Result<String, TraceError>;

    fn with<P: Policy>(mut self, policy: P) -> Self::Output {
        let mut cache = Drive::new(self.capacity, policy);
        let new = LIVE.load(Relaxed) - self.outside;
        while !self.chunk.is_empty() {
            cache.feed(&self.chunk);
            self.reader.next_chunk(&mut self.chunk)?;
        }
        let (live, peak) = (LIVE.load(Relaxed) - self.outside, PEAK.load(Relaxed) - self.outside);
        Ok(format!(
            r#"{{"capacity": {}, "resident": {}, "requests": {}, "misses": {}, "new_bytes": {new}, "live_bytes": {live}, "peak_bytes": {peak}, "own_count": {}}}"#,
            self.capacity,
            cache.len(),
            cache.stats().requests(),
            cache.stats().misses,
            cache.memory_bytes()
        ))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [policy, capacity, objects, requests, seed] = arguments.as_slice() else {
        return Err("usage: bench_memory POLICY CAPACITY OBJECTS REQUESTS SEED".into());
    };
    let workload = format!("synthetic:zipf?objects={objects}&n={requests}&seed={seed}&alpha=0.8");
    let (capacity, seed) = (capacity.parse()?, seed.parse()?);
    let measure = Measure::begin(&workload, capacity)?;
    let result = match policy.as_str() {
        "empty" => measure.with(Empty::default())?,
        name => name.parse::<PolicyName>()?.build(seed, measure)?,
    };
    println!("{result}");
    Ok(())
}
