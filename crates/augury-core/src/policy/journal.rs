//! Decisions, remembered for those who ask why.
//!
//! A bounded ring of the latest evictions and rejections, each with the state it was made from:
//! what the history held, which expert ruled, what it scored, and which experts' shadows held the
//! object at that moment. Nothing is computed from later knowledge, so an explanation is what was
//! believed then. An older decision is no longer recorded, and that can be told apart from never
//! having been made: see [`Journal::since`].

use super::sampled::Expert;
use crate::history::History;
use crate::request::Tick;

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// A resident left for room.
    Evicted,
    /// A newcomer was turned away.
    Rejected,
}

/// One decision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decision {
    /// When.
    pub tick: Tick,
    /// The object's hash.
    pub hash: u64,
    /// Its size.
    pub size: u32,
    /// What was decided.
    pub act: Act,
    /// What was known of it.
    pub history: History,
    /// Who ruled.
    pub expert: Expert,
    /// What the ruling ranking made of it: the lowest of those looked at.
    pub score: f32,
    /// What it made of the newcomer that needed room, where there was one.
    pub newcomer: Option<f32>,
    /// Residents looked at.
    pub looks: u32,
    /// Experts whose shadow held it, a bit each; none where it is not in the sampled traffic.
    pub holders: Option<u32>,
}

/// See the module's head.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    decisions: Vec<Decision>,
    limit: usize,
    next: usize,
    made: u64,
}

impl Journal {
    /// Remembers up to `limit` decisions; 0 for none.
    pub fn new(limit: usize) -> Self {
        Journal { limit, ..Journal::default() }
    }

    /// Whether decisions are remembered.
    #[inline]
    pub fn is_kept(&self) -> bool {
        self.limit > 0
    }

    /// Remembers a decision, in place of the oldest where there is no more room.
    #[inline]
    pub fn add(&mut self, decision: Decision) {
        self.made += 1;
        if self.decisions.len() < self.limit {
            self.decisions.push(decision);
        } else if let Some(oldest) = self.decisions.get_mut(self.next) {
            *oldest = decision;
            self.next = (self.next + 1) % self.limit;
        }
    }

    /// The decisions about an object, the latest first.
    pub fn about(&self, hash: u64) -> impl Iterator<Item = &Decision> {
        self.latest().filter(move |decision| decision.hash == hash)
    }

    /// All decisions, the latest first.
    pub fn latest(&self) -> impl Iterator<Item = &Decision> {
        let (newer, older) = self.decisions.split_at(self.next);
        newer.iter().rev().chain(older.iter().rev())
    }

    /// Tick of the oldest decision that is remembered; what happened before is not.
    pub fn since(&self) -> Option<Tick> {
        self.decisions.get(self.next).or(self.decisions.first()).map(|decision| decision.tick)
    }

    /// Decisions made, remembered or not.
    pub fn made(&self) -> u64 {
        self.made
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        self.decisions.capacity() * size_of::<Decision>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::ranking::RankingId;

    fn decision(tick: Tick, hash: u64) -> Decision {
        Decision {
            tick,
            hash,
            size: 1,
            act: Act::Evicted,
            history: History::first(0, 1),
            expert: Expert { ranking: RankingId::Recency, admission: false },
            score: 0.0,
            newcomer: None,
            looks: 12,
            holders: None,
        }
    }

    #[test]
    fn the_latest_stay_in_order() {
        for made in 0..12 {
            let mut journal = Journal::new(5);
            (0..made).for_each(|tick| journal.add(decision(tick, tick % 3)));
            let ticks: Vec<_> = journal.latest().map(|decision| decision.tick).collect();
            let expected: Vec<_> = (made.saturating_sub(5)..made).rev().collect();
            assert_eq!(expected, ticks);
            assert_eq!(expected.last().copied(), journal.since());
            assert!(journal.about(1).all(|decision| decision.tick % 3 == 1));
            assert_eq!(made, journal.made());
        }
    }

    #[test]
    fn without_room_nothing_is_kept() {
        let mut journal = Journal::default();
        journal.add(decision(1, 1));
        assert_eq!((0, None), (journal.latest().count(), journal.since()));
        assert!(!journal.is_kept() && journal.memory_bytes() == 0);
    }
}
