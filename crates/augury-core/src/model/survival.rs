//! The survival table: when will an object be asked for again, given its history and its age?
//!
//! Objects are put into classes by heat, latest reuse time and size. For each class and age
//! bucket the table counts the objects asked for again at that age (*reuses*) and those that were
//! forgotten at it (*censored*); a sample of the objects still waiting adds those that have got
//! to an age and gone no further (*pending*), without which young data would be all reuses. The
//! hazard of a bucket is reuses / objects that entered it, as Kaplan and Meier estimate it
//! ("Nonparametric estimation from incomplete observations", JASA 1958), smoothed towards that of
//! the heat bucket and then of all objects. From the survival S that follows the *density*: the
//! most reuses per tick of residence that can be had from age a on,
//!
//! > max over e of (S(a) - S(e)) / integral of S from a to e,
//!
//! Gittins' index for a job that may be stopped ("Bandit processes and dynamic allocation
//! indices", JRSS B 1979). Falling hazards give recency, constant ones frequency, rising ones
//! (loops) the shortest wait, and no horizon has to be chosen.
//!
//! Learning is incremental: one count per access, one class computed per step, all in ticks. Old
//! counts fade by a factor per round. Memory: classes are added as they are seen, up to a limit;
//! beyond it an object belongs to the class of its heat alone.

mod outlook;
mod saved;

use super::hazard::{Counts, Curve, Packed, SPAN, density, hazards, survival};
use crate::history::{AGE_BUCKETS, CLASSES_MAX, History, NO_REUSE, age_bucket, bucket_start};

pub use outlook::Outlook;

/// Number of a class.
pub type ClassId = u16;

/// Heat buckets: accessed once, then octaves of the decayed count.
const HEATS: usize = 12;
/// Latest reuse times by powers of two, those outside the span at its ends, and "none yet".
const REUSES: usize = AGE_BUCKETS / 4 + 1;
const UNSEEN: ClassId = ClassId::MAX;

/// The span of ages begins this many quarter-octaves below the number of residents: what happens
/// within a hundredth of the cache's size in requests needs no finer view.
const BELOW: u8 = 28;

/// Weight, in objects, of the more general hazard in a more special one.
const PRIOR: f32 = 8.0;
/// Room for new classes that a miss leaves behind: so much where there may be hundreds, and the share
/// of those that there may be where these are few.
const SPARE: (usize, usize) = (8, 12);
/// Objects that a census holds at most; half of it where there are few classes.
const CENSUS: usize = 1_024;
/// Share of news below which a class is not computed anew.
const NEWS: f32 = 0.02;
/// Hazard of all objects where nothing is known.
const TINY: f32 = 1e-4;

/// Quarter-octaves by which a float's exponent is ahead of `age_bucket`.
const FLOAT_BIAS: u32 = 4 * 127 + 4;

#[derive(Debug, Clone)]
struct Class {
    heat: u8,
    counts: Counts,
    /// Counted since the density was last computed.
    news: f32,
}

/// An object that was still waiting when it was sampled.
#[derive(Debug, Clone, Copy)]
struct Pending {
    class: ClassId,
    column: u8,
    /// Whether it was a ghost: they stand for other numbers than residents do.
    is_ghost: bool,
}

impl Pending {
    fn weight(self, (resident, ghost): (f32, f32)) -> f32 {
        if self.is_ghost { ghost } else { resident }
    }
}

/// See the module's head.
#[derive(Debug, Clone)]
pub struct Survival {
    lowest: u8,
    limit: usize,
    /// Classes by size, heat and reuse time, for the sizes that there have been.
    keys: Vec<ClassId>,
    /// Sizes that there is room for in `keys`, after the next [`Survival::reserve`].
    sizes: usize,
    classes: Vec<Class>,
    density: Vec<Packed>,
    census: Vec<Pending>,
    /// Whether the census is that of the latest round, and gone when the next one begins.
    is_spent: bool,
    weights: (f32, f32),
    /// Hazards of the heat buckets, made at the start of a round.
    parents: Vec<Curve>,
    widths: Curve,
    next: usize,
    rounds: u32,
}

/// Bucket of a heat.
#[inline]
fn heat_bucket(history: &History) -> usize {
    if history.count <= 1 { 0 } else { history.heat_step().clamp(1, HEATS - 1) }
}

