//! Shadow caches: what each expert would hold of a hash-sampled part of the traffic.
//!
//! All experts share the sampled objects and their histories; an expert adds one bit to an object
//! (is it resident with me?), a count of its residents and a sweep. A shadow holds no values and
//! has the capacity of the real cache times the sampling ratio, so its hit ratio estimates what
//! the expert would have had on all traffic (Waldspurger et al., "Efficient MRC construction with
//! SHARDS", FAST 2015).

use crate::history::History;
use crate::index::Index;
use crate::policy::learner::Learner;
use crate::policy::sampled::Expert;
use crate::policy::sweep::{Choice, Decide, Field, Sweep};
use crate::request::Access;

use super::bandit::Experts;

/// Residents scored per eviction: fewer than in the real cache, for all experts alike.
const LOOKS: u32 = 6;

#[derive(Debug, Clone, Copy)]
struct Object {
    hash: u64,
    history: History,
    size: u32,
    /// Experts with which it is resident; none in a vacant place.
    members: Experts,
}

#[derive(Debug, Clone)]
struct Shadow {
    expert: Expert,
    residents: u32,
    used: u64,
    sweep: Sweep,
}

/// See the module's head.
#[derive(Debug, Clone)]
pub struct Shadows {
    index: Index,
    objects: Vec<Object>,
    vacant: Vec<u32>,
    shadows: Vec<Shadow>,
    capacity: u64,
}

/// One expert's residents.
struct Residents<'a> {
    objects: &'a [Object],
    bit: Experts,
    count: u32,
}

impl Field for Residents<'_> {
    #[inline]
    fn bound(&self) -> u32 {
        self.objects.len() as u32
    }

    #[inline]
    fn residents(&self) -> u32 {
        self.count
    }

    #[inline]
    fn candidate(&self, place: u32) -> Option<(&History, u32)> {
        let object = self.objects.get(place as usize)?;
        (object.members & self.bit != 0).then_some((&object.history, object.size))
    }

    #[inline]
    fn each(&self, from: u32, to: u32, mut visit: impl FnMut(u32, &History, u32)) {
        for (place, object) in (from..).zip(&self.objects[from as usize..to as usize]) {
            if object.members & self.bit != 0 {
                visit(place, &object.history, object.size);
            }
        }
    }
}

impl Shadows {
    /// Empty shadows of these experts (at most 32), each of this capacity.
    pub fn new(experts: &[Expert], capacity: u64) -> Self {
        let shadow =
            |&expert: &Expert| Shadow { expert, residents: 0, used: 0, sweep: Sweep::default() };
        Shadows {
            index: Index::default(),
            objects: Vec::new(),
            vacant: Vec::new(),
            shadows: experts.iter().map(shadow).collect(),
            capacity,
        }
    }

    /// Residents of one expert.
    pub fn residents(&self, expert: usize) -> u32 {
        self.shadows[expert].residents
    }

    /// Objects resident with any expert.
    pub fn len(&self) -> usize {
        self.objects.len() - self.vacant.len()
    }

    /// The experts that hold an object.
    pub fn holders(&self, hash: u64) -> Experts {
        let objects = &self.objects;
        let found = self.index.candidates(hash).find(|&at| objects[at as usize].hash == hash);
        found.map_or(0, |at| objects[at as usize].members)
    }

    /// An access to a sampled object. Returns the experts that had it.
    pub fn access(
        &mut self,
        access: &Access,
        history: &History,
        live: Experts,
        learner: &Learner,
    ) -> Experts {
        let objects = &self.objects;
        let found =
            self.index.candidates(access.hash).find(|&at| objects[at as usize].hash == access.hash);
        let members = found.map_or(0, |at| self.objects[at as usize].members);
        if found.is_none() && u64::from(access.size) > self.capacity {
            return 0;
        }
        if found.is_none() && !self.has_room() {
            return 0;
        }
        let at = found.unwrap_or_else(|| self.add(access));
        self.objects[at as usize].history = *history;
        let mut missing = live & !members;
        while missing != 0 {
            let expert = missing.trailing_zeros() as usize;
            missing &= missing - 1;
            self.admit(expert, at, access, learner);
        }
        if self.objects[at as usize].members == 0 {
            self.release(at);
        }
        members
    }

