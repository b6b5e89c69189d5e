//! Shadow caches: what each expert would hold of a hash-sampled part of the traffic.
//!
//! All experts share the sampled objects and their histories; an expert adds one bit per object
//! (is it resident with me?) and a list of its residents to draw victims from. A shadow holds no
//! values and has the capacity of the real cache times the sampling ratio, so its hit ratio
//! estimates what the expert would have had on all traffic (Waldspurger et al., "Efficient MRC
//! construction with SHARDS", FAST 2015).

use crate::history::History;
use crate::index::Index;
use crate::policy::learner::Learner;
use crate::policy::ranking::{Lens, Ranking, WithRanking};
use crate::policy::sampled::{Expert, SAMPLE};
use crate::random::Random;
use crate::request::Access;

/// Set of experts, a bit each.
pub type Experts = u32;

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
    residents: Vec<u32>,
    used: u64,
}

/// See the module's head.
#[derive(Debug, Clone)]
pub struct Shadows {
    index: Index,
    objects: Vec<Object>,
    vacant: Vec<u32>,
    shadows: Vec<Shadow>,
    capacity: u64,
    random: Random,
}

impl Shadows {
    /// Empty shadows of these experts (at most 32), each of this capacity.
    pub fn new(experts: &[Expert], capacity: u64, seed: u64) -> Self {
        let shadow = |&expert: &Expert| Shadow { expert, residents: Vec::new(), used: 0 };
        Shadows {
            index: Index::default(),
            objects: Vec::new(),
            vacant: Vec::new(),
            shadows: experts.iter().map(shadow).collect(),
            capacity,
            random: Random::new(seed ^ 0x7368_6164_6f77_7321),
        }
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
        if u64::from(access.size) > self.capacity {
            return members;
        }
        let at = found.unwrap_or_else(|| self.add(access.hash));
        let object = &mut self.objects[at as usize];
        object.history = *history;
        // A size that changes is the real cache's business; here the first one stays.
        if found.is_none() {
            object.size = access.size;
        }
        let mut missing = live & !members;
        while missing != 0 {
            let expert = missing.trailing_zeros();
            missing &= missing - 1;
            self.admit(expert, at, access, learner);
        }
        if self.objects[at as usize].members == 0 {
            self.release(at);
        }
        members
    }

    fn admit(&mut self, expert: u32, at: u32, access: &Access, learner: &Learner) {
        let size = u64::from(self.objects[at as usize].size);
        while self.shadows[expert as usize].used + size > self.capacity {
            let shadow = &self.shadows[expert as usize];
            let newcomer = shadow.expert.admission.then_some(at);
            let draw = Draw {
                lens: learner.lens(access.now),
                objects: &self.objects,
                residents: &shadow.residents,
                random: &mut self.random,
                newcomer,
            };
            match shadow.expert.ranking.with(draw) {
                Some(place) => self.evict(expert, place),
                None => return,
            }
        }
        let shadow = &mut self.shadows[expert as usize];
        shadow.residents.push(at);
        shadow.used += size;
        self.objects[at as usize].members |= 1 << expert;
    }

    fn evict(&mut self, expert: u32, place: usize) {
        let shadow = &mut self.shadows[expert as usize];
        let at = shadow.residents.swap_remove(place);
        let object = &mut self.objects[at as usize];
        shadow.used -= u64::from(object.size);
        object.members &= !(1 << expert);
        if object.members == 0 {
            self.release(at);
        }
    }

    fn add(&mut self, hash: u64) -> u32 {
        let object = Object { hash, history: History::default(), size: 0, members: 0 };
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
        self.index.insert(hash, at);
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
            + self.shadows.iter().map(|s| s.residents.capacity() * size_of::<u32>()).sum::<usize>()
    }
}

/// Draws a victim among an expert's residents: its place, or `None` to turn the newcomer away.
struct Draw<'a> {
    lens: Lens<'a>,
    objects: &'a [Object],
    residents: &'a [u32],
    random: &'a mut Random,
    newcomer: Option<u32>,
}

impl WithRanking for Draw<'_> {
    type Output = Option<usize>;

    fn with<R: Ranking>(self) -> Option<usize> {
        let score = |at: u32| {
            let object = &self.objects[at as usize];
            R::score(&self.lens, &object.history, object.size)
        };
        let (mut victim, mut lowest) = (0, f32::INFINITY);
        for _ in 0..SAMPLE {
            let place = self.random.below(self.residents.len() as u32) as usize;
            let score = score(self.residents[place]);
            if score < lowest {
                (victim, lowest) = (place, score);
            }
        }
        match self.newcomer {
            Some(at) if score(at) < lowest => None,
            _ => Some(victim),
        }
    }
}
