//! Law: no bytes panic as a saved model, and one that is accepted answers: with a number, or with
//! what may come next.
//!
//! The hash over the content is made to fit, or nothing behind it would be reached.

#![no_main]

use augury_core::artifact::{Artifact, SequenceArtifact, sealed};
use augury_core::hash::mix;
use augury_core::model::features::WIDTH;
use augury_core::prefetch::predictor::{Attention, Candidates, Predictor};
use augury_core::prefetch::sequence::Sequence;
use augury_core::request::Access;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = Artifact::read(bytes);
    let Some(bytes) = sealed(bytes) else { return };
    if let Ok(artifact) = SequenceArtifact::read(&bytes) {
        return foresee(&artifact);
    }
    let Ok(artifact) = Artifact::read(&bytes) else { return };
    for value in [-1e30, -3.0, 0.0, 7.5, 1e30] {
        assert!(!artifact.predictor().worth(&[value; WIDTH]).is_nan());
    }
});

/// Asks a sequence model after keys near each other, and at the ends of their range.
fn foresee(artifact: &SequenceArtifact) {
    let mut sequence = Sequence::new(artifact.model().clone());
    for (now, key) in (0..40).chain([u64::MAX, 0, u64::MAX / 2]).enumerate() {
        let mut out = Candidates::default();
        let access = Access::new(mix(key), key, 1, now as u64);
        sequence.observe(&access, Attention::Full, &mut out);
        assert!(out.as_slice().iter().all(|candidate| candidate.hash == mix(candidate.key)));
    }
}
