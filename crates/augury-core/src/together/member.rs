//! One of the caches that learn together: what it has to tell, and what it was told.

use rustc_hash::FxHashMap;

use super::heats::Heats;
use super::noted::Noted;
use crate::history::heat_code;

/// Half-life of a heat, in reads per resident: as in the histories.
const HALF_LIFE: f32 = 32.0;
/// Heat below which an object is not told of: it was asked for once, and long ago.
const LEAST: f32 = 1.0 / 64.0;

/// See the module's head. A *local* hash is the cache's own, a *shared* one that of all caches.
#[derive(Debug)]
pub struct Member {
    /// Objects that are told of at most; twice as many are known by name.
    most: usize,
    /// Shared by local hash: those that came lately, and those that came before them.
    names: [FxHashMap<u64, u64>; 2],
    /// Own heat by shared hash, and how much of it the latest telling has left out.
    own: FxHashMap<u64, (f32, f32)>,
    /// What all agree on, and by what factor it has cooled since.
    heard: Heats,
    cooled: f32,
    /// Share of the heat of steady traffic that own heats have reached.
    saturation: f32,
    seen: u64,
}

impl Member {
    /// One that tells of at most so many objects.
    pub fn new(most: usize) -> Self {
        Member {
            most: most.max(1),
            names: Default::default(),
            own: FxHashMap::default(),
            heard: Heats::default(),
            cooled: 1.0,
            saturation: 0.0,
            seen: 0,
        }
    }

    /// This object comes in: as a code, how hot the others say that it is.
    pub fn came(&mut self, local: u64, shared: u64) -> u16 {
        if self.names[0].len() >= self.most {
            self.names[1] = std::mem::take(&mut self.names[0]);
        }
        self.names[0].insert(local, shared);
        self.heard.get(shared).map_or(0, |heat| heat_code(heat * self.cooled))
    }

    fn name(&self, local: u64) -> Option<u64> {
        self.names.iter().find_map(|names| names.get(&local)).copied()
    }

    /// Takes in what was read since it last looked, of a cache of so many entries.
    pub fn look(&mut self, noted: &Noted, residents: u64) {
        let mut read = Vec::new();
        let (now, weight) = noted.since(self.seen, |local| read.push(local));
        let reads = (now - self.seen) as f32;
        self.seen = now;
        let kept = (-reads / (HALF_LIFE * residents.max(1) as f32)).exp2();
        self.own.values_mut().for_each(|(heat, since)| {
            *heat *= kept;
            *since *= kept;
        });
        self.cooled *= kept;
        self.saturation = self.saturation * kept + (1.0 - kept);
        for local in read {
            let Some(shared) = self.name(local) else { continue };
            // Whatever is asked for stays among those known by name.
            if !self.names[0].contains_key(&local) && self.names[0].len() < self.most {
                self.names[0].insert(local, shared);
            }
            let (heat, since) = self.own.entry(shared).or_default();
            *heat += weight;
            *since += weight;
        }
        self.own.retain(|_, (heat, _)| *heat >= LEAST);
        if self.own.len() > 2 * self.most {
            let kept = Heats::summed(self.heats(), self.most);
            self.own.retain(|shared, _| kept.get(*shared).is_some());
        }
    }

    fn heats(&self) -> Vec<(u64, f32)> {
        self.own.iter().map(|(&shared, &(heat, _))| (shared, heat)).collect()
    }

    /// What it has to tell: its own heats, the hottest, and their saturation. What comes from here on
    /// is counted apart until it is told.
    pub fn tell(&mut self) -> (Heats, f32) {
        self.own.values_mut().for_each(|(_, since)| *since = 0.0);
        (Heats::summed(self.heats(), self.most), self.saturation)
    }

    /// Takes over what all agree on. Local hashes and heats of the objects that it knows by name:
    /// what all have seen, and what it has seen itself since it told.
    pub fn hear(&mut self, heard: Heats) -> Vec<(u64, f32)> {
        (self.heard, self.cooled) = (heard, 1.0);
        let mut told = Vec::new();
        for (at, names) in self.names.iter().enumerate() {
            for (&local, shared) in names {
                let is_repeated = at == 1 && self.names[0].contains_key(&local);
                if let (Some(heat), false) = (self.heard.get(*shared), is_repeated) {
                    let since = self.own.get(shared).map_or(0.0, |(_, since)| *since);
                    told.push((local, heat + since));
                }
            }
        }
        told
    }

    /// Share of the heat of steady traffic that own heats have reached, from 0 to 1.
    pub fn saturation(&self) -> f32 {
        self.saturation
    }

    /// Objects that it has heard of.
    pub fn heard(&self) -> usize {
        self.heard.len()
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        let names: usize = self.names.iter().map(|names| names.capacity() * 17).sum();
        names + self.own.capacity() * 17 + self.heard.memory_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::heat_of;

    fn read(member: &mut Member, noted: &Noted, locals: &[u64]) {
        locals.iter().for_each(|&local| noted.note(local));
        member.look(noted, 1_000);
    }

    #[test]
    fn only_what_has_a_name_is_told_of() {
        let (mut member, noted) = (Member::new(10), Noted::default());
        assert_eq!(0, member.came(1, 101));
        read(&mut member, &noted, &[1, 2, 1]);
        let (heats, saturation) = member.tell();
        assert_eq!(&[(101, 2.0)], heats.pairs());
        assert!(saturation > 0.0 && saturation < 0.001);
    }

    #[test]
    fn what_was_seen_since_it_told_comes_on_top_of_what_it_hears() {
        let (mut member, noted) = (Member::new(10), Noted::default());
        member.came(1, 101);
        read(&mut member, &noted, &[1, 1, 1]);
        member.tell();
        read(&mut member, &noted, &[1]);
        assert_eq!(vec![(1, 6.0)], member.hear(Heats::summed(vec![(101, 5.0)], 9)));
        assert!((heat_of(member.came(7, 101)) - 5.0).abs() < 0.01);
        assert_eq!(0, member.came(8, 108));
    }

    #[test]
    fn heats_halve_with_the_reads_of_an_entry() {
        let (mut member, noted) = (Member::new(10), Noted::default());
        member.came(1, 101);
        read(&mut member, &noted, &[1]);
        read(&mut member, &noted, &[9; 32_000]);
        let (heats, saturation) = member.tell();
        assert!((heats.pairs()[0].1 - 0.5).abs() < 0.01, "{heats:?}");
        assert!((saturation - 0.5).abs() < 0.01);
    }

    #[test]
    fn memory_is_bounded_whatever_comes() {
        let (mut member, noted) = (Member::new(100), Noted::default());
        for round in 0..50 {
            for key in 0..1_000 {
                let local = round * 1_000 + key;
                member.came(local, local);
                noted.note(local);
            }
            member.look(&noted, 1_000_000);
            assert!(member.names.iter().all(|names| names.len() <= 100));
            assert!(member.own.len() <= 200);
        }
        assert_eq!(100, member.tell().0.len());
    }
}