impl Survival {
    /// A table for a cache of about `objects` entries, of at most `limit` classes.
    pub fn new(objects: u64, limit: usize) -> Self {
        let mut table = Survival {
            lowest: 0,
            limit: limit.clamp(HEATS, CLASSES_MAX),
            keys: Vec::new(),
            sizes: 1,
            classes: Vec::new(),
            density: Vec::new(),
            census: Vec::new(),
            is_spent: false,
            weights: (1.0, 1.0),
            parents: Vec::new(),
            widths: [0.0; SPAN],
            next: 0,
            rounds: 0,
        };
        table.set_lowest(lowest_for(objects));
        for heat in 0..HEATS {
            table.add_class(heat);
        }
        table.reserve();
        table
    }

    /// Rounds of learning completed; before the first the answers are a general law.
    pub fn rounds(&self) -> u32 {
        self.rounds
    }

    /// Number of classes in use.
    pub fn classes(&self) -> usize {
        self.classes.len()
    }

    fn set_lowest(&mut self, lowest: u8) {
        self.lowest = lowest;
        for (column, width) in self.widths.iter_mut().enumerate() {
            let from = if column == 0 { 0 } else { bucket_start(lowest + column as u8) };
            *width = (bucket_start(lowest + column as u8 + 1) - from) as f32;
        }
    }

    /// Moves the span of ages when the number of residents has changed by a power of two or more.
    pub fn rescale(&mut self, objects: u64) {
        let lowest = lowest_for(objects);
        if lowest == self.lowest {
            return;
        }
        let by = i32::from(lowest) - i32::from(self.lowest);
        self.set_lowest(lowest);
        self.classes.iter_mut().for_each(|class| {
            class.counts.shift(by);
            class.news = f32::INFINITY;
        });
    }

    /// Column of an age in ticks.
    #[inline]
    pub fn column(&self, age: u32) -> usize {
        self.column_of(age as f32)
    }

    #[inline(always)]
    fn column_of(&self, age: f32) -> usize {
        // The exponent and the two leading bits of a float are its quarter-octave: the same as
        // `age_bucket` from 4 on, and the ages below are of no interest here.
        let quarter = age.to_bits() >> 21;
        (quarter.saturating_sub(FLOAT_BIAS + u32::from(self.lowest)) as usize).min(SPAN - 1)
    }

    fn add_class(&mut self, heat: usize) -> ClassId {
        self.classes.push(Class {
            heat: heat as u8,
            counts: Counts::default(),
            news: f32::INFINITY,
        });
        // Until its first computation a class answers as its heat bucket does.
        let density = self.density.get(heat).copied();
        self.density.push(density.unwrap_or_else(|| Packed::of(&self.before_learning())));
        (self.classes.len() - 1) as ClassId
    }

    /// The density before anything has been learned: reuse is the less likely the longer ago the
    /// latest access, in proportion.
    fn before_learning(&self) -> Curve {
        let mut age = 0.0;
        self.widths.map(|width| {
            age += width;
            1.0 / (age - width / 2.0)
        })
    }

    #[inline]
    fn reuse_octave(&self, reuse: u8) -> usize {
        usize::from(reuse.clamp(self.lowest, self.lowest + SPAN as u8 - 1) / 4)
    }

    #[inline]
    fn key_of(&self, history: &History, heat: usize, reuse: usize) -> usize {
        (usize::from(history.size()) * HEATS + heat) * REUSES + reuse
    }

    /// The class of a history.
    #[inline]
    pub fn class_of(&mut self, history: &History) -> ClassId {
        let heat = heat_bucket(history);
        let reuse = match history.reuse() {
            NO_REUSE => REUSES - 1,
            reuse => self.reuse_octave(reuse),
        };
        let key = self.key_of(history, heat, reuse);
        match self.keys.get(key) {
            Some(&known) if known != UNSEEN => known,
            Some(_) => self.find_class(key, heat),
            None => {
                // As for a class that there is no memory for: until the next `reserve`.
                self.sizes = self.sizes.max(usize::from(history.size()) + 1);
                heat as ClassId
            }
        }
    }

    #[cold]
    fn find_class(&mut self, key: usize, heat: usize) -> ClassId {
        let is_full = self.classes.len() >= self.limit;
        if !is_full && self.classes.len() == self.classes.capacity() {
            // No memory is asked for here: until the next `reserve` the heat has to do.
            return heat as ClassId;
        }
        let class = if is_full { heat as ClassId } else { self.add_class(heat) };
        self.keys[key] = class;
        class
    }

