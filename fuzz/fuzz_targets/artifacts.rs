//! Law: no bytes panic as a saved model, and one that is accepted answers with a number.
//!
//! The hash over the content is made to fit, or nothing behind it would be reached.

#![no_main]

use augury_core::artifact::{Artifact, sealed};
use augury_core::model::features::WIDTH;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = Artifact::read(bytes);
    let Some(bytes) = sealed(bytes) else { return };
    let Ok(artifact) = Artifact::read(&bytes) else { return };
    for value in [-1e30, -3.0, 0.0, 7.5, 1e30] {
        assert!(!artifact.predictor().worth(&[value; WIDTH]).is_nan());
    }
});
