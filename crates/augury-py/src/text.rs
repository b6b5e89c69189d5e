//! The lines of a log, chunk by chunk.

use std::sync::Mutex;

use augury_replay::trace;
use pyo3::prelude::*;

use crate::errors;

/// Number, then the text, or the code of what is wrong with the line.
type Line = (u64, Option<String>, Option<&'static str>);

/// A text file being read.
#[pyclass(frozen, module = "augury._core")]
pub(crate) struct TextLines {
    lines: Mutex<trace::TextLines>,
}

#[pymethods]
impl TextLines {
    #[new]
    fn new(py: Python<'_>, source: &str) -> PyResult<Self> {
        let lines = py.detach(|| trace::TextLines::open(source)).map_err(errors::of_trace)?;
        Ok(TextLines { lines: Mutex::new(lines) })
    }

    /// The next lines that are not blank; none at the end.
    fn next_chunk(&self, py: Python<'_>) -> PyResult<Vec<Line>> {
        let mut chunk = Vec::new();
        py.detach(|| {
            self.lines.lock().unwrap_or_else(|broken| broken.into_inner()).next_chunk(&mut chunk)
        })
        .map_err(errors::of_trace)?;
        Ok(chunk
            .into_iter()
            .map(|(number, line)| match line {
                Ok(text) => (number, Some(text), None),
                Err(error) => (number, None, Some(error.code())),
            })
            .collect())
    }
}
