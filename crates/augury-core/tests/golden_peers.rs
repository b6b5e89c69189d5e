//! Misses equal libCacheSim's, trace by trace.
//!
//! `peers.json` holds what version 0.3.5 missed; our FIFO, LRU, SIEVE, Belady and GDSF must miss
//! exactly as often on every trace of size-1 objects. Where sizes vary, the peer keeps an object's
//! size from its insertion while we take the new one (EVALUATION, "Counting"); with the peer's
//! rule applied in the replay below, all five are equal there too.
//!
//! The traces are no part of the repository: the test looks in `$AUGURY_TRACES`, else in
//! `../shared/traces` beside the workspace, and does nothing where there are none. In a debug
//! build it leaves out the traces of more than 200,000 requests.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use augury_core::hash::mix;
use augury_core::policy::Policy;
use augury_core::policy::eviction::belady::Belady;
use augury_core::policy::eviction::fifo::Fifo;
use augury_core::policy::eviction::gdsf::Gdsf;
use augury_core::policy::eviction::lru::Lru;
use augury_core::policy::eviction::sieve::Sieve;
use augury_core::request::{Access, NEVER, Tick};
use augury_core::shard::{Drop, Shard};

const RECORD: usize = 24;

struct Request {
    id: u64,
    size: u32,
    next: Tick,
}

fn folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/traces");
    let folder = std::env::var_os("AUGURY_TRACES").map_or(beside, PathBuf::from);
    folder.join("peers.json").is_file().then_some(folder)
}

/// Decodes oracleGeneral: time u32, id u64, size u32, next index i64 (-1: none), little-endian.
fn read(path: &Path) -> Vec<Request> {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut bytes = Vec::new();
    zstd::Decoder::new(file).and_then(|mut decoder| decoder.read_to_end(&mut bytes)).unwrap();
    assert_eq!(0, bytes.len() % RECORD, "{} is cut off", path.display());
    bytes
        .chunks_exact(RECORD)
        .map(|record| Request {
            id: u64::from_le_bytes(record[4..12].try_into().unwrap()),
            size: u32::from_le_bytes(record[12..16].try_into().unwrap()),
            next: u64::try_from(i64::from_le_bytes(record[16..24].try_into().unwrap()))
                .unwrap_or(NEVER),
        })
        .collect()
}

/// Misses of a whole replay; an object keeps the size it was inserted with.
fn misses<P: Policy>(requests: &[Request], capacity: u64, policy: P) -> u64 {
    let mut shard = Shard::<(), (), P>::new(capacity, policy);
    for request in requests {
        let access = shard.begin(mix(request.id), request.id, request.size);
        let mut access = Access { next_access: request.next, ..access };
        let found = shard.store().candidates(access.hash).next();
        match found {
            Some(id) => {
                access.size = shard.store().slots().size(id);
                shard.hit(id, &access, &mut Drop);
            }
            None => {
                shard.miss(&access);
                shard.insert(&access, (), (), None, &mut Drop);
            }
        }
    }
    shard.stats().misses
}

#[test]
fn misses_equal_the_peers() {
    let Some(folder) = folder() else {
        eprintln!("no traces: set AUGURY_TRACES to their folder to compare with libCacheSim");
        return;
    };
    let peers = std::fs::read_to_string(folder.join("peers.json")).unwrap();
    let peers: serde_json::Value = serde_json::from_str(&peers).unwrap();
    let (mut requests, mut loaded, mut compared) = (Vec::new(), "", 0);
    let mut differences = Vec::new();
    for (cell, row) in peers.as_object().unwrap() {
        let name = cell.split('|').next().unwrap();
        let total = row["requests"].as_u64().unwrap();
        if cfg!(debug_assertions) && total > 200_000 {
            continue;
        }
        if loaded != name {
            requests = read(&folder.join(format!("{name}.oracleGeneral.zst")));
            loaded = name;
        }
        let capacity = row["capacity"].as_u64().unwrap();
        let ours = [
            ("FIFO", misses(&requests, capacity, Fifo::default())),
            ("LRU", misses(&requests, capacity, Lru::default())),
            ("Sieve", misses(&requests, capacity, Sieve::default())),
            ("Belady", misses(&requests, capacity, Belady::default())),
            ("GDSF", misses(&requests, capacity, Gdsf::default())),
        ];
        for (policy, actual) in ours {
            let Some(ratio) = row["policies"][policy][0].as_f64() else { continue };
            let expected = (ratio * total as f64).round() as u64;
            compared += 1;
            if expected != actual {
                differences.push(format!("{cell} {policy}: {actual}, peer {expected}"));
            }
        }
    }
    assert!(differences.is_empty(), "of {compared}:\n{}", differences.join("\n"));
    assert!(compared > 0, "peers.json names no trace that could be compared");
    eprintln!("{compared} cells equal libCacheSim's");
}
