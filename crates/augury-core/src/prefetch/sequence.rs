//! A sequence model, trained offline: from the last few keys of a session to the next ones.
//!
//! A variable-order Markov model with back-off, as in Vitter and Krishnan, "Optimal prefetching
//! via data compression", J. ACM 43 (1996), and Curewitz, Krishnan and Vitter, "Practical
//! prefetching via data compression", SIGMOD 1993: the longest known context speaks first, then
//! shorter ones. One table has the objects themselves; a second one the steps between integer
//! keys, which carries what was learned to keys never seen, as in Shevgoor et al., "Efficiently
//! prefetching complex address patterns" (MICRO 2015). Departures: what is predicted is any of the
//! next few keys, not the next one alone; and the tables are fixed: what they say now is measured
//! by `accuracy.rs` per table, order and chance, so a model that is out of date falls silent.
//! Training: `python/augury/learn/sequences`.
//!
//! Cost per observed access: bisections of the vocabularies, and one of each table per order.
//! Nothing is learned or allocated while it runs.

use std::sync::Arc;

use crate::hash::mix;
use crate::request::Access;

use super::grams::{Context, Grams, GramsError, ORDER, Vocabulary, shortened};
use super::predictor::{Attention, Candidate, Candidates, Predictor};
use super::recent::Trails;

/// Steps of the chance that are told apart.
const LEVELS: usize = 8;
/// Those of objects, then those of steps.
const CLASSES: usize = 2 * (ORDER + 1) * LEVELS;
const _: () = assert!(CLASSES <= super::predictor::CLASSES);

/// What is known of an object beside its key, when it was last seen in training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Known {
    /// Its size.
    pub size: u32,
    /// Its namespace.
    pub namespace: u16,
}

/// What was learned; shared by all caches that use it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SequenceModel {
    keys: Vocabulary<u64>,
    known: Vec<Known>,
    objects: Grams,
    distances: Vocabulary<i64>,
    steps: Grams,
}

impl SequenceModel {
    /// Of objects with what is known of each, and of distances between keys. The grams' tokens are
    /// those of the vocabulary before them.
    ///
    /// # Errors
    /// [`GramsError::Lengths`] where not every key has what is known of it.
    pub fn new(
        (keys, known, objects): (Vocabulary<u64>, Vec<Known>, Grams),
        (distances, steps): (Vocabulary<i64>, Grams),
    ) -> Result<Self, GramsError> {
        if keys.len() != known.len() {
            let lengths = vec![keys.len(), known.len()];
            return Err(GramsError::Lengths { what: "keys, sizes and namespaces", lengths });
        }
        Ok(SequenceModel { keys, known, objects, distances, steps })
    }

    /// Continuations known, of objects and of steps.
    pub fn continuations(&self) -> (usize, usize) {
        (self.objects.len(), self.steps.len())
    }

    fn memory_bytes(&self) -> usize {
        self.keys.memory_bytes()
            + self.known.capacity() * size_of::<Known>()
            + self.objects.memory_bytes()
            + self.distances.memory_bytes()
            + self.steps.memory_bytes()
    }
}

/// The latest of one session.
#[derive(Debug, Clone, Copy, Default)]
struct Latest {
    objects: Context,
    steps: Context,
    key: u64,
    is_known: bool,
}

/// See the module's head.
#[derive(Debug)]
pub struct Sequence {
    model: Arc<SequenceModel>,
    trails: Trails<Latest>,
}

impl Sequence {
    /// With nothing asked for yet.
    pub fn new(model: Arc<SequenceModel>) -> Self {
        Sequence { model, trails: Trails::default() }
    }
}

impl Predictor for Sequence {
    #[inline]
    fn observe(&mut self, access: &Access, attention: Attention, out: &mut Candidates) {
        let (model, key) = (&*self.model, access.key);
        let latest = self.trails.of(access.session);
        latest.objects.rotate_right(1);
        latest.objects[0] = model.keys.token(key);
        let is_number = key != access.hash;
        latest.steps.rotate_right(1);
        latest.steps[0] = match latest.is_known && is_number {
            true => model.distances.token(key.wrapping_sub(latest.key) as i64),
            false => 0,
        };
        (latest.key, latest.is_known) = (key, is_number);
        if !attention.includes(access.hash) {
            return;
        }
        for order in (0..=ORDER).rev() {
            if let Some(context) = shortened(&latest.objects, order) {
                for next in model.objects.after(&context) {
                    let known = model.known[next.token as usize - 1];
                    let key = model.keys.value(next.token);
                    out.push(candidate(key, known, class(order, next.chance)));
                }
            }
            let context = shortened(&latest.steps, order).filter(|_| is_number);
            if let Some(context) = context {
                for next in model.steps.after(&context) {
                    let distance = model.distances.value(next.token);
                    let Some(key) = key.checked_add_signed(distance) else { continue };
                    let known = Known { size: access.size, namespace: access.namespace };
                    out.push(candidate(key, known, CLASSES / 2 + class(order, next.chance)));
                }
            }
        }
    }

