//! What the survival table lets expect of one object: how likely it is asked for within so many
//! requests, and after how long.
//!
//! A policy needs the density alone, which is kept for every class; the curve behind it is made anew
//! for the object that somebody asks about.

use super::{Class, PRIOR, SPAN, Survival, bucket_start, hazards, heat_bucket, survival, waiting};
use super::{ClassId, NO_REUSE, REUSES, UNSEEN};
use crate::history::History;

/// The survival of one object, from its present age on.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlook {
    age: f64,
    /// Ages at the edges of the columns, and the share of objects that have not been asked for by
    /// then.
    edges: [f64; SPAN + 1],
    survival: [f64; SPAN + 1],
}

impl Outlook {
    /// Requests from now on of which anything is known: 0 where the object is older than that.
    pub fn reach(&self) -> f64 {
        (self.edges[SPAN] - self.age).max(0.0)
    }

    /// The chance that the object is asked for within so many requests from now on; beyond the
    /// reach, that of the reach.
    pub fn chance(&self, requests: f64) -> f64 {
        let now = self.at(self.age);
        if now <= 0.0 { 0.0 } else { (1.0 - self.at(self.age + requests) / now).clamp(0.0, 1.0) }
    }

    /// Requests until it is asked for, in the mean of the cases in which it is, within the reach;
    /// none where there is no such case.
    pub fn wait(&self) -> Option<f64> {
        let end = self.survival[SPAN];
        let returning = self.at(self.age) - end;
        if returning <= 0.0 {
            return None;
        }
        let mut area = 0.0;
        let (mut from, mut before) = (self.age, self.at(self.age));
        for (&edge, &survival) in self.edges.iter().zip(&self.survival) {
            if edge > from {
                area += (edge - from) * ((before + survival) / 2.0 - end);
                (from, before) = (edge, survival);
            }
        }
        Some(area / returning)
    }

    /// The survival up to an age: between the edges in proportion.
    fn at(&self, age: f64) -> f64 {
        let after = self.edges.partition_point(|&edge| edge <= age);
        if after > SPAN {
            return self.survival[SPAN];
        }
        // The first edge is 0, below no age.
        let (from, to) = (self.edges[after - 1], self.edges[after]);
        let (high, low) = (self.survival[after - 1], self.survival[after]);
        high + (low - high) * (age - from) / (to - from)
    }
}

impl Survival {
    /// What is to be expected of an object of this history at this age; none before the first round
    /// of learning.
    ///
    /// By what its class has done; while a census is being taken, which begins anew who is waiting,
    /// by what all objects of its heat had done until the round before.
    pub fn outlook(&self, history: &History, age: u32) -> Option<Outlook> {
        let id = self.known_class(history);
        let Class { heat, counts, .. } = self.classes.get(usize::from(id))?;
        // A hazard is never 0 once a round has made it.
        let parent = self.parents.get(usize::from(*heat)).filter(|parent| parent[0] > 0.0)?;
        let mut curve = *parent;
        if self.is_spent {
            let (mut reuses, mut exits) = ([0.0; SPAN], [0.0; SPAN]);
            counts.add_to(&mut reuses, &mut exits);
            for pending in waiting(&self.census, usize::from(id)) {
                exits[usize::from(pending.column)] += pending.weight(self.weights);
            }
            curve = hazards(&reuses, &exits, parent, PRIOR);
        }
        let (survival, _) = survival(&curve, &self.widths);
        let edge = |column: usize| match column {
            0 => 0.0,
            column => bucket_start(self.lowest + column as u8) as f64,
        };
        Some(Outlook {
            age: age.into(),
            edges: std::array::from_fn(edge),
            survival: survival.map(f64::from),
        })
    }

    /// The class of a history, without a new one for what has not been seen.
    fn known_class(&self, history: &History) -> ClassId {
        let heat = heat_bucket(history);
        let reuse = match history.reuse() {
            NO_REUSE => REUSES - 1,
            reuse => self.reuse_octave(reuse),
        };
        match self.keys.get(self.key_of(history, heat, reuse)) {
            Some(&known) if known != UNSEEN => known,
            _ => heat as ClassId,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table that has seen objects return at these ages, in two rounds.
    fn trained(ages: impl Iterator<Item = u32>) -> (Survival, History) {
        let mut table = Survival::new(1_000, 64);
        table.reserve_rounds();
        let history = History::first(0, 1);
        let class = table.class_of(&history);
        ages.for_each(|age| table.reused(class, age));
        table.begin_round((1.0, 1.0));
        while !table.step() {}
        table.fade();
        (table, history)
    }

    #[test]
    fn nothing_is_expected_before_anything_was_learned() {
        let mut table = Survival::new(1_000, 64);
        let history = History::first(0, 1);
        table.class_of(&history);
        assert_eq!(None, table.outlook(&history, 0));
    }

    #[test]
    fn what_always_returns_after_so_long_is_expected_then() {
        let (table, history) = trained((0..20_000).map(|_| 4_000));
        for age in [0, 1_000, 3_000] {
            let outlook = table.outlook(&history, age).expect("there was a round");
            let wait = outlook.wait().expect("it returns");
            let expected = f64::from(4_000 - age);
            assert!((wait - expected).abs() < 500.0, "{age}: {wait}");
            assert!(
                outlook.chance(expected + 1_000.0) > 0.95 && outlook.chance(expected / 2.0) < 0.05
            );
        }
    }

    #[test]
    fn chances_grow_with_the_horizon_and_those_who_wait_lower_them() {
        let (mut table, history) = trained((0..2_000).map(|at| 1 + at));
        let before = table.outlook(&history, 100).expect("there was a round");
        let chances: Vec<f64> = (0..20).map(|power| before.chance(f64::from(1 << power))).collect();
        assert!(chances.is_sorted() && chances[0] >= 0.0 && chances[19] <= 1.0, "{chances:?}");
        let class = table.class_of(&history);
        (0..500).for_each(|_| table.pending(class, 3_000, false));
        table.begin_round((50.0, 1.0));
        while !table.step() {}
        table.fade();
        let after = table.outlook(&history, 100).expect("there was a round");
        assert!(after.chance(2_000.0) < before.chance(2_000.0) / 2.0);
    }

    #[test]
    fn what_is_older_than_the_table_reaches_is_not_expected() {
        let (table, history) = trained((0..2_000).map(|at| 1 + at));
        let outlook = table.outlook(&history, u32::MAX).expect("there was a round");
        assert_eq!((0.0, 0.0, None), (outlook.reach(), outlook.chance(1e6), outlook.wait()));
    }
}