    fn admit(&mut self, expert: usize, at: u32, access: &Access, learner: &Learner) {
        let object = self.objects[at as usize];
        let size = u64::from(object.size);
        let bit = 1 << expert;
        if size > self.capacity {
            return;
        }
        while self.shadows[expert].used + size > self.capacity {
            let shadow = &mut self.shadows[expert];
            let field = Residents { objects: &self.objects, bit, count: shadow.residents };
            let decide = Decide {
                lens: learner.lens(access.now),
                field: &field,
                sweep: &mut shadow.sweep,
                looks: LOOKS,
                newcomer: shadow.expert.admission.then_some((&object.history, object.size)),
            };
            match shadow.expert.ranking.with(decide) {
                Choice::Leave(place) => self.evict(expert, place),
                Choice::Refuse => return,
            }
        }
        let shadow = &mut self.shadows[expert];
        shadow.residents += 1;
        shadow.used += size;
        shadow.sweep.entered(at, &object.history, shadow.residents);
        self.objects[at as usize].members |= bit;
    }

    fn evict(&mut self, expert: usize, at: u32) {
        let object = &mut self.objects[at as usize];
        object.members &= !(1 << expert);
        let shadow = &mut self.shadows[expert];
        shadow.used -= u64::from(object.size);
        shadow.residents -= 1;
        if object.members == 0 {
            self.release(at);
        }
    }

    /// Ends the shadows of these experts: they hold nothing afterwards.
    pub fn retire(&mut self, experts: Experts) {
        for at in 0..self.objects.len() {
            let leaving = self.objects[at].members & experts;
            if leaving != 0 {
                self.objects[at].members &= !experts;
                if self.objects[at].members == 0 {
                    self.release(at as u32);
                }
            }
        }
        for (expert, shadow) in self.shadows.iter_mut().enumerate() {
            if experts & 1 << expert != 0 {
                (shadow.residents, shadow.used) = (0, 0);
                shadow.sweep.reset();
            }
        }
    }

    /// Begins a shadow with what another expert holds.
    pub fn revive(&mut self, expert: usize, from: usize) {
        self.retire(1 << expert);
        for object in self.objects.iter_mut().filter(|object| object.members & 1 << from != 0) {
            object.members |= 1 << expert;
        }
        let (residents, used) = (self.shadows[from].residents, self.shadows[from].used);
        let shadow = &mut self.shadows[expert];
        (shadow.residents, shadow.used) = (residents, used);
    }

    /// Keeps only the objects that are still sampled; the capacity shrinks to `capacity`. What is
    /// too much then leaves with the next accesses.
    pub fn narrow(&mut self, capacity: u64, is_sampled: impl Fn(u64) -> bool) {
        self.capacity = capacity;
        for at in 0..self.objects.len() {
            let object = self.objects[at];
            if object.members == 0 || is_sampled(object.hash) {
                continue;
            }
            let mut members = object.members;
            while members != 0 {
                let shadow = &mut self.shadows[members.trailing_zeros() as usize];
                shadow.residents -= 1;
                shadow.used -= u64::from(object.size);
                members &= members - 1;
            }
            self.objects[at].members = 0;
            self.release(at as u32);
        }
    }

    /// Whether an object can be added without asking for memory.
    fn has_room(&self) -> bool {
        let has_place = !self.vacant.is_empty() || self.objects.len() < self.objects.capacity();
        has_place && self.index.has_room()
    }

    /// Makes room for one more object. In steps: doubling would be half of a small cache's
    /// memory.
    pub fn reserve(&mut self) {
        if self.vacant.is_empty() && self.objects.len() == self.objects.capacity() {
            let step = (self.objects.len() / 4).max(16);
            self.objects.reserve_exact(step);
            self.vacant.reserve_exact(self.objects.capacity());
            let places = self.objects.capacity() as u32;
            self.shadows.iter_mut().for_each(|shadow| shadow.sweep.reserve(places));
        }
        let objects = &self.objects;
        self.index.reserve(|at| objects[at as usize].hash);
    }

    fn add(&mut self, access: &Access) -> u32 {
        let object = Object {
            hash: access.hash,
            history: History::default(),
            size: access.size,
            members: 0,
        };
        let at = match self.vacant.pop() {
            Some(at) => {
                self.objects[at as usize] = object;
                at
            }
            None => {
                self.objects.push(object);
                (self.objects.len() - 1) as u32
            }
        };
        let objects = &self.objects;
        self.index.insert(access.hash, at, |at| objects[at as usize].hash);
        at
    }

