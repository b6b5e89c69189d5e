//! The survival table: when will an object be asked for again, given its history and its age?
//!
//! Objects are put into classes by frequency, latest reuse time and size. For each class and age
//! bucket the table counts the objects asked for again at that age (*reuses*) and those that were
//! forgotten at it (*censored*); a sample of the objects still waiting adds those that have got
//! to an age and gone no further (*pending*), without which young data would be all reuses. The
//! hazard of a bucket is reuses / objects that entered it, as Kaplan and Meier estimate it
//! ("Nonparametric estimation from incomplete observations", JASA 1958), smoothed towards that of
//! the frequency bucket and then of all objects. From the survival S that follows:
//!
//! - *density*: the most reuses per tick of residence that can be had from age a on,
//!   max over e of (S(a) - S(e)) / integral of S from a to e. It is Gittins' index for a job that
//!   may be stopped ("Bandit processes and dynamic allocation indices", JRSS B 1979). Falling
//!   hazards give recency, constant ones frequency, rising ones (loops) the shortest wait, and no
//!   horizon has to be chosen;
//! - *within*: reuse probability within a horizon, 1 - S(a+T)/S(a).
//!
//! Learning is incremental: a count per access, one class re-computed per step, all in ticks. Old
//! counts fade by a factor per round. Memory: classes are added as they are seen, up to a limit;
//! beyond it an object belongs to the class of its frequency alone.

use crate::history::{AGE_BUCKETS, NO_REUSE, SIZE_BUCKETS, age_bucket, bucket_start};

/// Number of a class.
pub type ClassId = u16;

/// Frequency buckets: 1, 2, 3, 4, 5-7, 8-15, 16-31, 32 and more accesses.
const FREQUENCIES: usize = 14;
/// Reuse times by powers of two, and one place for "none yet".
const REUSES: usize = 32;
const KEYS: usize = FREQUENCIES * REUSES * SIZE_BUCKETS as usize;
const UNSEEN: ClassId = ClassId::MAX;

/// Age buckets that a table holds; ages below and above fall into the first and last. They span
/// from 1/32 of the cache's size in requests to 128 times it.
pub const SPAN: usize = 64;
const BELOW: u8 = 32;

/// Weight, in objects, of the more general hazard in a more special one.
const PRIOR: f32 = 8.0;
/// Share of news below which a class is not computed anew.
const NEWS: f32 = 0.02;
/// Upper limit of a hazard: nothing is ever certain.
const HAZARD_MAX: f32 = 0.999;

#[derive(Debug, Clone, Copy)]
struct Class {
    frequency: u8,
    reuses: [f32; SPAN],
    censored: [f32; SPAN],
    pending: [f32; SPAN],
    /// Weight counted in all, and since the answers were last computed.
    weight: f32,
    news: f32,
}

/// One number per age of a class.
type Curve = [f32; SPAN];

/// See the module's head.
#[derive(Debug, Clone)]
pub struct Survival {
    lowest: u8,
    limit: usize,
    keys: Vec<ClassId>,
    classes: Vec<Class>,
    density: Vec<Curve>,
    within: Vec<Curve>,
    /// Hazards of the frequency buckets, made at the start of a round.
    parents: [[f32; SPAN]; FREQUENCIES],
    widths: [f32; SPAN],
    horizon: f32,
    next: usize,
    rounds: u32,
}

/// Bucket of an access count.
#[inline]
fn frequency_bucket(count: u16) -> usize {
    match count {
        0..=1 => 0,
        2..=4 => count as usize - 1,
        _ => (count.ilog2() as usize + 2).min(FREQUENCIES - 1),
    }
}

impl Survival {
    /// A table for a cache of about `objects` entries, of at most `limit` classes.
    pub fn new(objects: u64, limit: usize) -> Self {
        let mut table = Survival {
            lowest: 0,
            limit: limit.max(FREQUENCIES),
            keys: vec![UNSEEN; KEYS],
            classes: Vec::new(),
            density: Vec::new(),
            within: Vec::new(),
            parents: [[0.0; SPAN]; FREQUENCIES],
            widths: [0.0; SPAN],
            horizon: 1000.0,
            next: 0,
            rounds: 0,
        };
        table.set_lowest(lowest_for(objects));
        for frequency in 0..FREQUENCIES {
            table.add_class(frequency);
        }
        table
    }

    /// Rounds of learning completed; before the first there is no answer worth having.
    pub fn rounds(&self) -> u32 {
        self.rounds
    }

