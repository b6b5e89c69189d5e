//! The manifest: what a model file says of itself.
//!
//! ```json
//! {"format": 1, "schema": 2, "features": ["log_age", "..."],
//!  "meaning": "probability", "horizon": 20000, "gain": 0.004,
//!  "model": {"kind": "trees", "link": "logistic", "offset": 0.1, "scale": 1.0},
//!  "distilled": {"kind": "table", "link": "identity", "axes": [6, 4]},
//!  "card": {"...": "..."}}
//! ```

use serde::Deserialize;

use super::error::ArtifactError;
use super::{FORMAT_VERSION, feature_names};
use crate::model::features::SCHEMA_VERSION;
use crate::model::predictor as parts;

/// See the module's head; the card is for people and not looked into.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Manifest {
    format: u32,
    schema: u32,
    features: Vec<String>,
    pub meaning: Meaning,
    pub horizon: Option<f64>,
    /// By how much it lowered the object miss ratio of `auto` on data it was not trained on.
    pub gain: Option<f64>,
    pub model: Model,
    pub distilled: Option<Model>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Meaning {
    Probability,
    LogWait,
}

impl From<Meaning> for parts::Meaning {
    fn from(meaning: Meaning) -> Self {
        match meaning {
            Meaning::Probability => parts::Meaning::Probability,
            Meaning::LogWait => parts::Meaning::LogWait,
        }
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Link {
    Identity,
    Logistic,
}

impl From<Link> for parts::Link {
    fn from(link: Link) -> Self {
        match link {
            Link::Identity => parts::Link::Identity,
            Link::Logistic => parts::Link::Logistic,
        }
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Activation {
    Identity,
    Relu,
    Tanh,
    Logistic,
}

impl From<Activation> for parts::Activation {
    fn from(activation: Activation) -> Self {
        match activation {
            Activation::Identity => parts::Activation::Identity,
            Activation::Relu => parts::Activation::Relu,
            Activation::Tanh => parts::Activation::Tanh,
            Activation::Logistic => parts::Activation::Logistic,
        }
    }
}

/// Which tensors there are and how they make a model.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Model {
    Trees { link: Link, offset: f64, scale: f64 },
    Network { link: Link, hidden: Activation, layers: usize },
    Table { link: Link, axes: Vec<usize> },
}

impl Model {
    pub fn link(&self) -> Link {
        match self {
            Model::Trees { link, .. } | Model::Network { link, .. } | Model::Table { link, .. } => {
                *link
            }
        }
    }
}

/// What the manifest of any artifact calls its model, where it calls it anything.
pub(super) fn kind(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        kind: String,
    }
    #[derive(Deserialize)]
    struct Any {
        model: Named,
    }
    serde_json::from_str::<Any>(text).ok().map(|any| any.model.kind)
}

impl Manifest {
    pub fn parse(text: &str) -> Result<Self, ArtifactError> {
        serde_json::from_str(text).map_err(|why| ArtifactError::Manifest { why: why.to_string() })
    }

    /// Whether it is of this version's format, for this version's feature rows.
    pub fn check_schema(&self) -> Result<(), ArtifactError> {
        if self.format != FORMAT_VERSION {
            return Err(ArtifactError::Format { found: self.format, known: FORMAT_VERSION });
        }
        if self.schema != SCHEMA_VERSION || self.features != feature_names() {
            let mut names = self.features.join(", ");
            if names.chars().count() > 200 {
                names = names.chars().take(200).chain("...".chars()).collect();
            }
            let (found, known) = (self.schema, SCHEMA_VERSION);
            return Err(ArtifactError::Schema { found, known, names });
        }
        Ok(())
    }
}
