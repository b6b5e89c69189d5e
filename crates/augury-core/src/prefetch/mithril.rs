//! Association mining: objects that were asked for at about the same times, several times.
//!
//! Yang, Karimi, Saemundsson, Wildani and Vigfusson, "MITHRIL: mining sporadic associations for
//! cache prefetching", SoCC 2017. Times of the last few demands are recorded per object; once
//! enough objects have been asked for [`SUPPORT`] times, those whose times all lie within
//! [`RANGE`] demands of each other are associated, in the order of their first time, and the
//! recorded times are cleared. Objects asked for more often than that are too frequent to need
//! prefetch and are left out.
//!
//! Departures: tables are direct-mapped, the older row giving way; one table records and is mined
//! in place; how far to trust an association is measured (`accuracy.rs`) by its support and age,
//! not assumed. Cost per demand: two rows, and a sort of [`MINED`] rows now and then.

use crate::request::Access;

use super::predictor::{Attention, Candidate, Candidates, Predictor, octave};

/// Demands of an object that it takes, and those that are recorded.
const SUPPORT: std::ops::RangeInclusive<usize> = 2..=8;
/// Demands within which associated objects follow each other.
const RANGE: u32 = 20;
/// Objects mined at a time.
const MINED: usize = 1_024;
/// Rows of the recording table and of the table of associations.
const ROWS: usize = 1 << 15;
/// Associations kept per object.
const LINKS: usize = 3;

/// An object, as it will be a candidate; its class is the evidence.
type Target = Candidate;

#[derive(Debug, Clone, Copy, Default)]
struct Row {
    object: Target,
    times: [u32; *SUPPORT.end()],
    count: u8,
}

impl Row {
    fn times(&self) -> &[u32] {
        &self.times[..usize::from(self.count)]
    }

    /// Whether both were asked for at about the same times.
    fn goes_with(&self, other: &Row) -> bool {
        self.count == other.count
            && self.times().iter().zip(other.times()).all(|(a, b)| a.abs_diff(*b) <= RANGE)
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Links {
    hash: u64,
    targets: [Target; LINKS],
    count: u8,
}

/// See the module's head.
#[derive(Debug)]
pub struct Mithril {
    rows: Vec<Row>,
    links: Vec<Links>,
    /// Rows with enough support since they were mined last.
    ready: Vec<u32>,
    demands: u32,
}

impl Default for Mithril {
    fn default() -> Self {
        Mithril {
            rows: vec![Row::default(); ROWS],
            links: vec![Links::default(); ROWS],
            ready: Vec::with_capacity(MINED),
            demands: 0,
        }
    }
}

#[inline]
fn place_of(hash: u64) -> usize {
    (hash >> 20) as usize & (ROWS - 1)
}

impl Mithril {
    fn record(&mut self, access: &Access) {
        let at = place_of(access.hash);
        let row = &mut self.rows[at];
        if row.object.hash != access.hash {
            let Access { hash, key, .. } = *access;
            let object = Target { hash, key, ..Target::default() };
            *row = Row { object, ..Row::default() };
        }
        (row.object.size, row.object.namespace) = (access.size, access.namespace);
        if usize::from(row.count) < row.times.len() {
            row.times[usize::from(row.count)] = self.demands;
            row.count += 1;
            if usize::from(row.count) == *SUPPORT.start() {
                self.ready.push(at as u32);
            }
        } else {
            // Too frequent: it begins anew, and is no longer among those to be mined.
            row.count = 0;
        }
        if self.ready.len() == MINED {
            self.mine();
        }
    }

    #[cold]
    fn mine(&mut self) {
        let mut ready = std::mem::take(&mut self.ready);
        ready.sort_unstable_by_key(|&at| (self.rows[at as usize].times[0], at));
        ready.dedup();
        ready.retain(|&at| SUPPORT.contains(&usize::from(self.rows[at as usize].count)));
        for (place, &at) in ready.iter().enumerate() {
            let row = self.rows[at as usize];
            for &later in &ready[place + 1..] {
                let other = self.rows[later as usize];
                if other.times[0] - row.times[0] > RANGE {
                    break;
                }
                if row.goes_with(&other) {
                    self.link(&row, &other);
                }
            }
        }
        for &at in &ready {
            self.rows[at as usize].count = 0;
        }
        ready.clear();
        self.ready = ready;
    }

    /// The newest association comes first.
    fn link(&mut self, row: &Row, other: &Row) {
        let links = &mut self.links[place_of(row.object.hash)];
        if links.hash != row.object.hash {
            *links = Links { hash: row.object.hash, ..Links::default() };
        }
        let known = links.targets[..usize::from(links.count)]
            .iter()
            .position(|target| target.hash == other.object.hash);
        let end = known.unwrap_or_else(|| {
            links.count = (links.count + 1).min(LINKS as u8);
            usize::from(links.count) - 1
        });
        links.targets[..=end].rotate_right(1);
        links.targets[0] = Target { class: octave(u32::from(row.count)) as u8, ..other.object };
    }
}

impl Predictor for Mithril {
    fn observe(&mut self, access: &Access, attention: Attention, out: &mut Candidates) {
        self.demands = self.demands.wrapping_add(1);
        if self.demands == 0 {
            // Times are compared by difference: after four billion demands they begin anew.
            self.rows.fill(Row::default());
            self.ready.clear();
        }
        let links = &self.links[place_of(access.hash)];
        if links.hash == access.hash {
            for (place, target) in links.targets[..usize::from(links.count)].iter().enumerate() {
                let class = target.class * LINKS as u8 + place as u8;
                out.push(Candidate { class, ..*target });
            }
        }
        // Associations are between any two objects: a sample is one of stretches, not of objects.
        if attention == Attention::Full || self.demands % 2_048 < 256 {
            self.record(access);
        }
    }

    fn memory_bytes(&self) -> usize {
        self.rows.capacity() * size_of::<Row>()
            + self.links.capacity() * size_of::<Links>()
            + self.ready.capacity() * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::mix;
    use crate::random::Random;

    fn observe(mithril: &mut Mithril, key: u64) -> Vec<u64> {
        let mut out = Candidates::default();
        mithril.observe(&Access::new(mix(key), key, 1, 0), Attention::Full, &mut out);
        out.as_slice().iter().map(|candidate| candidate.key).collect()
    }

    #[test]
    fn objects_asked_for_together_are_associated_and_others_are_not() {
        let mut mithril = Mithril::default();
        let mut found = Vec::new();
        let mut random = Random::new(1);
        let mut pairs: Vec<u64> = (0..700).collect();
        for round in 0..6 {
            // Another order in every round: only the two of a pair stay together.
            (1..pairs.len()).for_each(|at| pairs.swap(at, random.below(at as u32 + 1) as usize));
            for (turn, pair) in pairs.iter().enumerate() {
                let next = observe(&mut mithril, 2 * pair);
                observe(&mut mithril, 2 * pair + 1);
                observe(&mut mithril, 1_000_000 + round * 1_000 + turn as u64);
                if round == 5 {
                    found.push((2 * pair, next));
                }
            }
        }
        let right = found.iter().filter(|(key, next)| next.contains(&(key + 1))).count();
        assert!(right > 400, "{right} of 700 pairs were found");
        let wrong =
            found.iter().flat_map(|(key, next)| next.iter().filter(move |&n| *n != key + 1));
        assert!(wrong.count() < right, "few are near each other twice by chance");
    }
}