    /// Makes room for new classes, so that recording an access allocates nothing.
    #[inline]
    pub fn reserve(&mut self) {
        if self.keys.len() < self.sizes * HEATS * REUSES {
            self.keys.resize(self.sizes * HEATS * REUSES, UNSEEN);
        }
        let spare = SPARE.0.min(self.limit / SPARE.1);
        if self.classes.capacity() - self.classes.len() < spare && self.classes.len() < self.limit {
            // A cache that is asked for little has no more than a few.
            let half = if self.classes.len() > HEATS { self.classes.len() / 2 } else { 0 };
            self.classes.reserve_exact(spare.max(half));
            self.density.reserve_exact(spare.max(half));
        }
    }

    /// Makes room for rounds of learning: a cache that is asked for little needs none.
    pub fn reserve_rounds(&mut self) {
        let most = if self.limit < CENSUS { CENSUS / 2 } else { CENSUS };
        self.census.reserve_exact(most.saturating_sub(self.census.len()));
        self.parents.resize(HEATS, [0.0; SPAN]);
    }

    /// Whether there is room for rounds of learning.
    #[inline]
    pub fn has_rounds(&self) -> bool {
        !self.parents.is_empty()
    }

    /// Changes the number of classes at most; those in use stay.
    pub fn set_limit(&mut self, limit: usize) {
        if limit > self.limit {
            // Those that went to their heat for want of room may have a class of their own now.
            let general = self.keys.iter_mut().filter(|class| usize::from(**class) < HEATS);
            general.for_each(|class| *class = UNSEEN);
        }
        self.limit = limit.clamp(HEATS, CLASSES_MAX);
    }

    /// An object of this class was asked for again at this age.
    #[inline]
    pub fn reused(&mut self, class: ClassId, age: u32) {
        let column = self.column(age);
        let class = &mut self.classes[usize::from(class)];
        class.counts.reused(column);
        class.news += 1.0;
    }

    /// An object of this class was forgotten at this age.
    #[inline]
    pub fn censored(&mut self, class: ClassId, age: u32) {
        let column = self.column(age);
        let class = &mut self.classes[usize::from(class)];
        class.counts.censored(column);
        class.news += 1.0;
    }

    /// An object of this class, drawn at random, is waiting at this age. Only the first 1,024
    /// between two rounds are taken.
    #[inline]
    pub fn pending(&mut self, class: ClassId, age: u32, is_ghost: bool) {
        let column = self.column(age) as u8;
        self.begin_census();
        if self.census.len() < self.census.capacity() {
            self.census.push(Pending { class, column, is_ghost });
        }
    }

    /// What the latest round was made from is let go of.
    #[inline]
    fn begin_census(&mut self) {
        if std::mem::take(&mut self.is_spent) {
            self.census.clear();
        }
    }

    /// Most reuses per tick of residence from this age on.
    #[inline]
    pub fn density(&self, class: ClassId, age: u32) -> f32 {
        self.density[usize::from(class)].at(self.column(age))
    }

    /// As [`Survival::density`], for an age that is a float already.
    #[inline(always)]
    pub(super) fn density_at(&self, class: ClassId, age: f32) -> f32 {
        self.density[usize::from(class)].at(self.column_of(age))
    }

    /// Starts a round, for which there is room: the general hazards are made anew. A resident of the census stands for
    /// `weights.0` objects, a ghost for `weights.1`.
    pub fn begin_round(&mut self, weights: (f32, f32)) {
        self.weights = weights;
        self.begin_census();
        let mut heats = [([0.0; SPAN], [0.0; SPAN]); HEATS + 1];
        for class in &self.classes {
            for bucket in [usize::from(class.heat), HEATS] {
                let (reuses, exits) = &mut heats[bucket];
                class.counts.add_to(reuses, exits);
            }
        }
        for pending in &self.census {
            let weight = pending.weight(weights);
            let class = &mut self.classes[usize::from(pending.class)];
            class.news += weight;
            for bucket in [usize::from(class.heat), HEATS] {
                heats[bucket].1[usize::from(pending.column)] += weight;
            }
        }
        self.census.sort_unstable_by_key(|pending| pending.class);
        let all = hazards(&heats[HEATS].0, &heats[HEATS].1, &[TINY; SPAN], 1.0);
        for (parent, (reuses, exits)) in self.parents.iter_mut().zip(&heats) {
            *parent = hazards(reuses, exits, &all, PRIOR / 2.0);
        }
        self.next = 0;
    }

