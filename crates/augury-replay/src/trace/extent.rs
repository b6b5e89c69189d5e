//! How large a trace is, by one streaming pass: what a capacity in percent needs to know.
//!
//! Where the format tells the next request, the last request for each object is known and no
//! memory is needed; elsewhere a hash map holds the last size of each distinct object.

use rustc_hash::FxHashMap;

use super::error::TraceError;
use super::memory::Footprint;
use super::request::Request;
use super::skip::Skipped;
use super::source::TraceSource;

/// The size of a trace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extent {
    /// All requests.
    pub requests: u64,
    /// Requests that are reads.
    pub reads: u64,
    /// Distinct objects and the sum of their last sizes.
    pub footprint: Footprint,
    /// Whether every size is 1, so that capacities count entries.
    pub unit_sizes: bool,
    /// Bad records left out.
    pub skipped: Skipped,
}

/// Measures a trace. Standard input is refused, since it could not be read again afterwards.
pub fn extent(source: &TraceSource) -> Result<Extent, TraceError> {
    if !source.is_repeatable() {
        return Err(TraceError::CannotRewind { file: source.path().to_owned() });
    }
    if source.open()?.has_next() {
        let (extent, last_named) = by_next_indices(source)?;
        // Indices beyond the end come from a file that was cut: they hide last requests.
        if last_named < extent.requests {
            return Ok(extent);
        }
    }
    by_key(source)
}

impl Extent {
    fn count(&mut self, request: &Request) {
        self.requests += 1;
        self.reads += u64::from(request.op.is_read());
        self.unit_sizes &= request.size == 1;
    }
}

fn by_next_indices(source: &TraceSource) -> Result<(Extent, u64), TraceError> {
    let mut extent = Extent { unit_sizes: true, ..Extent::default() };
    let mut last_named = 0;
    let mut reader = source.open()?;
    reader.for_each_chunk(|chunk| {
        for request in chunk {
            extent.count(request);
            match request.next {
                Some(next) => last_named = last_named.max(next),
                None => extent.footprint.add(request.size),
            }
        }
    })?;
    Ok((extent, last_named))
}

fn by_key(source: &TraceSource) -> Result<Extent, TraceError> {
    let mut extent = Extent { unit_sizes: true, ..Extent::default() };
    let mut last_sizes: FxHashMap<u64, u32> = FxHashMap::default();
    let mut reader = source.open()?;
    reader.for_each_chunk(|chunk| {
        for request in chunk {
            extent.count(request);
            last_sizes.insert(request.key, request.size);
        }
    })?;
    last_sizes.values().for_each(|size| extent.footprint.add(*size));
    extent.skipped = reader.skipped();
    Ok(extent)
}
