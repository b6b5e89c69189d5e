//! Heats and what was learned, as the bytes of a safetensors file with a hash, and back.
//!
//! What is read comes from elsewhere and is believed in nothing: its size is bounded before it is looked
//! at, it is hashed before anything of it is used, hashes have to ascend, and a heat is a number from 0 to
//! 2^24. The hash shows damage; whoever may write to the cluster can write a sound message too, and what
//! that can do is to have the wrong objects kept, no more.

use safetensors::tensor::{Dtype, TensorView, serialize};
use serde::{Deserialize, Serialize};

use super::heats::Heats;
use crate::artifact::ArtifactError;
use crate::artifact::container::{Opened, fingerprint};

/// Bytes of a message at most.
pub const MESSAGE_MAX: usize = 8 << 20;
/// Objects that a message tells of at most.
pub const KEYS_MAX: usize = 1 << 18;
/// Bytes of what was learned, at most.
const LEARNED_MAX: usize = 2 << 20;
const HEAT_MAX: f32 = (1 << 24) as f32;
const VERSION: u32 = 1;
const KIND: &str = "augury-together";

/// What a message says of itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// What it is.
    pub(super) kind: String,
    pub(super) version: u32,
    /// Share of the heat of steady traffic that its heats have reached.
    pub saturation: f32,
    /// Requests that it was learned from.
    pub requests: u64,
    /// Caches that it was learned by.
    pub members: u32,
    /// The fencing token of who wrote it; 0 where nobody was elected.
    pub token: u64,
}

/// See the module's head.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Message {
    /// What it says of itself.
    pub content: Content,
    /// Heats by shared hash.
    pub heats: Heats,
    /// What a policy has learned of objects in general; empty where it has learned nothing.
    pub learned: Vec<u8>,
}

impl Message {
    /// As bytes.
    ///
    /// # Errors
    /// It is too large.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ArtifactError> {
        let content = Content { kind: KIND.to_owned(), version: VERSION, ..self.content.clone() };
        let text = serde_json::to_string(&content).map_err(not_a_message)?;
        let pairs = self.heats.pairs();
        let keys: Vec<u8> = pairs.iter().flat_map(|(hash, _)| hash.to_le_bytes()).collect();
        let heats: Vec<u8> = pairs.iter().flat_map(|(_, heat)| heat.to_le_bytes()).collect();
        let view = |dtype, count, data| TensorView::new(dtype, vec![count], data);
        let tensors = || -> Result<_, safetensors::SafeTensorError> {
            Ok([
                ("hashes", view(Dtype::U64, pairs.len(), &keys)?),
                ("heats", view(Dtype::F32, pairs.len(), &heats)?),
                ("learned", view(Dtype::U8, self.learned.len(), &self.learned)?),
            ])
        };
        let with = |hash: String| {
            let metadata = [("augury".to_owned(), text.clone()), ("sha256".to_owned(), hash)];
            serialize(tensors()?, Some(metadata.into_iter().collect()))
        };
        // Tensors stand in an order of the container's own, which the first draft shows.
        let draft = with(String::new()).map_err(not_a_message)?;
        let header = draft.first_chunk::<8>().map_or(0, |head| u64::from_le_bytes(*head) as usize);
        let hash = fingerprint(&text, draft.get(8 + header..).unwrap_or_default());
        let bytes = with(hash).map_err(not_a_message)?;
        if bytes.len() > MESSAGE_MAX {
            return Err(ArtifactError::TooLarge { bytes: bytes.len(), limit: MESSAGE_MAX });
        }
        Ok(bytes)
    }

    /// From bytes.
    ///
    /// # Errors
    /// They are no message, or a damaged one.
    pub fn read(bytes: &[u8]) -> Result<Self, ArtifactError> {
        if bytes.len() > MESSAGE_MAX {
            return Err(ArtifactError::TooLarge { bytes: bytes.len(), limit: MESSAGE_MAX });
        }
        let opened = Opened::read(bytes)?;
        let content: Content = serde_json::from_str(&opened.text).map_err(not_a_message)?;
        if content.kind != KIND || content.version != VERSION {
            return Err(not_a_message(format!(
                "kind {:.40} of version {}, expected {KIND} of version {VERSION}",
                content.kind, content.version
            )));
        }
        if !(0.0..=1.0).contains(&content.saturation) {
            return Err(not_a_message("its saturation is no share"));
        }
        let tensor = |name: &str, dtype, most: usize| {
            let found = opened.tensors.tensor(name).map_err(not_a_message)?;
            match found.shape() {
                &[count] if found.dtype() == dtype && count <= most => Ok(found.data().to_vec()),
                shape => Err(not_a_message(format!(
                    "{name}: {shape:?} of {:?}, expected at most {most} of {dtype:?} in a row",
                    found.dtype()
                ))),
            }
        };
        let hashes = tensor("hashes", Dtype::U64, KEYS_MAX)?;
        let heats = tensor("heats", Dtype::F32, KEYS_MAX)?;
        let learned = tensor("learned", Dtype::U8, LEARNED_MAX)?;
        let (hashes, _) = hashes.as_chunks::<8>();
        let (heats, _) = heats.as_chunks::<4>();
        if hashes.len() != heats.len() {
            return Err(not_a_message("it has other numbers of hashes than of heats"));
        }
        let pairs: Vec<(u64, f32)> = hashes
            .iter()
            .zip(heats)
            .map(|(hash, heat)| (u64::from_le_bytes(*hash), f32::from_le_bytes(*heat)))
            .collect();
        if !pairs.is_sorted_by(|one, next| one.0 < next.0) {
            return Err(not_a_message("its hashes do not ascend"));
        }
        if !pairs.iter().all(|(_, heat)| (0.0..=HEAT_MAX).contains(heat)) {
            return Err(not_a_message("a heat is no number from 0 to 2^24"));
        }
        let count = pairs.len();
        Ok(Message { content, heats: Heats::summed(pairs, count), learned })
    }
}