    /// Computes the density of the next class that has news. Whether the round is complete.
    pub fn step(&mut self) -> bool {
        while let Some(class) = self.classes.get_mut(self.next) {
            let id = self.next;
            self.next += 1;
            let (mut reuses, mut exits) = ([0.0; SPAN], [0.0; SPAN]);
            let total = class.counts.add_to(&mut reuses, &mut exits);
            if class.news < total * NEWS {
                continue;
            }
            class.news = 0.0;
            for pending in waiting(&self.census, id) {
                exits[usize::from(pending.column)] += pending.weight(self.weights);
            }
            let parent = &self.parents[usize::from(class.heat)];
            let hazards = hazards(&reuses, &exits, parent, PRIOR);
            let (survival, integral) = survival(&hazards, &self.widths);
            self.density[id] = Packed::of(&density(&survival, &integral));
            break;
        }
        let complete = self.next >= self.classes.len();
        if complete {
            self.rounds += 1;
        }
        complete
    }

    /// Fades all counts: once per completed round. What was pending is kept until the next census,
    /// for [`Survival::outlook`].
    pub fn fade(&mut self) {
        self.classes.iter_mut().for_each(|class| class.counts.fade());
        self.is_spent = true;
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        self.keys.capacity() * size_of::<ClassId>()
            + self.classes.capacity() * size_of::<Class>()
            + self.density.capacity() * size_of::<Packed>()
            + self.parents.capacity() * size_of::<Curve>()
            + self.census.capacity() * size_of::<Pending>()
    }
}

/// Those of a sorted census that are of a class.
fn waiting(census: &[Pending], class: usize) -> impl Iterator<Item = &Pending> {
    let from = census.partition_point(|pending| usize::from(pending.class) < class);
    census[from..].iter().take_while(move |pending| usize::from(pending.class) == class)
}

fn lowest_for(objects: u64) -> u8 {
    let objects = objects.clamp(4, 1 << 30) as u32;
    // A multiple of four: octaves of reuse times keep their meaning when the span moves.
    (age_bucket(objects).saturating_sub(BELOW) / 4 * 4)
        .min(((AGE_BUCKETS - SPAN - 1) / 4 * 4) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trained(ages: impl Iterator<Item = u32>) -> (Survival, ClassId) {
        let mut table = Survival::new(1000, 64);
        table.reserve_rounds();
        let class = table.class_of(&History::first(0, 1));
        ages.for_each(|age| table.reused(class, age));
        table.begin_round((1.0, 1.0));
        while !table.step() {}
        (table, class)
    }

    #[test]
    fn a_loop_prefers_the_object_that_has_waited_longest() {
        let (table, class) = trained((0..5000).map(|_| 4000));
        assert!(table.density(class, 3000) > 2.0 * table.density(class, 1000));
    }

    #[test]
    fn falling_hazards_prefer_the_recent() {
        let (table, class) = trained((0..5000u32).map(|i| 1 + i % 100 * (i % 100)));
        assert!(table.density(class, 100) > table.density(class, 5000));
    }

    #[test]
    fn objects_still_waiting_lower_the_density() {
        let (mut table, class) = trained((0..500u32).map(|i| 1 + i));
        let before = table.density(class, 100);
        (0..500).for_each(|_| table.pending(class, 3000, false));
        table.begin_round((10.0, 1.0));
        while !table.step() {}
        assert!(table.density(class, 100) < before / 2.0);
    }

    #[test]
    fn beyond_the_limit_an_object_belongs_to_its_heat() {
        let mut table = Survival::new(1000, 0);
        let mut history = History::first(0, 1);
        assert_eq!(0, table.class_of(&history));
        history.touch(5000, 0.0);
        assert_eq!(usize::from(table.class_of(&history)), heat_bucket(&history));
    }

    #[test]
    fn a_raised_limit_gives_classes_of_their_own() {
        let mut table = Survival::new(1000, 0);
        let history = History::first(0, 1);
        assert_eq!(0, table.class_of(&history));
        table.set_limit(64);
        table.reserve();
        assert!(usize::from(table.class_of(&history)) >= HEATS);
    }

    #[test]
    fn columns_follow_the_age_buckets() {
        let table = Survival::new(100_000, 64);
        for age in (0..3000).map(|step| step * step * 31) {
            let expected = usize::from(age_bucket(age).saturating_sub(table.lowest));
            assert_eq!(expected.min(SPAN - 1), table.column(age), "{age}");
        }
    }

    #[test]
    fn a_moved_span_keeps_what_was_learned() {
        let (mut table, class) = trained((0..5000).map(|_| 4000));
        table.rescale(4000);
        table.begin_round((1.0, 1.0));
        while !table.step() {}
        assert!(table.density(class, 3000) > 2.0 * table.density(class, 1000));
    }
}
