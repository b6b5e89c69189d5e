//! From tensors to a predictor.

use safetensors::{Dtype, SafeTensors};

use super::error::ArtifactError;
use super::manifest::Model;
use crate::model::predictor::{
    Axis, Form, Layer, Link, Meaning, Network, Node, Predictor, Table, Trees,
};

/// The feature number that marks a leaf.
const LEAF: i32 = -1;

/// The model whose tensors' names begin with `prefix`.
pub(super) fn predictor(
    tensors: &SafeTensors<'_>,
    prefix: &str,
    model: &Model,
    meaning: Meaning,
    is_proven: bool,
) -> Result<Predictor, ArtifactError> {
    let parts = Parts::new(tensors, prefix);
    let form = match model {
        Model::Trees { offset, scale, .. } => Form::Trees(parts.trees(*offset, *scale)?),
        Model::Network { hidden, layers, .. } => {
            let layers = (0..(*layers).min(64)).map(|at| parts.layer(at));
            Form::Network(Network::new(
                &parts.doubles("mean")?,
                &parts.doubles("scale")?,
                layers.collect::<Result<_, _>>()?,
                (*hidden).into(),
            )?)
        }
        Model::Table { axes, .. } => {
            let axes = axes.iter().enumerate().map(|(at, &feature)| {
                Ok(Axis { feature, edges: parts.singles(&format!("edges.{at}"))? })
            });
            let axes = axes.collect::<Result<_, ArtifactError>>()?;
            Form::Table(Table::new(axes, parts.singles("values")?)?)
        }
    };
    Ok(Predictor { form, link: Link::from(model.link()), meaning, is_proven })
}

/// The tensors whose names begin with a prefix.
pub(super) struct Parts<'a> {
    tensors: &'a SafeTensors<'a>,
    prefix: &'a str,
}

impl<'a> Parts<'a> {
    pub(super) fn new(tensors: &'a SafeTensors<'a>, prefix: &'a str) -> Self {
        Parts { tensors, prefix }
    }

    fn trees(&self, offset: f64, scale: f64) -> Result<Trees, ArtifactError> {
        let (features, left, right) =
            (self.integers("feature")?, self.integers("left")?, self.integers("right")?);
        let (thresholds, values) = (self.doubles("threshold")?, self.doubles("value")?);
        let lengths = [features.len(), left.len(), right.len(), thresholds.len(), values.len()];
        self.alike("feature", &lengths)?;
        // A negative child becomes a number that no node has.
        let nodes = (0..features.len()).map(|at| match features[at] {
            LEAF => Node::Leaf(values[at]),
            feature => Node::Split {
                feature: feature as u32,
                threshold: thresholds[at],
                left: left[at] as u32,
                right: right[at] as u32,
            },
        });
        let roots: Vec<u32> = self.integers("roots")?.iter().map(|&root| root as u32).collect();
        Ok(Trees::new(&nodes.collect::<Vec<_>>(), &roots, offset, scale)?)
    }

    fn layer(&self, at: usize) -> Result<Layer, ArtifactError> {
        let weights = self.doubles(&format!("weights.{at}"))?;
        Ok(Layer { weights, biases: self.doubles(&format!("biases.{at}"))? })
    }

    fn doubles(&self, name: &str) -> Result<Vec<f64>, ArtifactError> {
        self.numbers(name, Dtype::F64, f64::from_le_bytes)
    }

    fn singles(&self, name: &str) -> Result<Vec<f32>, ArtifactError> {
        self.numbers(name, Dtype::F32, f32::from_le_bytes)
    }

    fn integers(&self, name: &str) -> Result<Vec<i32>, ArtifactError> {
        self.numbers(name, Dtype::I32, i32::from_le_bytes)
    }

    /// Whether tensors that belong together, this one the first, are of one length.
    pub(super) fn alike(&self, name: &str, lengths: &[usize]) -> Result<(), ArtifactError> {
        if lengths.windows(2).all(|pair| pair[0] == pair[1]) {
            return Ok(());
        }
        let why = format!("the tensors that belong together have different lengths: {lengths:?}");
        Err(self.wrong(name, why))
    }

    /// All numbers of a tensor, whatever its shape.
    pub(super) fn numbers<const BYTES: usize, T>(
        &self,
        name: &str,
        dtype: Dtype,
        read: impl Fn([u8; BYTES]) -> T,
    ) -> Result<Vec<T>, ArtifactError> {
        let full = format!("{}.{name}", self.prefix);
        let Ok(tensor) = self.tensors.tensor(&full) else {
            return Err(ArtifactError::Missing { what: format!("the tensor {full}") });
        };
        if tensor.dtype() != dtype {
            return Err(self.wrong(name, format!("is {:?}, not {dtype:?}", tensor.dtype())));
        }
        let chunks = tensor.data().as_chunks::<BYTES>().0;
        Ok(chunks.iter().map(|&bytes| read(bytes)).collect())
    }

    pub(super) fn wrong(&self, name: &str, why: String) -> ArtifactError {
        ArtifactError::Tensor { name: format!("{}.{name}", self.prefix), why }
    }
}
