//! Sequence models as artifacts: the tables of [`SequenceModel`], checked.
//!
//! The manifest is `{"format": 1, "model": {"kind": "sequence"}, "card": {...}}`. The tensors are
//! `keys` (U64), `sizes` (U32) and `namespaces` (U16) of the objects, `distances` (I64) of the
//! steps, and for both tables `T.contexts` (U32, a row of three per context), `T.starts` (U32),
//! `T.next` (U32) and `T.chance` (F32), with `objects` and `steps` for `T`.

use std::sync::Arc;

use safetensors::Dtype;
use serde::Deserialize;

use super::FORMAT_VERSION;
use super::container::Opened;
use super::error::ArtifactError;
use super::manifest;
use super::parts::Parts;
use crate::prefetch::grams::{Continuation, Grams, ORDER, Vocabulary};
use crate::prefetch::sequence::{Known, SequenceModel};

/// What the manifest calls it.
pub(super) const KIND: &str = "sequence";

/// A trained sequence model, checked and ready.
#[derive(Debug, Clone)]
pub struct SequenceArtifact {
    model: Arc<SequenceModel>,
    hash: String,
    text: String,
}

#[derive(Deserialize)]
struct Head {
    format: u32,
}

impl SequenceArtifact {
    /// Reads a file's bytes.
    pub fn read(bytes: &[u8]) -> Result<Self, ArtifactError> {
        let Opened { text, hash, tensors } = Opened::read(bytes)?;
        let Head { format } = serde_json::from_str(&text)
            .map_err(|why| ArtifactError::Manifest { why: why.to_string() })?;
        if format != FORMAT_VERSION {
            return Err(ArtifactError::Format { found: format, known: FORMAT_VERSION });
        }
        if manifest::kind(&text).as_deref() != Some(KIND) {
            return Err(ArtifactError::NoSequence);
        }
        let parts = Parts::new(&tensors, "model");
        let keys = Vocabulary::new(parts.numbers("keys", Dtype::U64, u64::from_le_bytes)?)?;
        let sizes = parts.numbers("sizes", Dtype::U32, u32::from_le_bytes)?;
        let namespaces = parts.numbers("namespaces", Dtype::U16, u16::from_le_bytes)?;
        parts.alike("sizes", &[sizes.len(), namespaces.len()])?;
        let known = sizes.into_iter().zip(namespaces);
        let known = known.map(|(size, namespace)| Known { size, namespace }).collect();
        let distances = parts.numbers("distances", Dtype::I64, i64::from_le_bytes)?;
        let distances = Vocabulary::new(distances)?;
        let objects = grams(&parts, "objects", keys.len())?;
        let steps = grams(&parts, "steps", distances.len())?;
        let model = SequenceModel::new((keys, known, objects), (distances, steps))?;
        Ok(SequenceArtifact { model: Arc::new(model), hash, text })
    }

    /// The model.
    pub fn model(&self) -> &Arc<SequenceModel> {
        &self.model
    }

    /// SHA-256 of manifest and tensors, in hexadecimal.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The manifest as JSON, model card included.
    pub fn manifest(&self) -> &str {
        &self.text
    }
}

