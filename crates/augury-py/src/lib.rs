//! Conversions between Python and the engine; the only crate that names pyo3.
//!
//! Last stage of the flow: arguments come in as Python objects, results leave as plain numbers,
//! strings, tuples and dictionaries, and every error of the engine as one of the package's own.
//! The interpreter's lock is released while a trace is decoded, replayed, inspected or written.
//! Nothing is decided here; what the public package does with this is in `python/augury`.

mod artifact;
mod cache;
mod capacity;
mod convert;
mod dataset;
mod errors;
mod explain;
mod frequency;
mod inspect;
mod names;
mod page;
mod reading;
mod requests;
mod sample;
mod sequence;
mod serve;
mod session;
mod text;
mod ticker;
mod trace;
mod writer;

use pyo3::prelude::*;

/// The private extension behind the package.
#[pymodule]
mod _core {
    use super::*;

    #[pymodule_export]
    use super::artifact::{Artifact, feature_schema};
    #[pymodule_export]
    use super::cache::{Cache, Entries, Entry, Leased, Memoized, Permit, Tag};
    #[pymodule_export]
    use super::cache::{largest_told, merge_told, read_told};
    #[pymodule_export]
    use super::capacity::read_capacity;
    #[pymodule_export]
    use super::convert::convert;
    #[pymodule_export]
    use super::frequency::{DecayedFrequency, WindowFrequency};
    #[pymodule_export]
    use super::inspect::inspect;
    #[pymodule_export]
    use super::names::{policies, prefetchers, workloads};
    #[pymodule_export]
    use super::page::{PageServer, shown};
    #[pymodule_export]
    use super::reading::trace_name;
    #[pymodule_export]
    use super::requests::Requests;
    #[pymodule_export]
    use super::sample::Sample;
    #[pymodule_export]
    use super::sequence::Sequence;
    #[pymodule_export]
    use super::serve::serve;
    #[pymodule_export]
    use super::session::Session;
    #[pymodule_export]
    use super::text::TextLines;
    #[pymodule_export]
    use super::ticker::Ticker;
    #[pymodule_export]
    use super::trace::Trace;
    #[pymodule_export]
    use super::writer::TraceWriter;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
