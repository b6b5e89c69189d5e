//! Synthetic workloads: seeded request streams with published shapes.

use std::str::FromStr;

use crate::trace::TraceError;
use crate::trace::reader::RecordStream;

/// A workload with its parameters.
#[derive(Debug, Clone)]
pub struct Workload {}

impl FromStr for Workload {
    type Err = TraceError;

    fn from_str(text: &str) -> Result<Self, TraceError> {
        Err(TraceError::UnknownSynthetic { found: text.to_owned(), expected: String::new() })
    }
}

impl Workload {
    pub(crate) fn stream(&self) -> Box<dyn RecordStream> {
        unreachable!()
    }
}
