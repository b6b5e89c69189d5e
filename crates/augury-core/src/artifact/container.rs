//! The container of every artifact: a safetensors file with a manifest and a hash in its metadata.
//!
//! It must not know what the manifest says, nor which tensors there should be.

use safetensors::SafeTensors;
use sha2::{Digest, Sha256};

use super::error::ArtifactError;

/// Largest file that is looked at.
pub const BYTES_MAX: usize = 256 << 20;
/// Largest manifest.
const MANIFEST_MAX: usize = 4 << 20;
/// A file whose content is what was saved.
pub(crate) struct Opened<'a> {
    /// The manifest.
    pub(crate) text: String,
    /// SHA-256 of manifest and tensors, in hexadecimal.
    pub(crate) hash: String,
    pub(crate) tensors: SafeTensors<'a>,
}

impl<'a> Opened<'a> {
    /// Reads a file's bytes.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, ArtifactError> {
        if bytes.len() > BYTES_MAX {
            return Err(ArtifactError::TooLarge { bytes: bytes.len(), limit: BYTES_MAX });
        }
        let (start, header) = SafeTensors::read_metadata(bytes)
            .map_err(|why| ArtifactError::NotAFile { why: why.to_string() })?;
        let mut metadata = header.metadata().clone().unwrap_or_default();
        let mut entry = |name: &'static str| {
            metadata.remove(name).ok_or(ArtifactError::Missing { what: name.to_owned() })
        };
        let (text, claimed) = (entry("augury")?, entry("sha256")?);
        if text.len() > MANIFEST_MAX {
            return Err(ArtifactError::TooLarge { bytes: text.len(), limit: MANIFEST_MAX });
        }
        let tensors = SafeTensors::deserialize(bytes)
            .map_err(|why| ArtifactError::NotAFile { why: why.to_string() })?;
        // Past the length of the header and the header itself.
        let data = bytes.get(8 + start..).unwrap_or_default();
        let hash = fingerprint(&text, data);
        if hash != claimed {
            let claimed = claimed.chars().take(64).collect();
            return Err(ArtifactError::Damaged { claimed, hash });
        }
        Ok(Opened { text, hash, tensors })
    }
}

/// SHA-256 of a manifest, a zero byte and the tensors' bytes.
pub(crate) fn fingerprint(manifest: &str, data: &[u8]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(manifest.as_bytes());
    hasher.update([0]);
    hasher.update(data);
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