/// The table of this name, over a vocabulary of `size` values.
fn grams(parts: &Parts<'_>, name: &str, size: usize) -> Result<Grams, ArtifactError> {
    let integers =
        |part: &str| parts.numbers(&format!("{name}.{part}"), Dtype::U32, u32::from_le_bytes);
    let (tokens, starts, next) = (integers("contexts")?, integers("starts")?, integers("next")?);
    let (contexts, rest) = tokens.as_chunks::<ORDER>();
    if !rest.is_empty() {
        let why = format!("{} tokens are no rows of {ORDER}", tokens.len());
        return Err(parts.wrong(&format!("{name}.contexts"), why));
    }
    let chances = parts.numbers(&format!("{name}.chance"), Dtype::F32, f32::from_le_bytes)?;
    parts.alike(&format!("{name}.next"), &[next.len(), chances.len()])?;
    let continuations = next.into_iter().zip(chances);
    let continuations = continuations.map(|(token, chance)| Continuation { token, chance });
    Ok(Grams::new(contexts.to_vec(), starts, continuations.collect(), size)?)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{File, bytes_of};
    use super::super::{Artifact, is_sequence, sealed};
    use super::*;

    /// 10 is followed by 20; after a step of 3 comes another one.
    fn pair() -> File {
        let integers = |values: &[u32]| bytes_of(values, u32::to_le_bytes);
        let chance = bytes_of(&[0.5], f32::to_le_bytes);
        File {
            manifest: serde_json::json!({
                "format": 1, "model": {"kind": "sequence"}, "card": {"by": "a test"},
            }),
            tensors: vec![
                ("model.keys", Dtype::U64, bytes_of(&[10, 20], u64::to_le_bytes)),
                ("model.sizes", Dtype::U32, integers(&[1, 2])),
                ("model.namespaces", Dtype::U16, bytes_of(&[0, 1], u16::to_le_bytes)),
                ("model.distances", Dtype::I64, bytes_of(&[3], i64::to_le_bytes)),
                ("model.objects.contexts", Dtype::U32, integers(&[1, 0, 0])),
                ("model.objects.starts", Dtype::U32, integers(&[0, 1])),
                ("model.objects.next", Dtype::U32, integers(&[2])),
                ("model.objects.chance", Dtype::F32, chance.clone()),
                ("model.steps.contexts", Dtype::U32, integers(&[1, 0, 0])),
                ("model.steps.starts", Dtype::U32, integers(&[0, 1])),
                ("model.steps.next", Dtype::U32, integers(&[1])),
                ("model.steps.chance", Dtype::F32, chance),
            ],
        }
    }

    fn error(file: &File) -> ArtifactError {
        SequenceArtifact::read(&file.write(None)).unwrap_err()
    }

    #[test]
    fn a_saved_model_is_read_and_not_taken_for_another_kind() {
        let bytes = pair().write(None);
        let artifact = SequenceArtifact::read(&bytes).unwrap();
        assert_eq!((1, 1), artifact.model().continuations());
        assert!(artifact.manifest().contains("a test"));
        assert!(is_sequence(&bytes));
        assert_eq!(Some(ArtifactError::Sequence), Artifact::read(&bytes).err());
        let mut other = pair();
        other.manifest["model"]["kind"] = "trees".into();
        assert_eq!(ArtifactError::NoSequence, error(&other));
        assert!(!is_sequence(&other.write(None)));
    }

    #[test]
    fn what_is_not_sound_is_refused() {
        for at in 0..pair().tensors.len() {
            let mut bad = pair();
            bad.tensors.remove(at);
            assert!(matches!(error(&bad), ArtifactError::Missing { .. }));
            let mut bad = pair();
            bad.tensors[at].1 = Dtype::U8;
            assert!(matches!(error(&bad), ArtifactError::Tensor { .. }), "{at}");
        }
        let mut bad = pair();
        bad.manifest["format"] = 9.into();
        assert!(matches!(error(&bad), ArtifactError::Format { found: 9, .. }));
        let mut bad = pair();
        bad.tensors[0].2.truncate(8);
        assert!(matches!(error(&bad), ArtifactError::Grams(_)));
        let mut bad = pair();
        bad.tensors[2].2.truncate(2);
        assert!(matches!(error(&bad), ArtifactError::Tensor { .. }));
        let mut bad = pair();
        bad.tensors[4].2.truncate(8);
        assert!(matches!(error(&bad), ArtifactError::Tensor { .. }));
    }

    #[test]
    fn hostile_tables_behind_a_fitting_hash_do_no_harm() {
        let good = pair().write(None);
        let mut accepted = 0;
        for at in 0..good.len() {
            for flip in [1, 0x80, 0xff] {
                let mut bad = good.clone();
                bad[at] ^= flip;
                let Some(bad) = sealed(&bad) else { continue };
                let Ok(artifact) = SequenceArtifact::read(&bad) else { continue };
                accepted += 1;
                assert!(artifact.model().continuations() <= (1, 1));
            }
        }
        assert!(accepted > 10, "{accepted}");
    }
}
