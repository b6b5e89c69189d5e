//! From any trace to a file in another format.
//!
//! Streams wherever it can: only oracleGeneral from a source that lacks next indices takes
//! memory, 8 bytes per request and a map of the distinct objects.

use std::path::Path;

use rustc_hash::FxHashMap;

use super::error::TraceError;
use super::format::Format;
use super::memory::DecodedTrace;
use super::skip::Skipped;
use super::source::TraceSource;
use super::writer::TraceWriter;

/// Marks a request without a later one.
const NONE: u64 = u64::MAX;

/// Writes a source's requests to `path` in `format` (oracleGeneral or csv), compressed as the
/// name says; the number of requests written, and the bad records left out.
pub fn convert(
    source: &TraceSource,
    path: &Path,
    format: Format,
) -> Result<(u64, Skipped), TraceError> {
    if is_same_file(source, path) {
        return Err(TraceError::InvalidOption {
            option: "file to write".to_owned(),
            found: path.to_string_lossy().into_owned(),
            expected: "another file than the trace itself".to_owned(),
        });
    }
    let mut writer = TraceWriter::create(path, format)?;
    if format != Format::OracleGeneral {
        return stream(source, writer, None);
    }
    if source.is_repeatable() {
        let next = match source.open()?.has_next() {
            true => None,
            false => Some(next_indices(source)?),
        };
        return stream(source, writer, next.as_deref());
    }
    let trace = DecodedTrace::load(source)?;
    writer.write(&trace.requests)?;
    Ok((writer.finish()?, trace.skipped))
}

fn is_same_file(source: &TraceSource, path: &Path) -> bool {
    match (Path::new(source.path()).canonicalize(), path.canonicalize()) {
        (Ok(source), Ok(path)) => source == path,
        _ => false,
    }
}

fn stream(
    source: &TraceSource,
    mut writer: TraceWriter,
    next: Option<&[u64]>,
) -> Result<(u64, Skipped), TraceError> {
    let mut reader = source.open()?;
    let mut chunk = Vec::new();
    let mut index = 0;
    while reader.next_chunk(&mut chunk)? > 0 {
        if let Some(next) = next {
            for (request, next) in chunk.iter_mut().zip(&next[index..]) {
                request.next = (*next != NONE).then_some(*next);
            }
        }
        index += chunk.len();
        writer.write(&chunk)?;
    }
    Ok((writer.finish()?, reader.skipped()))
}

fn next_indices(source: &TraceSource) -> Result<Vec<u64>, TraceError> {
    let mut next = Vec::new();
    let mut last: FxHashMap<u64, usize> = FxHashMap::default();
    source.open()?.for_each_chunk(|chunk| {
        for request in chunk {
            let index = next.len();
            if let Some(previous) = last.insert(request.key, index) {
                next[previous] = index as u64;
            }
            next.push(NONE);
        }
    })?;
    Ok(next)
}
