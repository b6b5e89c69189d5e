//! Trained models, from a file's bytes.

use std::sync::Arc;

use augury_core::artifact;
use augury_core::model::features::{NAMES, Row, SCHEMA_VERSION, WIDTH};
use augury_core::model::predictor::Predictor;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::errors;

/// A model that has been read and checked.
#[pyclass(frozen, module = "augury._core")]
pub(crate) struct Artifact {
    inner: artifact::Artifact,
    /// The file's bytes.
    data: Py<PyBytes>,
    /// What caches ask: the model, or its tables.
    pub(crate) serving: Arc<Predictor>,
}

impl Artifact {
    /// Whole requests within which an access counts as reuse; `None` where the model has none.
    pub(crate) fn horizon(&self) -> Option<u64> {
        self.inner.horizon().filter(|&horizon| horizon >= 1.0).map(|horizon| horizon as u64)
    }
}

#[pymethods]
impl Artifact {
    /// `budget`: steps per decision that a cache may spend on it, about a nanosecond each.
    #[new]
    #[pyo3(signature = (data, budget=24_000))]
    fn new(py: Python<'_>, data: &Bound<'_, PyBytes>, budget: u64) -> PyResult<Self> {
        let bytes = data.as_bytes();
        let read = py.detach(|| {
            let inner = artifact::Artifact::read(bytes)?;
            let serving = Arc::new(inner.serving(budget)?.clone());
            Ok((inner, serving))
        });
        let (inner, serving) = read.map_err(errors::of_artifact)?;
        Ok(Artifact { inner, data: data.clone().unbind(), serving })
    }

    /// What it was read from.
    #[getter]
    fn data(&self, py: Python<'_>) -> Py<PyBytes> {
        self.data.clone_ref(py)
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

    /// Steps per answer of the model, and of what caches ask.
    #[getter]
    fn steps(&self) -> (u64, u64) {
        (self.inner.predictor().steps(), self.serving.steps())
    }

    /// Answers for rows of single-precision features, as doubles. `serving`: of what caches ask.
    fn predict<'py>(
        &self,
        py: Python<'py>,
        rows: &[u8],
        serving: bool,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let predictor = if serving { &*self.serving } else { self.inner.predictor() };
        if !rows.len().is_multiple_of(size_of::<Row>()) {
            let word = format!("{} bytes are not rows of {WIDTH} singles", rows.len());
            return Err(PyValueError::new_err(word));
        }
        let answers = py.detach(|| -> Vec<u8> {
            let rows = rows.as_chunks::<{ size_of::<Row>() }>().0;
            rows.iter().flat_map(|bytes| predictor.predict(&read(bytes)).to_le_bytes()).collect()
        });
        Ok(PyBytes::new(py, &answers))
    }
}

fn read(bytes: &[u8; size_of::<Row>()]) -> Row {
    let singles = bytes.as_chunks::<4>().0;
    std::array::from_fn(|at| f32::from_le_bytes(singles[at]))
}

/// The feature schema: its version, and name and meaning of each feature.
#[pyfunction]
pub(crate) fn feature_schema() -> (u32, Vec<(&'static str, &'static str)>) {
    (SCHEMA_VERSION, NAMES.to_vec())
}
