//! Where the shared traces are. They are not part of the repository: tests pass with a message
//! where they are missing.

use std::path::PathBuf;

use serde_json::Value;

/// The folder of the shared traces and its manifest, or `None` where it is missing.
///
/// `AUGURY_TRACES` names the folder, else it is `../shared/traces` beside the workspace.
pub fn manifest() -> Option<(PathBuf, Vec<Value>)> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/traces");
    let folder = std::env::var_os("AUGURY_TRACES").map_or_else(|| beside.into(), PathBuf::from);
    let Ok(text) = std::fs::read_to_string(folder.join("MANIFEST.json")) else {
        eprintln!("skipped: no traces in {} (set AUGURY_TRACES)", folder.display());
        return None;
    };
    let manifest: Value = serde_json::from_str(&text).expect("the manifest is JSON");
    Some((folder, manifest["traces"].as_array().expect("a list of traces").clone()))
}
