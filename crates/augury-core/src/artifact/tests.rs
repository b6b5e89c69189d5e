use std::collections::HashMap;

use safetensors::serialize;
use safetensors::tensor::TensorView;

use super::*;
use crate::model::features::Row;

pub(super) struct File {
    pub(super) manifest: serde_json::Value,
    pub(super) tensors: Vec<(&'static str, Dtype, Vec<u8>)>,
}

use safetensors::Dtype;

pub(super) fn bytes_of<const N: usize, T: Copy>(
    values: &[T],
    to: impl Fn(T) -> [u8; N],
) -> Vec<u8> {
    values.iter().flat_map(|&value| to(value)).collect()
}

/// A single split: 1 where log_age is at most 3, else 2.
fn stump() -> File {
    let integers = |values: &[i32]| bytes_of(values, i32::to_le_bytes);
    let doubles = |values: &[f64]| bytes_of(values, f64::to_le_bytes);
    File {
        manifest: serde_json::json!({
            "format": 1, "schema": features::SCHEMA_VERSION, "features": feature_names(),
            "meaning": "log_wait", "horizon": null, "gain": null, "distilled": null, "card": {"by": "a test"},
            "model": {"kind": "trees", "link": "identity", "offset": 0.0, "scale": 1.0},
        }),
        tensors: vec![
            ("model.feature", Dtype::I32, integers(&[0, -1, -1])),
            ("model.left", Dtype::I32, integers(&[1, -1, -1])),
            ("model.right", Dtype::I32, integers(&[2, -1, -1])),
            ("model.threshold", Dtype::F64, doubles(&[3.0, 0.0, 0.0])),
            ("model.value", Dtype::F64, doubles(&[0.0, 1.0, 2.0])),
            ("model.roots", Dtype::I32, integers(&[0])),
        ],
    }
}

impl File {
    pub(super) fn write(&self, hash: Option<&str>) -> Vec<u8> {
        let views = || {
            self.tensors.iter().map(|(name, dtype, data)| {
                let length = 8 * data.len() / dtype.bitsize();
                (*name, TensorView::new(*dtype, vec![length], data).unwrap())
            })
        };
        let text = self.manifest.to_string();
        let plain = serialize(views(), None).unwrap();
        let (start, _) = SafeTensors::read_metadata(&plain).unwrap();
        let found = fingerprint(&text, &plain[8 + start..]);
        let sha256 = hash.unwrap_or(&found).to_owned();
        let metadata = HashMap::from([("augury".to_owned(), text), ("sha256".to_owned(), sha256)]);
        serialize(views(), Some(metadata)).unwrap()
    }

    fn error(&self) -> ArtifactError {
        Artifact::read(&self.write(None)).unwrap_err()
    }
}

#[test]
fn a_saved_model_answers_as_before() {
    let artifact = Artifact::read(&stump().write(None)).unwrap();
    let mut row = Row::default();
    assert_eq!(1.0, artifact.predictor().predict(&row));
    row[0] = 3.5;
    assert_eq!((2.0, 0.25), (artifact.predictor().predict(&row), artifact.predictor().worth(&row)));
    assert!(artifact.manifest().contains("a test"));
    assert!(artifact.serving(24_000).is_ok());
    assert_eq!(Some(ArtifactError::TooSlow { steps: 32, budget: 1 }), artifact.serving(1).err());
}

#[test]
fn every_kind_of_damage_has_its_word() {
    let good = stump().write(None);
    for length in 0..good.len() {
        Artifact::read(&good[..length]).unwrap_err();
    }
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x41;
        // A flipped byte in the padding or the name of an unused part may leave the model whole.
        if let Ok(artifact) = Artifact::read(&bad) {
            assert_eq!(Artifact::read(&good).unwrap().predictor(), artifact.predictor());
        }
    }
    let error = Artifact::read(&stump().write(Some("00"))).unwrap_err();
    assert!(matches!(error, ArtifactError::Damaged { .. }), "{error}");
}

#[test]
fn another_schema_is_told_apart_from_damage() {
    let mut file = stump();
    file.manifest["schema"] = 99.into();
    assert!(file.error().is_schema_mismatch());
    let mut file = stump();
    file.manifest["features"][0] = "age".into();
    assert!(file.error().is_schema_mismatch());
    let mut file = stump();
    file.manifest["format"] = 7.into();
    assert_eq!(ArtifactError::Format { found: 7, known: 1 }, file.error());
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let mut file = stump();
    file.tensors.pop();
    assert!(matches!(file.error(), ArtifactError::Missing { .. }));
    let mut file = stump();
    file.tensors[0].1 = Dtype::F32;
    assert!(matches!(file.error(), ArtifactError::Tensor { .. }));
    let mut file = stump();
    file.tensors[4].2.truncate(16);
    assert!(matches!(file.error(), ArtifactError::Tensor { .. }));
    let mut file = stump();
    file.tensors[4].2[8..16].copy_from_slice(&f64::NAN.to_le_bytes());
    assert!(matches!(file.error(), ArtifactError::Malformed(_)));
    let mut file = stump();
    file.manifest["model"]["kind"] = "pickle".into();
    assert!(matches!(file.error(), ArtifactError::Manifest { .. }));
}

#[test]
fn behind_the_hash_no_byte_panics_either() {
    let good = stump().write(None);
    let mut random = crate::random::Random::new(11);
    let mut accepted = 0;
    for _ in 0..20_000 {
        let mut bad = good.clone();
        for _ in 0..=random.below(3) {
            let at = random.below(bad.len() as u32) as usize;
            bad[at] = random.next_u32() as u8;
        }
        let Some(bad) = sealed(&bad) else { continue };
        if let Ok(artifact) = Artifact::read(&bad) {
            accepted += 1;
            assert!(!artifact.predictor().worth(&Row::default()).is_nan());
        }
    }
    assert!(accepted > 100, "{accepted}");
}
