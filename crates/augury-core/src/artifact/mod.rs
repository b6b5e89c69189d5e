//! Artifacts: trained models as files, data only.
//!
//! A file is in the safetensors format: tensors, and as metadata a manifest in JSON (what the
//! model is, which feature schema it was trained on, its model card) and a SHA-256 over both. No
//! byte of it is ever run. Whatever is wrong with it is an [`ArtifactError`]; nothing is believed:
//! every size, index and number is checked before use.
//!
//! This module takes bytes, never files: who reads them is up to the caller.

mod error;
mod manifest;
mod parts;

use safetensors::SafeTensors;
use sha2::{Digest, Sha256};

pub use error::ArtifactError;
use manifest::Manifest;

use crate::model::features;
use crate::model::predictor::{Meaning, Predictor};

/// Largest file that is looked at.
pub const BYTES_MAX: usize = 256 << 20;
/// Largest manifest.
const MANIFEST_MAX: usize = 4 << 20;
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
        if bytes.len() > BYTES_MAX {
            return Err(ArtifactError::TooLarge { bytes: bytes.len(), limit: BYTES_MAX });
        }
        let (start, header) = SafeTensors::read_metadata(bytes)
            .map_err(|why| ArtifactError::NotAFile { why: why.to_string() })?;
        let metadata = header.metadata().clone().unwrap_or_default();
        let entry = |name: &'static str| {
            metadata.get(name).ok_or(ArtifactError::Missing { what: name.to_owned() })
        };
        let (text, claimed) = (entry("augury")?, entry("sha256")?);
        if text.len() > MANIFEST_MAX {
            return Err(ArtifactError::TooLarge { bytes: text.len(), limit: MANIFEST_MAX });
        }
        let tensors = SafeTensors::deserialize(bytes)
            .map_err(|why| ArtifactError::NotAFile { why: why.to_string() })?;
        // Past the length of the header and the header itself.
        let data = bytes.get(8 + start..).unwrap_or_default();
        let hash = fingerprint(text, data);
        if hash != *claimed {
            return Err(ArtifactError::Damaged {
                claimed: claimed.chars().take(64).collect(),
                hash,
            });
        }
        let manifest = Manifest::parse(text)?;
        manifest.check_schema()?;
        let meaning = manifest.meaning.into();
        let is_proven = manifest.gain.is_some_and(|gain| gain >= GAIN_MIN);
        let part = |prefix, model| parts::predictor(&tensors, prefix, model, meaning, is_proven);
        let predictor = part("model", &manifest.model)?;
        let distilled =
            manifest.distilled.as_ref().map(|model| part("distilled", model)).transpose()?;
        Ok(Artifact { predictor, distilled, manifest, hash, text: text.clone() })
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

/// SHA-256 of a manifest, a zero byte and the tensors' bytes.
fn fingerprint(manifest: &str, data: &[u8]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(manifest.as_bytes());
    hasher.update([0]);
    hasher.update(data);
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
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
