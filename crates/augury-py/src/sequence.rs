//! Sequence models, from a file's bytes, and what they are trained on.

use std::sync::Arc;

use augury_core::artifact::{SequenceArtifact, is_sequence};
use augury_core::prefetch::sequence::SequenceModel;
use augury_replay::trace::Request;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::errors;

/// A sequence model that has been read and checked.
#[pyclass(frozen, module = "augury._core")]
pub(crate) struct Sequence {
    inner: SequenceArtifact,
}

impl Sequence {
    pub(crate) fn model(&self) -> Arc<SequenceModel> {
        self.inner.model().clone()
    }
}

#[pymethods]
impl Sequence {
    #[new]
    fn new(py: Python<'_>, data: &Bound<'_, PyBytes>) -> PyResult<Self> {
        let bytes = data.as_bytes();
        let inner = py.detach(|| SequenceArtifact::read(bytes)).map_err(errors::of_artifact)?;
        Ok(Sequence { inner })
    }

    /// Whether bytes claim to be one.
    #[staticmethod]
    fn is_one(py: Python<'_>, data: &Bound<'_, PyBytes>) -> bool {
        let bytes = data.as_bytes();
        py.detach(|| is_sequence(bytes))
    }

    /// SHA-256 of manifest and tensors.
    #[getter]
    fn hash(&self) -> &str {
        self.inner.hash()
    }

    /// The manifest, as JSON.
    #[getter]
    fn manifest(&self) -> &str {
        self.inner.manifest()
    }

    /// Continuations known, of objects and of steps.
    #[getter]
    fn continuations(&self) -> (usize, usize) {
        self.inner.model().continuations()
    }
}

/// Keys as unsigned 64-bit integers, sizes and sessions as unsigned 32-bit and namespaces as
/// unsigned 16-bit ones, all little-endian; and the number of requests that were replayed.
pub(crate) fn columns<'py>(
    py: Python<'py>,
    missed: &[Request],
    seen: u64,
) -> PyResult<Bound<'py, PyDict>> {
    let column = |bytes: Vec<u8>| PyBytes::new(py, &bytes);
    let columns = PyDict::new(py);
    let keys = missed.iter().flat_map(|request| request.key.to_le_bytes());
    columns.set_item("keys", column(keys.collect()))?;
    let sizes = missed.iter().flat_map(|request| request.size.to_le_bytes());
    columns.set_item("sizes", column(sizes.collect()))?;
    let sessions = missed.iter().flat_map(|request| request.session.to_le_bytes());
    columns.set_item("sessions", column(sessions.collect()))?;
    let namespaces = missed.iter().flat_map(|request| request.namespace.to_le_bytes());
    columns.set_item("namespaces", column(namespaces.collect()))?;
    columns.set_item("requests", seen)?;
    Ok(columns)
}
