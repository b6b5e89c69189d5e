//! What several tables have learned, in one: the counts of each class are sums.
//!
//! Densities are means by the numbers counted: computed from the sums they would be another table's until
//! the next census, as in [`Survival::restored`].

use super::{HEATS, Packed, SPAN, Survival, UNSEEN};
use crate::model::hazard::Counts;

impl Survival {
    /// Adds what another table has learned.
    pub fn absorb(&mut self, other: &Survival) {
        let by = i32::from(self.lowest) - i32::from(other.lowest);
        // Classes of a heat have the same numbers everywhere; the others go by what they are of.
        let mut places: Vec<Option<usize>> = vec![None; other.classes.len()];
        places.iter_mut().take(HEATS).enumerate().for_each(|(id, place)| *place = Some(id));
        for (key, &theirs) in other.keys.iter().enumerate() {
            if theirs == UNSEEN || usize::from(theirs) < HEATS {
                continue;
            }
            let heat = usize::from(other.classes[usize::from(theirs)].heat);
            if self.keys.len() <= key {
                self.keys.resize(key + 1, UNSEEN);
            }
            let mut ours = self.keys[key];
            if ours == UNSEEN {
                let is_full = self.classes.len() >= self.limit;
                ours = if is_full { heat as u16 } else { self.add_class(heat) };
                self.keys[key] = ours;
            }
            places[usize::from(theirs)] = Some(usize::from(ours));
        }
        self.sizes = self.sizes.max(self.keys.len().div_ceil(HEATS * super::REUSES));
        for (theirs, place) in places.into_iter().enumerate() {
            let Some(ours) = place else { continue };
            let mut counts = other.classes[theirs].counts.clone();
            counts.shift(by);
            let (mut reuses, mut exits) = ([0.0; SPAN], [0.0; SPAN]);
            let mine = self.classes[ours].counts.add_to(&mut reuses, &mut exits);
            let more = counts.add_to(&mut reuses, &mut exits);
            if more == 0.0 {
                continue;
            }
            self.classes[ours].counts = Counts::of(&reuses, &exits);
            self.classes[ours].news = f32::INFINITY;
            let share = more / (mine + more);
            let (held, told) = (self.density[ours], other.density[theirs]);
            self.density[ours] = Packed::of(&std::array::from_fn(|column| {
                let at = (column as i32 + by).clamp(0, SPAN as i32 - 1) as usize;
                held.at(column) * (1.0 - share) + told.at(at) * share
            }));
        }
        self.rounds = self.rounds.max(other.rounds);
        self.reserve();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::History;

    fn learned(ages: &[u32], size: u32) -> (Survival, History) {
        let mut table = Survival::new(1_000, 64);
        table.reserve_rounds();
        let history = History::first(0, size);
        for &age in ages {
            table.reserve();
            let class = table.class_of(&history);
            table.reused(class, age);
        }
        table.begin_round((1.0, 1.0));
        while !table.step() {}
        (table, history)
    }

    fn reuses(table: &mut Survival, history: &History) -> f32 {
        let class = usize::from(table.class_of(history));
        table.classes[class].counts.add_to(&mut [0.0; SPAN], &mut [0.0; SPAN])
    }

    #[test]
    fn counts_of_one_class_are_added() {
        let (mut one, history) = learned(&[40; 30], 1);
        let (other, _) = learned(&[4_000; 90], 1);
        one.absorb(&other);
        assert_eq!(120.0, reuses(&mut one, &history));
    }

    #[test]
    fn a_class_that_only_the_other_has_comes_over_with_its_density() {
        let (mut one, _) = learned(&[40; 30], 1);
        let (mut other, large) = learned(&[400; 50], 1 << 20);
        one.absorb(&other);
        assert_eq!(50.0, reuses(&mut one, &large));
        let (ours, theirs) = (one.class_of(&large), other.class_of(&large));
        assert!((one.density(ours, 300) / other.density(theirs, 300) - 1.0).abs() < 0.02);
    }

    #[test]
    fn many_tables_keep_their_proportions() {
        let (mut all, history) = learned(&[40; 20_000], 1);
        let (other, _) = learned(&[4_000; 20_000], 1);
        (0..7).for_each(|_| all.absorb(&other));
        assert!((reuses(&mut all, &history) / 160_000.0 - 1.0).abs() < 0.01);
    }
}
