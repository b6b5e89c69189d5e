//! What has left for room lately, and why: some of it, for who watches.
//!
//! Entries are gone with their keys when they leave, and to keep the keys would cost every eviction an
//! allocation. So a few are noted at each beat of the clock, and only while somebody has asked within
//! the latest half a minute. What was decided is noted with them: the journal goes round within
//! milliseconds where much is evicted.

use std::collections::VecDeque;

use augury_core::clock::Millis;
use augury_core::policy::explanation::Explanation;
use augury_core::policy::journal::{Act, Decision};

use super::residents::weight;
use crate::object::Object;

/// Entries that are kept.
const KEPT: usize = 32;
/// Entries that are noted at a beat.
const AT_ONCE: usize = 4;
/// The longest key that is kept.
const KEY_MAX: usize = 4_096;
/// How long it goes on after the latest question.
const WATCHED: Millis = 30_000;

/// Something that has left.
#[derive(Debug, Clone)]
pub struct Leaver {
    /// The number under which its database is stored.
    pub(super) db: u8,
    /// Its key, where that is not too long.
    pub key: Option<Box<[u8]>>,
    /// What it counted for.
    pub size: u32,
    /// What was decided about it, where that is remembered.
    pub decision: Option<Decision>,
    /// Names of the experts whose shadow held it; none where it is not in the sampled traffic.
    pub holders: Option<Vec<&'static str>>,
}

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct Leavers {
    /// The latest last.
    ring: VecDeque<Leaver>,
    room: usize,
    until: Millis,
}

impl Leavers {
    /// Whether another may be noted before the next beat.
    #[inline]
    pub(super) fn has_room(&self) -> bool {
        self.room > 0
    }

    /// An object is leaving; `found` is what the policy says of it.
    pub(super) fn note(&mut self, object: &Object, found: Option<Explanation>) {
        self.room -= 1;
        let key = object.key();
        let decision = found.as_ref().and_then(|found| {
            found.decisions.iter().find(|decision| decision.act == Act::Evicted).copied()
        });
        let holders =
            decision.and_then(|decision| decision.holders).zip(found).map(|(held, it)| {
                let opinions = it.opinions.iter().enumerate();
                opinions
                    .filter(|(at, _)| held & 1 << at != 0)
                    .map(|(_, opinion)| opinion.expert.name())
                    .collect()
            });
        if self.ring.len() == KEPT {
            self.ring.pop_front();
        }
        self.ring.push_back(Leaver {
            db: object.db(),
            key: (key.len() <= KEY_MAX).then(|| key.into()),
            size: weight(object),
            decision,
            holders,
        });
    }

    /// A beat of the clock; none is left where nobody has asked for long.
    pub(super) fn beat(mut self: Box<Self>, now: Millis) -> Option<Box<Self>> {
        self.room = AT_ONCE;
        (now < self.until).then_some(self)
    }

    /// What was noted, the latest first; it goes on.
    pub(super) fn latest(&mut self, now: Millis) -> impl Iterator<Item = &Leaver> {
        self.until = now + WATCHED;
        self.ring.iter().rev()
    }

    /// Bytes held, but for the names.
    pub(super) fn memory_bytes(&self) -> usize {
        let keys: usize =
            self.ring.iter().filter_map(|it| it.key.as_ref()).map(|it| it.len()).sum();
        self.ring.capacity() * size_of::<Leaver>() + keys
    }
}
