//! Artifacts: trained models as files, data only.
//!
//! A file is in the safetensors format: tensors, and as metadata a manifest in JSON (what the
//! model is, which feature schema it was trained on, its model card) and a SHA-256 over both. No
//! byte of it is ever run. Whatever is wrong with it is an [`ArtifactError`]; nothing is believed:
//! every size, index and number is checked before use.
//!
//! This module takes bytes, never files: who reads them is up to the caller.

pub(crate) mod container;
mod error;
mod manifest;
mod parts;
mod sequence;

use safetensors::SafeTensors;

pub use container::BYTES_MAX;
use container::{Opened, fingerprint};
pub use error::ArtifactError;
use manifest::Manifest;
pub use sequence::SequenceArtifact;

use crate::model::features;
use crate::model::predictor::{Meaning, Predictor};

/// Version of the layout described in `manifest.rs`.
pub const FORMAT_VERSION: u32 = 1;

/// Smallest gain in object miss ratio that proves a model.
const GAIN_MIN: f64 = 0.0005;

/// Candidates that a decision asks a model about.
const CANDIDATES: u64 = 16;

/// A trained model, checked and ready.
#[derive(Debug, Clone)]
pub struct Artifact {
    predictor: Predictor,
    distilled: Option<Predictor>,
    manifest: Manifest,
    hash: String,
    text: String,
}

impl Artifact {
    /// Reads a file's bytes.
    pub fn read(bytes: &[u8]) -> Result<Self, ArtifactError> {
        let Opened { text, hash, tensors } = Opened::read(bytes)?;
        if manifest::kind(&text).as_deref() == Some(sequence::KIND) {
            return Err(ArtifactError::Sequence);
        }
        let manifest = Manifest::parse(&text)?;
        manifest.check_schema()?;
        let meaning = manifest.meaning.into();
        let is_proven = manifest.gain.is_some_and(|gain| gain >= GAIN_MIN);
        let part = |prefix, model| parts::predictor(&tensors, prefix, model, meaning, is_proven);
        let predictor = part("model", &manifest.model)?;
        let distilled =
            manifest.distilled.as_ref().map(|model| part("distilled", model)).transpose()?;
        Ok(Artifact { predictor, distilled, manifest, hash, text })
    }

    /// The model as it was trained.
    pub fn predictor(&self) -> &Predictor {
        &self.predictor
    }

    /// The tables it was distilled into, where it was.
    pub fn distilled(&self) -> Option<&Predictor> {
        self.distilled.as_ref()
    }

    /// What a cache asks: the model itself, or its tables where it would take more than `budget`
    /// steps per decision.
    ///
    /// # Errors
    /// [`ArtifactError::TooSlow`] where neither fits.
    pub fn serving(&self, budget: u64) -> Result<&Predictor, ArtifactError> {
        let fits = |predictor: &&Predictor| predictor.steps() * CANDIDATES <= budget;
        let models = [Some(&self.predictor), self.distilled.as_ref()];
        models
            .into_iter()
            .flatten()
            .find(fits)
            .ok_or(ArtifactError::TooSlow { steps: self.predictor.steps() * CANDIDATES, budget })
    }

    /// SHA-256 of manifest and tensors, in hexadecimal.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The manifest as JSON, model card included.
    pub fn manifest(&self) -> &str {
        &self.text
    }

    /// What the answers mean.
    pub fn meaning(&self) -> Meaning {
        self.predictor.meaning
    }

    /// Requests within which the next access counts as reuse, for a probability.
    pub fn horizon(&self) -> Option<f64> {
        self.manifest.horizon
    }
}

/// Whether a file's bytes claim to be a sequence model, for [`SequenceArtifact`]; any other file is
/// [`Artifact`]'s to read, or to refuse.
pub fn is_sequence(bytes: &[u8]) -> bool {
    let opened = Opened::read(bytes);
    opened.is_ok_and(|opened| manifest::kind(&opened.text).as_deref() == Some(sequence::KIND))
}

/// The same bytes with a hash that fits their content, for fuzzing what lies behind that check;
/// none where there is no hash to replace.
#[doc(hidden)]
pub fn sealed(bytes: &[u8]) -> Option<Vec<u8>> {
    let (start, header) = SafeTensors::read_metadata(bytes).ok()?;
    let metadata = header.metadata().as_ref()?;
    let (text, claimed) = (metadata.get("augury")?, metadata.get("sha256")?);
    let hash = fingerprint(text, bytes.get(8 + start..)?);
    let at = bytes.windows(claimed.len().max(1)).position(|part| part == claimed.as_bytes())?;
    let mut sealed = bytes.to_vec();
    sealed.get_mut(at..at + hash.len())?.copy_from_slice(hash.as_bytes());
    Some(sealed)
}

/// The names of the features, as manifests list them.
pub fn feature_names() -> [&'static str; features::WIDTH] {
    features::NAMES.map(|(name, _)| name)
}

#[cfg(test)]
mod tests;
