//! Traces: recorded traffic in, requests out; first stage of the laboratory.
//!
//! Bytes (`bytes`, decompressed) become records (`oracle_general`, or `lines` with `twitter`,
//! `delimited`, `plain`), records become [`Request`]s behind one [`TraceReader`]. A
//! [`TraceSource`] opens as often as needed; [`DecodedTrace`] holds a whole trace in memory;
//! [`extent()`] only counts it. [`TraceWriter`] and [`convert()`] go the other way.
//! Reading is streaming and bounded: one window, one chunk, one line of at most 1 MiB. Nothing
//! here may know caches or policies.

mod bytes;
mod columns;
mod convert;
mod delimited;
mod error;
mod extent;
mod fields;
mod format;
mod key_text;
mod lines;
mod memory;
mod oracle_general;
mod plain;
pub(crate) mod reader;
pub mod request;
mod skip;
mod source;
mod text;
mod twitter;
mod writer;

pub use bytes::{Compression, Progress};
pub use columns::{Column, Columns};
pub use convert::convert;
pub use error::{Position, TraceError};
pub use extent::{Extent, extent};
pub use fields::object_id;
pub use format::Format;
pub use lines::LINE_LIMIT;
pub use memory::{DecodedTrace, Footprint, fill_next};
pub use reader::{CHUNK, TraceReader};
pub use request::Request;
pub use skip::Skipped;
pub use source::{SourceOptions, TraceSource, read_from};
pub use text::{NumberedLine, TextLines};
pub use writer::TraceWriter;
