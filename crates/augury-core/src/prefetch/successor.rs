//! Successor prediction: what came after this object the last times, and the next key of a run.
//!
//! Of every object the few successors seen most often are remembered with decayed counts, as in
//! the first-order graphs of Griffioen and Appleton, "Reducing file system latency using a
//! predictive approach", USENIX Summer 1994. Departures: counts are bounded and fade; successors
//! are followed within a session; objects two accesses apart are linked as well, so that one
//! stray access between two does not break the link. Evidence is the successor's count and its
//! share of the object's followers.
//!
//! Cost per observed access: three sets of four ways of 48 bytes, and as much for each candidate.

use crate::request::Access;

use super::objects::{Name, Objects, name_of};
use super::predictor::{Attention, Candidate, Candidates, Predictor, octave};
use super::recent::Trails;
use super::strides::{self, Strides};

/// Steps of the count that are told apart: 1, 2, 3 to 4, more.
const COUNTS: u32 = 4;
/// Steps of the share.
const SHARES: u32 = 8;
const _: () = assert!(strides::CLASSES + COUNTS * SHARES * 2 <= super::predictor::CLASSES as u32);

/// Accesses remembered of each session.
const LAGS: usize = 2;

/// Keys run one after another: where attention is low, runs are looked for in stretches of so many
/// accesses, one in so many.
const STRETCH: u32 = 256;
const APART: u32 = 8;

/// The latest accesses of one session, latest first.
#[derive(Debug, Clone, Copy, Default)]
struct Trail {
    names: [Name; LAGS],
    /// Integer key of the latest.
    key: u64,
}

/// See the module's head.
#[derive(Debug, Default)]
pub struct Successor {
    objects: Objects,
    trails: Trails<Trail>,
    strides: Strides,
    observed: u32,
}

impl Predictor for Successor {
    #[inline]
    fn observe(&mut self, access: &Access, attention: Attention, out: &mut Candidates) {
        let name = name_of(access.hash);
        let trail = self.trails.of(access.session);
        let before = *trail;
        *trail = Trail { names: [name, before.names[0]], key: access.key };
        self.observed = self.observed.wrapping_add(1);
        let is_stretch =
            attention == Attention::Full || (self.observed / STRETCH).is_multiple_of(APART);
        if is_stretch && access.key != access.hash {
            self.strides.observe(access, before.key, out);
        }
        let mut is_wanted = false;
        for (lag, &earlier) in before.names.iter().enumerate() {
            if earlier != 0 && earlier != name && attention.includes(u64::from(earlier) << 32) {
                self.objects.follow(earlier, name, lag == 0);
                is_wanted = true;
            }
        }
        if !is_wanted && !attention.includes(access.hash) {
            return;
        }
        let object = *self.objects.seen(access);
        for (next, count) in object.successors() {
            let Some(next) = self.objects.get(next) else { continue };
            let share = u32::from(count) * SHARES / u32::from(object.total().max(1));
            let count = octave(u32::from(count)).min(COUNTS - 1);
            let class = strides::CLASSES + count * SHARES * 2 + share.min(SHARES * 2 - 1);
            out.push(Candidate {
                hash: next.hash,
                key: next.key,
                size: next.size,
                namespace: next.namespace,
                class: class as u8,
            });
        }
    }

    fn memory_bytes(&self) -> usize {
        self.objects.memory_bytes() + self.trails.memory_bytes() + self.strides.memory_bytes()
    }
}