    fn release(&mut self, at: u32) {
        self.index.remove(self.objects[at as usize].hash, at);
        self.vacant.push(at);
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        self.index.memory_bytes()
            + self.objects.capacity() * size_of::<Object>()
            + self.vacant.capacity() * size_of::<u32>()
            + self.shadows.capacity() * size_of::<Shadow>()
            + self.shadows.iter().map(|shadow| shadow.sweep.memory_bytes()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::mix;
    use crate::policy::ranking::RankingId;
    use crate::random::Random;

    const EXPERTS: [Expert; 3] = [
        Expert { ranking: RankingId::Recency, admission: false },
        Expert { ranking: RankingId::Heat, admission: true },
        Expert { ranking: RankingId::Count, admission: false },
    ];
    const ALL: Experts = 0b111;

    fn request(shadows: &mut Shadows, learner: &Learner, now: u64, key: u64, size: u32) -> Experts {
        let access = Access::new(mix(key), key, size, now);
        shadows.reserve();
        shadows.access(&access, &History::first(now as u32, size), ALL, learner)
    }

    fn check(shadows: &Shadows) {
        for (expert, shadow) in shadows.shadows.iter().enumerate() {
            let members = shadows.objects.iter().filter(|o| o.members & 1 << expert != 0);
            let (count, used) = members.fold((0, 0), |(n, b), o| (n + 1, b + u64::from(o.size)));
            assert_eq!((count, used), (shadow.residents, shadow.used), "expert {expert}");
        }
        let occupied = shadows.objects.iter().filter(|object| object.members != 0);
        assert_eq!(occupied.count(), shadows.len());
        for (at, object) in shadows.objects.iter().enumerate() {
            let found = shadows.index.candidates(object.hash).any(|id| id as usize == at);
            assert_eq!(object.members != 0, found, "place {at} in the index");
        }
    }

    #[test]
    fn residents_and_used_are_the_sums_over_members() {
        let learner = Learner::new(1, 100);
        for seed in 0..20 {
            let (mut random, mut shadows) = (Random::new(seed), Shadows::new(&EXPERTS, 500));
            for now in 0..1_500 {
                let (key, size) =
                    (u64::from(random.below(200)), random.below(60) * random.below(12));
                match random.below(200) {
                    0 => shadows.retire(1 << random.below(3)),
                    1 => shadows.revive(1, 0),
                    2 => shadows.narrow(shadows.capacity - 10, |hash| hash & 15 != seed & 15),
                    _ => {
                        request(&mut shadows, &learner, now, key, size);
                    }
                }
                check(&shadows);
            }
        }
    }

    #[test]
    fn recency_hits_what_the_last_so_many_requests_hold() {
        // Seven residents, all scored at each eviction: exact LRU.
        let learner = Learner::new(1, 5);
        let (mut random, mut shadows) = (Random::new(9), Shadows::new(&EXPERTS[..1], 5));
        let mut lru: Vec<u64> = Vec::new();
        for now in 0..3_000 {
            let key = u64::from(random.below(12));
            let access = Access::new(mix(key), key, 1, now);
            shadows.reserve();
            let hit = shadows.access(&access, &History::first(now as u32, 1), 1, &learner) != 0;
            assert_eq!(lru.contains(&key), hit, "request {now}");
            lru.retain(|&other| other != key);
            lru.push(key);
            lru.drain(..lru.len().saturating_sub(5));
        }
    }

    #[test]
    fn narrow_keeps_only_what_is_sampled() {
        let learner = Learner::new(1, 100);
        let mut shadows = Shadows::new(&EXPERTS, 100);
        for now in 0..300 {
            request(&mut shadows, &learner, now, now % 90, 1);
        }
        shadows.narrow(50, |hash| hash & 1 == 0);
        check(&shadows);
        let expected = (0..90).filter(|&key| mix(key) & 1 == 0).count() as u32;
        assert_eq!([expected; 3], [0, 1, 2].map(|expert| shadows.residents(expert)));
    }

    #[test]
    fn what_is_larger_than_a_shadow_does_not_come_in() {
        let learner = Learner::new(1, 100);
        let mut shadows = Shadows::new(&EXPERTS, 100);
        request(&mut shadows, &learner, 0, 1, 100);
        assert_eq!(0, request(&mut shadows, &learner, 1, 2, 101));
        assert_eq!(ALL, request(&mut shadows, &learner, 2, 1, 100));
        check(&shadows);
    }
}
