//! What there is by name: policies and synthetic workloads.

use augury_replay::replay::{PolicyName, PredictorName};
use augury_replay::synthetic;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// A parameter: name, default, meaning.
type Parameter = (&'static str, f64, &'static str);

/// Name, description and parameters of each workload.
#[pyfunction]
pub(crate) fn workloads() -> Vec<(&'static str, &'static str, Vec<Parameter>)> {
    synthetic::list()
        .iter()
        .map(|shape| {
            let parameters =
                shape.parameters().map(|one| (one.name, one.default, one.meaning)).collect();
            (shape.name, shape.description, parameters)
        })
        .collect()
}

/// The names of the predictors that may prefetch, the default first.
#[pyfunction]
pub(crate) fn prefetchers(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
    PyTuple::new(py, PredictorName::ALL.map(PredictorName::name))
}

/// The names of the policies.
#[pyfunction]
pub(crate) fn policies(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
    PyTuple::new(py, PolicyName::ALL.map(PolicyName::name))
}
