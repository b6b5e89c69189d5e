//! Learning together with caches of other processes: what is noted here, told to them and heard of them.
//!
//! A read notes the key's hash, which takes some nanoseconds; what comes in is also looked up, by a hash
//! that all of them compute alike, in what the others have told. How bytes travel is the package's
//! business (`python/augury/together`).

use std::sync::{Mutex, MutexGuard, PoisonError};

use augury_core::cache::Memory;
use augury_core::together::{MESSAGE_MAX, Member, Message, Noted, merge};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt, PyString};
use siphasher::sip::SipHasher24;

use super::key::Asked;
use super::{Cache, Inner};
use crate::errors;

/// See the module's head.
pub(super) struct Together {
    pub(super) noted: Noted,
    member: Mutex<Member>,
    /// For text and bytes, and for whole numbers: PRFs of a secret, as which keys leave the process.
    texts: SipHasher24,
    numbers: SipHasher24,
}

impl Together {
    /// No Python code runs under it, and no shard's lock is taken.
    fn member(&self) -> MutexGuard<'_, Member> {
        self.member.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The hash that all caches compute alike; none of keys that are neither text, bytes nor numbers.
    fn shared(&self, key: &Bound<'_, PyAny>) -> Option<u64> {
        if let Ok(text) = key.cast_exact::<PyString>() {
            return text.to_str().ok().map(|text| self.texts.hash(text.as_bytes()));
        }
        if let Ok(bytes) = key.cast_exact::<PyBytes>() {
            return Some(self.texts.hash(bytes.as_bytes()));
        }
        let number = key.cast_exact::<PyInt>().ok()?.extract::<i64>().ok()?;
        Some(self.numbers.hash(&number.to_le_bytes()))
    }

    /// How hot others say that the key is which comes in, as a code.
    pub(super) fn came(&self, asked: Asked<'_, '_>) -> u16 {
        self.shared(asked.key).map_or(0, |shared| self.member().came(asked.hash, shared))
    }
}

impl Inner {
    fn together(&self) -> PyResult<&Together> {
        self.together.get().map(|together| &**together).ok_or_else(errors::of_uninitialised)
    }
}

#[pymethods]
impl Cache {
    /// Notes from now on what others may be told, of so many keys at most, under this secret.
    fn learn_together(&self, secret: [u8; 32], most: usize) -> PyResult<()> {
        let (texts, numbers) = secret.split_at(16);
        let keyed = |half: &[u8]| SipHasher24::new_with_key(half.first_chunk().unwrap_or(&[0; 16]));
        let together = Together {
            noted: Noted::default(),
            member: Mutex::new(Member::new(most)),
            texts: keyed(texts),
            numbers: keyed(numbers),
        };
        let set = self.inner()?.together.set(Box::new(together));
        set.map_err(|_| errors::of_second_together())
    }

    /// Takes in what was read since it last did, 65,536 reads at most, and says how many reads there
    /// were so far.
    fn look_back(&self, py: Python<'_>) -> PyResult<u64> {
        let inner = self.inner()?;
        let (together, residents) = (inner.together()?, inner.engine.len() as u64);
        py.detach(|| together.member().look(&together.noted, residents));
        Ok(together.noted.written())
    }

    /// What the others are to be told, as bytes.
    fn tell(&self, py: Python<'_>) -> PyResult<Py<PyBytes>> {
        self.look_back(py)?;
        let inner = self.inner()?;
        let together = inner.together()?;
        let told = py.detach(|| {
            let (heats, saturation) = together.member().tell();
            let memory = inner.engine.memories().into_iter().next();
            let mut message = Message { heats, ..Message::default() };
            message.content.saturation = saturation;
            message.content.requests = together.noted.written();
            message.content.members = 1;
            message.learned = memory.and_then(|memory| memory.learned).unwrap_or_default();
            message.to_bytes()
        });
        Ok(PyBytes::new(py, &told.map_err(errors::of_artifact)?).unbind())
    }

    /// Takes over what all agree on: of how many objects it has heard, and how many of them it knows.
    /// What they have learned of objects in general goes to a cache that was not asked for anything.
    fn hear(&self, py: Python<'_>, told: &Bound<'_, PyBytes>) -> PyResult<(usize, usize)> {
        let inner = self.inner()?;
        let (together, bytes) = (inner.together()?, told.as_bytes());
        let message = py.detach(|| Message::read(bytes)).map_err(errors::of_artifact)?;
        let is_fresh = inner.engine.len() == 0 && inner.engine.stats().misses == 0;
        if is_fresh && !message.learned.is_empty() {
            let memory = Memory { tick: 0, learned: Some(message.learned) };
            inner.engine.restore_memory(&[memory]).map_err(errors::of_saved)?;
        }
        Ok(py.detach(|| {
            let heats = together.member().hear(message.heats);
            (together.member().heard(), inner.engine.hear(&heats))
        }))
    }
}

/// Of what several have told, what they agree on: as bytes, under a fencing token. What is no message is
/// left out and counted.
#[pyfunction]
pub(crate) fn merge_told(
    py: Python<'_>,
    told: Vec<Bound<'_, PyBytes>>,
    most: usize,
    token: u64,
) -> PyResult<(Py<PyBytes>, usize)> {
    let bytes: Vec<&[u8]> = told.iter().map(|one| one.as_bytes()).collect();
    let merged = py.detach(|| {
        let read: Vec<Message> = bytes.iter().filter_map(|one| Message::read(one).ok()).collect();
        let mut merged = merge(&read, most);
        merged.content.token = token;
        merged.to_bytes().map(|merged| (merged, bytes.len() - read.len()))
    });
    let (merged, refused) = merged.map_err(errors::of_artifact)?;
    Ok((PyBytes::new(py, &merged).unbind(), refused))
}

/// What a message says of itself: its token, the caches and requests that it was learned by, and the
/// objects that it tells of.
#[pyfunction]
pub(crate) fn read_told(
    py: Python<'_>,
    told: &Bound<'_, PyBytes>,
) -> PyResult<(u64, u32, u64, usize)> {
    let bytes = told.as_bytes();
    let message = py.detach(|| Message::read(bytes)).map_err(errors::of_artifact)?;
    let content = &message.content;
    Ok((content.token, content.members, content.requests, message.heats.len()))
}

/// Bytes of a message at most.
#[pyfunction]
pub(crate) fn largest_told() -> usize {
    MESSAGE_MAX
}
