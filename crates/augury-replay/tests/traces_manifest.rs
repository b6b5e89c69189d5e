//! Law: every shared trace reads back with the counts its manifest states.

mod shared;

use std::path::PathBuf;

use augury_replay::trace::{DecodedTrace, SourceOptions, TraceSource};

fn load(path: PathBuf) -> DecodedTrace {
    let path = path.to_str().expect("the folder's name is UTF-8");
    let source = TraceSource::new(path, SourceOptions::default()).unwrap();
    DecodedTrace::load(&source).unwrap()
}

#[test]
fn counts_of_every_shared_trace_are_those_of_the_manifest() {
    let Some((folder, traces)) = shared::manifest() else { return };
    for trace in traces {
        let name = trace["name"].as_str().unwrap();
        let decoded = load(folder.join(trace["file"].as_str().unwrap()));
        assert_eq!(name, decoded.name);
        assert_eq!(trace["requests"], decoded.requests.len(), "requests of {name}");
        assert_eq!(trace["unique_objects"], decoded.distinct(), "objects of {name}");
        assert_eq!(trace["footprint_bytes"], decoded.footprint(), "footprint of {name}");
        assert_eq!(trace["has_size"] == false, decoded.unit_sizes, "sizes of {name}");
        let mean = (decoded.mean_object_size() * 10.0).round() / 10.0;
        assert_eq!(trace["mean_object_size"], mean, "mean object size of {name}");
    }
}

#[test]
fn next_indices_of_the_files_are_those_we_compute() {
    let Some((folder, traces)) = shared::manifest() else { return };
    for trace in traces.iter().filter(|trace| trace["requests"].as_u64() < Some(1_000_000)) {
        let decoded = load(folder.join(trace["file"].as_str().unwrap()));
        let mut computed = decoded.requests.clone();
        augury_replay::trace::fill_next(&mut computed);
        assert!(decoded.requests == computed, "next indices of {}", trace["name"]);
    }
}

#[test]
fn a_csv_file_without_options_holds_the_same_keys_and_times_as_the_binary_one() {
    let Some((folder, traces)) = shared::manifest() else { return };
    for trace in traces.iter().filter(|trace| trace["csv_file"].is_string()) {
        let name = trace["name"].as_str().unwrap();
        let binary = load(folder.join(trace["file"].as_str().unwrap()));
        let text = load(folder.join(trace["csv_file"].as_str().unwrap()));
        assert_eq!(binary.name, text.name);
        let keys_times = |trace: &DecodedTrace| {
            trace.requests.iter().map(|r| (r.key, r.time, r.next)).collect::<Vec<_>>()
        };
        assert!(keys_times(&binary) == keys_times(&text), "keys and times of {name}");
        if trace["has_size"] == true {
            assert_eq!(binary.footprint(), text.footprint(), "footprint of {name}");
        }
    }
}
