//! What several caches under the guard have learned, made one.

use super::{Auto, EXPERTS};
use crate::guard::bandit::MEMORY;
use crate::policy::learner::Learner;
use crate::saved::{Reader, SavedError, VERSION, Writer};

impl Auto {
    /// What [`Policy::save`](crate::policy::Policy::save) wrote in several caches, made one: the tables'
    /// counts are sums, the experts' evidence is the mean, and the expert rules that does in most.
    ///
    /// # Errors
    /// One of them is something else, or there is none.
    pub fn pooled(all: &[&[u8]]) -> Result<Vec<u8>, SavedError> {
        let mut readers: Vec<Reader<'_>> = all.iter().map(|one| Reader::new(one)).collect();
        if readers.is_empty() {
            return Err(SavedError::Length);
        }
        for reader in &mut readers {
            match reader.u8() {
                VERSION => {}
                other => return Err(SavedError::Version(other)),
            }
        }
        let mut to = Writer::default();
        to.u8(VERSION);
        Learner::pooled(&mut readers, &mut to)?;
        let (mut votes, mut evidence) = ([0u32; EXPERTS.len()], [0.0f32; EXPERTS.len()]);
        let mut guarded = 0;
        for reader in readers.iter_mut().filter(|reader| !reader.is_empty()) {
            if reader.count("experts", EXPERTS.len(), 4)? != EXPERTS.len() {
                return Err(SavedError::Range("experts"));
            }
            guarded += 1;
            if let Some(votes) = votes.get_mut(usize::from(reader.u8())) {
                *votes += 1;
            }
            evidence.iter_mut().for_each(|sum| *sum += reader.f32(MEMORY));
        }
        readers.iter().try_for_each(Reader::finish)?;
        if guarded > 0 {
            to.u16(EXPERTS.len() as u16);
            let most = votes.iter().max().copied().unwrap_or_default();
            to.u8(votes.iter().position(|&count| count == most).unwrap_or_default() as u8);
            evidence.iter().for_each(|&sum| to.f32(sum / guarded as f32));
        }
        Ok(to.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::Guard;
    use crate::policy::{Policy, sampled::Sampled};

    fn saved() -> Vec<u8> {
        let mut policy = Sampled::with_chooser(1, Guard::default());
        policy.set_capacity(5_000);
        policy.save(9).unwrap()
    }

    #[test]
    fn what_is_pooled_can_be_gone_on_with() {
        let (one, other) = (saved(), saved());
        let pooled = Auto::pooled(&[&one, &other]).unwrap();
        let mut policy = Sampled::with_chooser(1, Guard::default());
        policy.set_capacity(5_000);
        assert_eq!(Ok(()), policy.restore(&pooled, 0));
    }

    #[test]
    fn what_is_none_is_refused() {
        let sound = saved();
        assert!(Auto::pooled(&[]).is_err());
        assert!(Auto::pooled(&[&sound, &[9]]).is_err());
        assert!(Auto::pooled(&[&sound, &sound[..sound.len() - 1]]).is_err());
        for at in 0..sound.len().min(400) {
            let mut damaged = sound.clone();
            damaged[at] ^= 0xff;
            let _ = Auto::pooled(&[&sound, &damaged]);
        }
    }
}