    /// Number of classes in use.
    pub fn classes(&self) -> usize {
        self.classes.len()
    }

    fn set_lowest(&mut self, lowest: u8) {
        self.lowest = lowest;
        for (bucket, width) in self.widths.iter_mut().enumerate() {
            let from = if bucket == 0 { 0 } else { bucket_start(lowest + bucket as u8) };
            *width = (bucket_start(lowest + bucket as u8 + 1) - from) as f32;
        }
    }

    /// Moves the span of ages when the number of residents has changed by a power of two or more.
    pub fn rescale(&mut self, objects: u64) {
        let lowest = lowest_for(objects);
        if lowest.abs_diff(self.lowest) < 4 {
            return;
        }
        let by = lowest as i32 - self.lowest as i32;
        self.set_lowest(lowest);
        for class in &mut self.classes {
            for counts in [&mut class.reuses, &mut class.censored, &mut class.pending] {
                *counts = shifted(counts, by);
            }
        }
        self.next = 0;
        while !self.step() {}
    }

    /// Column of an age in ticks.
    #[inline]
    pub fn column(&self, age: u32) -> usize {
        (age_bucket(age).saturating_sub(self.lowest) as usize).min(SPAN - 1)
    }

    fn add_class(&mut self, frequency: usize) -> ClassId {
        let zero = [0.0; SPAN];
        let class = Class {
            frequency: frequency as u8,
            reuses: zero,
            censored: zero,
            pending: zero,
            weight: 0.0,
            news: f32::INFINITY,
        };
        self.classes.push(class);
        // Until its first computation a class answers as its frequency bucket does.
        let (density, within) = match self.density.get(frequency) {
            Some(&density) => (density, self.within[frequency]),
            None => self.before_learning(),
        };
        self.density.push(density);
        self.within.push(within);
        (self.classes.len() - 1) as ClassId
    }

    /// Answers before anything has been learned: reuse is the less likely the longer ago the
    /// latest access, in proportion.
    fn before_learning(&self) -> (Curve, Curve) {
        let mut age = 0.0;
        let density = self.widths.map(|width| {
            age += width;
            1.0 / (age - width / 2.0)
        });
        (density, density.map(|rate| self.horizon * rate / (1.0 + self.horizon * rate)))
    }

    /// The class of a history.
    #[inline]
    pub fn class_of(&mut self, count: u16, reuse: u8, size: u8) -> ClassId {
        let frequency = frequency_bucket(count);
        let octave = if reuse == NO_REUSE {
            REUSES - 1
        } else {
            reuse.clamp(self.lowest, self.lowest + SPAN as u8) as usize / 4
        };
        let key = (frequency * REUSES + octave) * SIZE_BUCKETS as usize + size as usize;
        let known = self.keys[key];
        if known != UNSEEN {
            return known;
        }
        let class = if self.classes.len() < self.limit {
            self.add_class(frequency)
        } else {
            frequency as ClassId
        };
        self.keys[key] = class;
        class
    }

    /// An object of this class was asked for again at this age.
    #[inline]
    pub fn reused(&mut self, class: ClassId, age: u32) {
        let column = self.column(age);
        let class = &mut self.classes[class as usize];
        class.reuses[column] += 1.0;
        class.news += 1.0;
    }

    /// An object of this class was forgotten at this age.
    #[inline]
    pub fn censored(&mut self, class: ClassId, age: u32) {
        let column = self.column(age);
        let class = &mut self.classes[class as usize];
        class.censored[column] += 1.0;
        class.news += 1.0;
    }

    /// About `weight` objects of this class are waiting at this age.
    #[inline]
    pub fn pending(&mut self, class: ClassId, age: u32, weight: f32) {
        let column = self.column(age);
        let class = &mut self.classes[class as usize];
        class.pending[column] += weight;
        class.news += weight;
    }

    /// Most reuses per tick of residence from this age on.
    #[inline]
    pub fn density(&self, class: ClassId, age: u32) -> f32 {
        self.density[class as usize][self.column(age)]
    }

    /// Probability of a reuse within the horizon.
    #[inline]
    pub fn within(&self, class: ClassId, age: u32) -> f32 {
        self.within[class as usize][self.column(age)]
    }

