//! Why a file is not a model that can be used.

use crate::model::predictor::Malformed;
use crate::prefetch::grams::GramsError;

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArtifactError {
    /// Larger than is looked at.
    #[error("{bytes} bytes are more than the {limit} that are read")]
    TooLarge {
        /// What it has.
        bytes: usize,
        /// What is allowed.
        limit: usize,
    },
    /// Not a safetensors file.
    #[error("not a model saved by augury: {why}")]
    NotAFile {
        /// What the format's reader says.
        why: String,
    },
    /// A safetensors file, but not of augury's, or a part is not there.
    #[error("not a model saved by augury: {what} is missing")]
    Missing {
        /// The part.
        what: String,
    },
    /// The content is not what was saved.
    #[error("damaged: its content has the SHA-256 {hash}, it was saved with {claimed}")]
    Damaged {
        /// In the file.
        claimed: String,
        /// Found.
        hash: String,
    },
    /// The manifest is not what it should be.
    #[error("its manifest cannot be read: {why}")]
    Manifest {
        /// Where and what.
        why: String,
    },
    /// Saved in a layout that this version does not know.
    #[error("saved in format {found}; this version of augury reads format {known}")]
    Format {
        /// In the file.
        found: u32,
        /// Known.
        known: u32,
    },
    /// Trained on other feature rows.
    #[error(
        "trained on feature schema {found} ({names}); this version of augury serves schema {known}: \
         train it anew"
    )]
    Schema {
        /// In the file.
        found: u32,
        /// Known.
        known: u32,
        /// The features of the file.
        names: String,
    },
    /// A tensor is not of the type or shape it should have.
    #[error("tensor {name}: {why}")]
    Tensor {
        /// Which.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// The parts do not make a model.
    #[error("not a model that can be used: {0}")]
    Malformed(#[from] Malformed),
    /// The tables do not make a sequence model.
    #[error("not a sequence model that can be used: {0}")]
    Grams(#[from] GramsError),
    /// A sequence model, which ranks nothing.
    #[error("a sequence model, which says what to prefetch: use it as the prefetcher learned:PATH")]
    Sequence,
    /// A model of reuse, or of nothing known, where a sequence model was asked for.
    #[error("no sequence model: train one, or use this one as the policy learned:PATH")]
    NoSequence,
    /// It takes too long.
    #[error(
        "a decision would take {steps} steps of a budget of {budget}: train with tables \
         (the default), or raise the budget"
    )]
    TooSlow {
        /// Per decision.
        steps: u64,
        /// Allowed.
        budget: u64,
    },
}

impl ArtifactError {
    /// Whether the file is sound but made for other feature rows.
    pub fn is_schema_mismatch(&self) -> bool {
        matches!(self, ArtifactError::Schema { .. })
    }
}
