//! Key sequences: where integer keys run (next block, next page), the next key of the run.
//!
//! Steps between consecutive keys are counted; those that are frequent are *strides*. A key
//! whose predecessor by a stride was asked for lately continues a run, and the longer the run
//! the better the evidence. Detecting runs among interleaved accesses by recent keys rather than
//! by the latest one is after Gill and Modha, "SARC: Sequential Prefetching in Adaptive
//! Replacement Cache", USENIX ATC 2005. Only this rule names objects never seen: their size is
//! taken to be their neighbour's.

use crate::hash::mix;
use crate::request::Access;

use super::predictor::{Candidate, Candidates, octave};

/// Strides counted, and those used at most.
const STRIDES: usize = 16;
const USED: usize = 3;
/// Recent keys remembered.
const RECENT: usize = 8_192;
/// Share of the steps that makes a stride frequent.
const FREQUENT: f32 = 0.015;
/// Steps after which a count weighs half.
const FADING: u32 = 4_096;
/// Keys ahead that are candidates.
const AHEAD: u64 = 3;
/// Run lengths told apart.
const RUNS: u32 = 8;
/// Classes: by run length, keys ahead, and whether the stride is one.
pub(super) const CLASSES: u32 = RUNS * AHEAD as u32 * 2;

#[derive(Debug, Clone, Copy, Default)]
struct Stride {
    step: u64,
    count: f32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Recent {
    key: u64,
    step: u64,
    run: u32,
}

/// See the module's head.
#[derive(Debug)]
pub(super) struct Strides {
    strides: [Stride; STRIDES],
    /// Strides that are frequent, as of the latest count.
    used: [u64; USED],
    recent: Vec<Recent>,
    steps: u32,
}

impl Default for Strides {
    fn default() -> Self {
        Strides { strides: Default::default(), used: [0; USED], recent: Vec::new(), steps: 0 }
    }
}

impl Strides {
    /// `access` came after the key `before` of the same session.
    #[inline]
    pub(super) fn observe(&mut self, access: &Access, before: u64, out: &mut Candidates) {
        self.count(access.key.wrapping_sub(before));
        if self.used[0] == 0 {
            return;
        }
        if self.recent.is_empty() {
            self.recent.resize(RECENT, Recent::default());
        }
        let key = access.key;
        let run_by = |step: u64| {
            let before = key.wrapping_sub(step);
            let found = self.recent[place_of(before)];
            match found {
                _ if found.key != before || found.run == 0 => 1,
                _ if found.step == step => found.run.saturating_add(1),
                _ => 2,
            }
        };
        let mut best = (self.used[0], 0);
        for step in self.used.into_iter().take_while(|&step| step != 0) {
            let run = run_by(step);
            if run > best.1 {
                best = (step, run);
            }
        }
        let (step, run) = best;
        self.recent[place_of(key)] = Recent { key, step, run };
        for ahead in 1..=AHEAD {
            let Some(distance) = (step as i64).checked_mul(ahead as i64) else { break };
            let Some(next) = key.checked_add_signed(distance) else { break };
            let (long, unit) = (octave(run).min(RUNS - 1), u32::from(step == 1));
            let class = (long * AHEAD as u32 + ahead as u32 - 1) * 2 + unit;
            out.push(Candidate {
                hash: mix(next),
                key: next,
                size: access.size,
                namespace: access.namespace,
                class: class as u8,
            });
        }
    }

    #[inline]
    fn count(&mut self, step: u64) {
        if step == 0 {
            return;
        }
        self.steps += 1;
        match self.strides.iter_mut().find(|stride| stride.step == step) {
            Some(stride) => stride.count += 1.0,
            None => {
                // The rarest gives way by and by: frequent ones among many cannot be pushed out.
                let order = |a: &&mut Stride, b: &&mut Stride| a.count.total_cmp(&b.count);
                let Some(rarest) = self.strides.iter_mut().min_by(order) else { return };
                rarest.count -= 1.0;
                if rarest.count <= 0.0 {
                    *rarest = Stride { step, count: 1.0 };
                }
            }
        }
        if self.steps.is_multiple_of(FADING / 8) {
            self.choose();
        }
    }

    /// The strides that are frequent now.
    #[cold]
    fn choose(&mut self) {
        self.strides.sort_unstable_by(|a, b| b.count.total_cmp(&a.count));
        let least = FREQUENT * self.steps.min(FADING) as f32;
        let frequent =
            self.strides.map(|stride| if stride.count >= least { stride.step } else { 0 });
        self.used.copy_from_slice(&frequent[..USED]);
        if self.steps >= FADING {
            self.strides.iter_mut().for_each(|stride| stride.count *= 1.0 - 1.0 / 8.0);
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.recent.capacity() * size_of::<Recent>()
    }
}

#[inline]
fn place_of(key: u64) -> usize {
    mix(key) as usize & (RECENT - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last_candidates(keys: impl Iterator<Item = u64>) -> Vec<u64> {
        let (mut strides, mut before) = (Strides::default(), 0);
        let mut found = Candidates::default();
        for (now, key) in keys.enumerate() {
            found = Candidates::default();
            strides.observe(&Access::new(mix(key), key, 7, now as u64), before, &mut found);
            before = key;
        }
        assert!(found.as_slice().iter().all(|candidate| candidate.size == 7));
        found.as_slice().iter().map(|candidate| candidate.key).collect()
    }

    #[test]
    fn runs_are_continued_by_their_stride() {
        assert_eq!(vec![5_000, 5_001, 5_002], last_candidates(0..5_000));
        assert_eq!(vec![640_000, 640_128, 640_256], last_candidates((0..5_000).map(|n| n * 128)));
        let down = (0..5_000).map(|n| 100_000 - n);
        assert_eq!(vec![95_000, 94_999, 94_998], last_candidates(down));
    }

    #[test]
    fn keys_without_order_have_no_stride_and_the_last_key_no_next() {
        assert!(last_candidates((0..5_000).map(mix)).is_empty());
        assert!(last_candidates((0..5_000).map(|n| u64::MAX - 4_999 + n)).is_empty());
    }
}
