//! The survival table as bytes, and back.
//!
//! Counts and densities are kept both: densities could be computed from the counts, but not well
//! before a census has been taken of the objects that are waiting, and until the first round they
//! would then be those of another table. What is read is made fit: a class answers for its own
//! heat only, numbers are brought into their range, and a table for a smaller cache takes over as
//! many classes as it may have.

use super::{Class, HEATS, Packed, REUSES, Survival, UNSEEN};
use crate::history::{AGE_BUCKETS, CLASSES_MAX, SIZE_BUCKETS};
use crate::model::hazard::{Counts, SPAN};
use crate::saved::{Reader, SavedError, Writer};

/// Keys that there are numbers for.
const KEYS: usize = SIZE_BUCKETS as usize * HEATS * REUSES;
const CLASS_BYTES: usize = 1 + Counts::SAVED_BYTES + Packed::SAVED_BYTES;

impl Survival {
    /// Writes what has been learned; what is pending is left out.
    pub fn save(&self, to: &mut Writer) {
        to.u8(self.lowest);
        to.u32(self.rounds);
        to.u16(self.classes.len() as u16);
        for (class, density) in self.classes.iter().zip(&self.density) {
            to.u8(class.heat);
            class.counts.save(to);
            density.save(to);
        }
        let known = || self.keys.iter().enumerate().filter(|(_, class)| **class != UNSEEN);
        to.u16(known().count() as u16);
        for (key, &class) in known() {
            to.u16(key as u16);
            to.u16(class);
        }
    }

    /// What another table has learned, in this one's place; the number of classes at most stays.
    ///
    /// # Errors
    /// [`SavedError::Range`] where it is none that [`Survival::save`] wrote.
    pub fn restored(&self, from: &mut Reader<'_>) -> Result<Self, SavedError> {
        let mut table = Survival::new(1, self.limit);
        let highest = ((AGE_BUCKETS - SPAN - 1) / 4 * 4) as u8;
        // A multiple of four: octaves of reuse times keep their meaning.
        table.set_lowest((from.u8() / 4 * 4).min(highest));
        table.rounds = from.u32();
        let count = from.count("classes", CLASSES_MAX, CLASS_BYTES)?;
        if count < HEATS {
            return Err(SavedError::Range("classes"));
        }
        table.classes.clear();
        table.density.clear();
        for id in 0..count {
            let heat = from.u8().min(HEATS as u8 - 1);
            let heat = if id < HEATS { id as u8 } else { heat };
            let (counts, density) = (Counts::read(from), Packed::read(from));
            if id < table.limit {
                // Computed anew in the next round, after its census.
                table.classes.push(Class { heat, counts, news: f32::INFINITY });
                table.density.push(density);
            }
        }
        for _ in 0..from.count("keys", KEYS, 4)? {
            let (key, class) = (usize::from(from.u16()), from.u16());
            let heat = key / REUSES % HEATS;
            if key >= KEYS {
                return Err(SavedError::Range("keys"));
            }
            table.sizes = table.sizes.max(key / (HEATS * REUSES) + 1);
            if table.keys.len() < table.sizes * HEATS * REUSES {
                table.keys.resize(table.sizes * HEATS * REUSES, UNSEEN);
            }
            let is_own = |class: &Class| usize::from(class.heat) == heat;
            if table.classes.get(usize::from(class)).is_some_and(is_own) {
                table.keys[key] = class;
            }
        }
        table.reserve();
        Ok(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::History;

    fn learned() -> (Survival, Vec<History>) {
        let mut table = Survival::new(1_000, 64);
        table.reserve_rounds();
        let mut histories = vec![];
        for step in 0..400u32 {
            table.reserve();
            let mut history = History::first(0, 1 << (step % 20));
            (0..step % 7).for_each(|touch| history.touch((touch + 1) * (step + 1), 1e-4));
            let class = table.class_of(&history);
            table.reused(class, 1 + step * 3);
            table.censored(class, 40 + step);
            histories.push(history);
        }
        table.begin_round((1.0, 1.0));
        while !table.step() {}
        (table, histories)
    }

    fn bytes(table: &Survival) -> Vec<u8> {
        let mut writer = Writer::default();
        table.save(&mut writer);
        writer.finish()
    }

    #[test]
    fn a_table_comes_back_with_its_classes_and_densities() {
        let (mut table, histories) = learned();
        let saved = bytes(&table);
        let mut reader = Reader::new(&saved);
        let mut back = Survival::new(1_000, 64).restored(&mut reader).unwrap();
        assert_eq!(Ok(()), reader.finish());
        assert_eq!(saved, bytes(&back));
        for history in &histories {
            let class = table.class_of(history);
            assert_eq!(class, back.class_of(history));
            assert_eq!(table.density(class, 77), back.density(class, 77));
        }
    }

    #[test]
    fn a_smaller_cache_takes_as_many_classes_as_it_may_have() {
        let (_, histories) = learned();
        let saved = bytes(&learned().0);
        let mut back = Survival::new(10, 0).restored(&mut Reader::new(&saved)).unwrap();
        assert_eq!(HEATS, back.classes());
        for history in &histories {
            assert!(usize::from(back.class_of(history)) < HEATS);
        }
    }

    #[test]
    fn no_bytes_make_a_table_that_panics() {
        let (_, histories) = learned();
        let saved = bytes(&learned().0);
        for at in (0..saved.len()).step_by(3) {
            for flip in [1, 0x80, 0xff] {
                let mut damaged = saved.clone();
                damaged[at] ^= flip;
                let Ok(mut table) = Survival::new(1_000, 64).restored(&mut Reader::new(&damaged))
                else {
                    continue;
                };
                for history in histories.iter().step_by(37) {
                    let class = table.class_of(history);
                    assert!(table.density(class, 500).is_finite());
                    table.reused(class, 500);
                }
            }
        }
        assert!(Survival::new(9, 9).restored(&mut Reader::new(&saved[..900])).is_err());
    }
}