    fn memory_bytes(&self) -> usize {
        self.model.memory_bytes() + self.trails.memory_bytes()
    }
}

fn class(order: usize, chance: f32) -> usize {
    order * LEVELS + ((chance * LEVELS as f32) as usize).min(LEVELS - 1)
}

fn candidate(key: u64, known: Known, class: usize) -> Candidate {
    let Known { size, namespace } = known;
    Candidate { hash: mix(key), key, size, namespace, class: class as u8 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prefetch::grams::Continuation;

    /// 10 then 20 is followed by 30, 20 alone by 40; and after a step of 5 come two more.
    fn model() -> Arc<SequenceModel> {
        let keys = Vocabulary::new(vec![10, 20, 30, 40]).unwrap();
        let known = (1..=4).map(|size| Known { size, namespace: 7 }).collect();
        let next = |token| Continuation { token, chance: 0.9 };
        let contexts = vec![[2, 0, 0], [2, 1, 0]];
        let objects = Grams::new(contexts, vec![0, 1, 2], vec![next(4), next(3)], 4).unwrap();
        let distances = Vocabulary::new(vec![5, 10]).unwrap();
        let steps = Grams::new(vec![[1, 0, 0]], vec![0, 2], vec![next(1), next(2)], 2).unwrap();
        Arc::new(SequenceModel::new((keys, known, objects), (distances, steps)).unwrap())
    }

    fn keys_after(sequence: &mut Sequence, session: u32, keys: &[u64]) -> Vec<u64> {
        let mut out = Candidates::default();
        for &key in keys {
            out = Candidates::default();
            let access = Access { session, ..Access::new(mix(key), key, 100, 0) };
            sequence.observe(&access, Attention::Full, &mut out);
        }
        out.as_slice().iter().map(|candidate| candidate.key).collect()
    }

    #[test]
    fn the_longest_context_speaks_first_and_then_shorter_ones() {
        let mut sequence = Sequence::new(model());
        assert_eq!(vec![30, 40], keys_after(&mut sequence, 0, &[10, 20]));
        assert_eq!(vec![40], keys_after(&mut sequence, 0, &[99, 20]));
        assert!(keys_after(&mut sequence, 0, &[30]).is_empty());
    }

    #[test]
    fn steps_continue_keys_never_seen_with_their_neighbours_size() {
        let mut sequence = Sequence::new(model());
        assert_eq!(vec![1_010, 1_015], keys_after(&mut sequence, 0, &[1_000, 1_005]));
        let mut out = Candidates::default();
        let access = Access { namespace: 3, ..Access::new(mix(1_010), 1_010, 42, 0) };
        sequence.observe(&access, Attention::Full, &mut out);
        assert!(out.as_slice().iter().all(|one| (one.size, one.namespace) == (42, 3)));
        assert_eq!(vec![u64::MAX], keys_after(&mut sequence, 0, &[u64::MAX - 10, u64::MAX - 5]));
    }

    #[test]
    fn sessions_have_their_own_past_and_objects_their_own_size() {
        let mut sequence = Sequence::new(model());
        keys_after(&mut sequence, 1, &[10]);
        assert_eq!(vec![40], keys_after(&mut sequence, 2, &[20]));
        assert_eq!(vec![30, 40], keys_after(&mut sequence, 1, &[20]));
        let mut out = Candidates::default();
        let access = Access::new(mix(20), 20, 100, 0);
        sequence.observe(&access, Attention::Full, &mut out);
        assert_eq!((4, 7), (out.as_slice()[0].size, out.as_slice()[0].namespace));
    }

    #[test]
    fn keys_that_are_no_numbers_have_no_steps_and_a_dormant_model_is_silent() {
        let mut sequence = Sequence::new(model());
        let mut out = Candidates::default();
        for key in [1_000, 1_005] {
            sequence.observe(&Access::new(key, key, 1, 0), Attention::Full, &mut out);
        }
        assert!(out.as_slice().is_empty());
        let key = (0..).map(|n| 10_000 + 5 * n).find(|&key| !Attention::Sampled.includes(mix(key)));
        for key in [key.unwrap() - 5, key.unwrap()] {
            out = Candidates::default();
            sequence.observe(&Access::new(mix(key), key, 1, 0), Attention::Sampled, &mut out);
        }
        assert!(out.as_slice().is_empty());
    }

    #[test]
    fn memory_does_not_grow_with_what_is_observed() {
        let mut sequence = Sequence::new(model());
        keys_after(&mut sequence, 1, &[1]);
        let before = sequence.memory_bytes();
        for session in 0..20_000 {
            keys_after(&mut sequence, session, &[u64::from(session), 7]);
        }
        assert_eq!(before, sequence.memory_bytes());
    }
}