fn not_a_message(why: impl ToString) -> ArtifactError {
    ArtifactError::NotAFile { why: why.to_string().chars().take(200).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        let content = Content {
            kind: KIND.to_owned(),
            version: VERSION,
            saturation: 0.5,
            requests: 9,
            members: 8,
            token: 3,
        };
        let heats = Heats::summed((0..40).map(|key| (key * key, 1.0 + key as f32)).collect(), 99);
        Message { content, heats, learned: (0..33).collect() }
    }

    #[test]
    fn a_message_comes_back() {
        let bytes = message().to_bytes().unwrap();
        assert_eq!(message(), Message::read(&bytes).unwrap());
        let empty = Message::default().to_bytes().unwrap();
        assert!(Message::read(&empty).unwrap().heats.is_empty());
    }

    #[test]
    fn no_damaged_byte_goes_unnoticed() {
        let bytes = message().to_bytes().unwrap();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            if let Ok(read) = Message::read(&damaged) {
                // A byte of the container's own that means nothing.
                assert_eq!(message(), read, "byte {at}");
            }
            assert!(Message::read(&bytes[..at]).is_err());
        }
    }

    #[test]
    fn sound_bytes_that_lie_are_refused() {
        let lies: [fn(&mut Message); 4] = [
            |lie| lie.content.saturation = f32::NAN,
            |lie| lie.content.saturation = 2.0,
            |lie| lie.heats = Heats::summed(vec![(1, f32::NAN)], 9),
            |lie| lie.learned = vec![0; LEARNED_MAX + 1],
        ];
        for lie in lies {
            let mut told = message();
            lie(&mut told);
            assert!(told.to_bytes().and_then(|bytes| Message::read(&bytes)).is_err());
        }
    }

    #[test]
    fn what_is_too_large_is_neither_written_nor_read() {
        let mut large = message();
        large.learned = vec![0; MESSAGE_MAX];
        assert!(matches!(large.to_bytes(), Err(ArtifactError::TooLarge { .. })));
        let bytes = vec![0; MESSAGE_MAX + 1];
        assert!(matches!(Message::read(&bytes), Err(ArtifactError::TooLarge { .. })));
    }
}