    /// Starts a round: the general hazards are made anew. `horizon` in ticks.
    pub fn begin_round(&mut self, horizon: f32) {
        self.horizon = horizon;
        let mut reuses = [[0.0f32; SPAN]; FREQUENCIES + 1];
        let mut exits = [[0.0f32; SPAN]; FREQUENCIES + 1];
        for class in &self.classes {
            for bucket in [class.frequency as usize, FREQUENCIES] {
                for column in 0..SPAN {
                    reuses[bucket][column] += class.reuses[column];
                    exits[bucket][column] += class.censored[column] + class.pending[column];
                }
            }
        }
        let tiny = [1e-4; SPAN];
        let all = hazards(&reuses[FREQUENCIES], &exits[FREQUENCIES], &tiny, 1.0);
        for frequency in 0..FREQUENCIES {
            self.parents[frequency] =
                hazards(&reuses[frequency], &exits[frequency], &all, PRIOR / 2.0);
        }
        self.next = 0;
    }

    /// Computes the answers of the next class that has news. Whether the round is complete.
    pub fn step(&mut self) -> bool {
        while let Some(class) = self.classes.get_mut(self.next) {
            let at = self.next;
            self.next += 1;
            if class.news < class.weight * NEWS {
                continue;
            }
            class.weight += if class.news.is_finite() { class.news } else { 0.0 };
            class.news = 0.0;
            let mut exits = class.censored;
            for (exit, pending) in exits.iter_mut().zip(&class.pending) {
                *exit += pending;
            }
            let parent = &self.parents[class.frequency as usize];
            let hazards = hazards(&class.reuses, &exits, parent, PRIOR);
            self.answer(at, &hazards);
            break;
        }
        let complete = self.next >= self.classes.len();
        if complete {
            self.rounds += 1;
        }
        complete
    }

    /// Fades all counts and drops what was pending: once per completed round.
    pub fn fade(&mut self, factor: f32) {
        for class in &mut self.classes {
            class.reuses.iter_mut().for_each(|count| *count *= factor);
            class.censored.iter_mut().for_each(|count| *count *= factor);
            class.pending = [0.0; SPAN];
            class.weight *= factor;
        }
    }

    fn answer(&mut self, class: usize, hazards: &Curve) {
        // Survival and its integral at the edges of the columns.
        let (mut survival, mut integral) = ([1.0f32; SPAN + 1], [0.0f32; SPAN + 1]);
        for column in 0..SPAN {
            survival[column + 1] = survival[column] * (1.0 - hazards[column]);
            let mean = (survival[column] + survival[column + 1]) / 2.0;
            integral[column + 1] = integral[column] + self.widths[column] * mean;
        }
        self.density[class] = density(&survival, &integral);
        self.within[class] = self.within_horizon(&survival, self.horizon);
    }

    fn within_horizon(&self, survival: &[f32; SPAN + 1], horizon: f32) -> [f32; SPAN] {
        let mut out = [0.0; SPAN];
        let mut edge = 0;
        // Age at the lower edge of column `edge`, and in the middle of `column`.
        let (mut from, mut start) = (0.0, 0.0);
        for (column, probability) in out.iter_mut().enumerate() {
            let target = start + self.widths[column] / 2.0 + horizon;
            while edge < SPAN - 1 && from + self.widths[edge] < target {
                from += self.widths[edge];
                edge += 1;
            }
            let part = ((target - from) / self.widths[edge]).clamp(0.0, 1.0);
            let then = survival[edge] * (1.0 - part) + survival[edge + 1] * part;
            let now = (survival[column] + survival[column + 1]) / 2.0;
            *probability = if now > 0.0 { 1.0 - (then / now).min(1.0) } else { 0.0 };
            start += self.widths[column];
        }
        out
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        self.keys.capacity() * size_of::<ClassId>()
            + self.classes.capacity() * size_of::<Class>()
            + (self.density.capacity() + self.within.capacity()) * size_of::<Curve>()
    }
}

fn lowest_for(objects: u64) -> u8 {
    let objects = objects.clamp(4, 1 << 30) as u32;
    // A multiple of four: reuse octaves keep their meaning when the span moves.
    (age_bucket(objects).saturating_sub(BELOW) / 4 * 4).min((AGE_BUCKETS - SPAN - 1) as u8)
}

fn shifted(counts: &[f32; SPAN], by: i32) -> [f32; SPAN] {
    let mut out = [0.0; SPAN];
    for (column, count) in counts.iter().enumerate() {
        out[(column as i32 - by).clamp(0, SPAN as i32 - 1) as usize] += count;
    }
    out
}

/// Hazards from counts, with `weight` objects of the more general `prior` mixed in.
fn hazards(
    reuses: &[f32; SPAN],
    exits: &[f32; SPAN],
    prior: &[f32; SPAN],
    weight: f32,
) -> [f32; SPAN] {
    let mut out = [0.0; SPAN];
    let mut at_risk = weight;
    for column in (0..SPAN).rev() {
        at_risk += reuses[column] + exits[column];
        let hazard = (reuses[column] + weight * prior[column]) / at_risk;
        out[column] = hazard.min(HAZARD_MAX);
    }
    out
}

/// Gittins' index at the middle of every column: the steepest chord from there to a later edge of
/// the curve (integral of S, 1 - S). The edges' upper hull is built from the right, so each
/// column looks at few of them.
fn density(survival: &[f32; SPAN + 1], integral: &[f32; SPAN + 1]) -> [f32; SPAN] {
    let mut out = [0.0; SPAN];
    let mut hull = [0usize; SPAN + 1];
    let mut depth = 0;
    let slope = |x: f32, y: f32, edge: usize| {
        (y - survival[edge]) / (integral[edge] - x).max(f32::MIN_POSITIVE)
    };
    for column in (0..SPAN).rev() {
        let edge = column + 1;
        while depth >= 2 {
            let (near, far) = (hull[depth - 1], hull[depth - 2]);
            if slope(integral[edge], survival[edge], near)
                < slope(integral[edge], survival[edge], far)
            {
                depth -= 1;
            } else {
                break;
            }
        }
        hull[depth] = edge;
        depth += 1;
        let x = (integral[column] + integral[edge]) / 2.0;
        let y = (survival[column] + survival[edge]) / 2.0;
        let mut best = slope(x, y, edge);
        for &later in hull[..depth - 1].iter().rev() {
            let steeper = slope(x, y, later);
            if steeper < best {
                break;
            }
            best = steeper;
        }
        out[column] = if y > 1e-9 { best.max(0.0) } else { 0.0 };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trained(ages: impl Iterator<Item = u32>) -> Survival {
        let mut table = Survival::new(1000, 64);
        let class = table.class_of(1, NO_REUSE, 0);
        ages.for_each(|age| table.reused(class, age));
        table.begin_round(1000.0);
        while !table.step() {}
        table
    }

    #[test]
    fn a_loop_prefers_the_object_that_has_waited_longest() {
        let mut table = trained((0..5000).map(|_| 4000));
        let class = table.class_of(1, NO_REUSE, 0);
        assert!(table.density(class, 3000) > 2.0 * table.density(class, 1000));
    }

    #[test]
    fn falling_hazards_prefer_the_recent() {
        let mut table = trained((0..5000u32).map(|i| 1 + i % 100 * (i % 100)));
        let class = table.class_of(1, NO_REUSE, 0);
        assert!(table.density(class, 100) > table.density(class, 5000));
    }

    #[test]
    fn the_hull_finds_the_steepest_chord() {
        let mut hazards = [0.01f32; SPAN];
        for (column, hazard) in hazards.iter_mut().enumerate() {
            *hazard = 0.5 * (column as f32 * 0.7).sin().abs();
        }
        let table = Survival::new(1000, 64);
        let (mut survival, mut integral) = ([1.0f32; SPAN + 1], [0.0f32; SPAN + 1]);
        for column in 0..SPAN {
            survival[column + 1] = survival[column] * (1.0 - hazards[column]);
            integral[column + 1] = integral[column]
                + table.widths[column] * (survival[column] + survival[column + 1]) / 2.0;
        }
        let fast = density(&survival, &integral);
        for column in 0..SPAN {
            let x = (integral[column] + integral[column + 1]) / 2.0;
            let y = (survival[column] + survival[column + 1]) / 2.0;
            let chord = |e: usize| (y - survival[e]) / (integral[e] - x).max(f32::MIN_POSITIVE);
            let best = (column + 1..=SPAN).map(chord).fold(0.0, f32::max);
            assert!(
                (fast[column] - best).abs() <= 1e-4 * best,
                "{column}: {} {best}",
                fast[column]
            );
        }
    }

    #[test]
    fn the_reuse_probability_grows_with_the_horizon() {
        let mut table = trained((0..5000u32).map(|i| 1 + i % 3000));
        let class = table.class_of(1, NO_REUSE, 0);
        let mut at = |horizon| {
            table.reused(class, 3);
            table.classes.iter_mut().for_each(|class| class.news = f32::INFINITY);
            table.begin_round(horizon);
            while !table.step() {}
            table.within(class, 10)
        };
        assert!(at(100.0) < at(2000.0));
    }
}
