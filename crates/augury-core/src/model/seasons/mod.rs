//! Seasons: namespaces whose traffic returns by the hour of the day or of the week.
//!
//! Histories tell how often an object was asked for and how long ago; not that its hours are over,
//! or about to begin. What a namespace's requests did at this time of the day before tells it for
//! all its objects. Shares of the traffic are counted by half hours ([`rhythm`]); where they proved
//! to foretell what came, each object's rate is its share of its namespace times what the namespace
//! is expected to ask for, and the worth of keeping it an [`outlook`] over the coming day. Where no
//! namespace has a rhythm nothing is changed: rankings are given no seasons at all.
//!
//! Work per request: one count; while an outlook is being renewed, eight times a slot, that of one
//! namespace; at the end of a slot a walk over the namespaces, at most 1,025. Memory: about a
//! kilobyte for a namespace. Time is the caller's, in seconds; the engine's clock is not asked.

mod outlook;
mod rhythm;
#[cfg(test)]
mod tests;

use rustc_hash::FxHashMap;

use crate::history::History;
use crate::request::Access;
use rhythm::Rhythm;

/// Namespaces tracked; the rest share one.
pub const NAMESPACES: usize = 1_024;
const _: () = assert!(NAMESPACES < crate::history::NAMESPACES_MAX);

/// Seconds of a slot.
const SECONDS: u32 = 1_800;
/// Slots of a day, hours of a week.
const DAY: usize = 48;
const HOURS: usize = 168;
/// Parts of a slot after which outlooks are renewed.
const PARTS: u32 = 8;
/// Requests of a slot below which nothing is learned from it.
const FEW: u32 = 64;

/// A slot that is over or has begun.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    /// Its number among the slots of a day, the hours of a week, the half hours of a week.
    of_day: usize,
    of_week: usize,
    half: usize,
    /// Requests in it so far.
    ticks: f32,
    /// Share of it that has passed.
    passed: f32,
    /// Whole days and weeks before it, and slots seen up to it.
    days: u32,
    weeks: u32,
    seen: f32,
    /// Weight of this half hour in its hour's first mean.
    first_share: f32,
}

/// What is to be expected of an object.
#[derive(Debug, Clone, Copy)]
pub struct Expectation {
    /// Accesses per tick at its namespace's typical hours.
    pub rate: f32,
    /// How much more or less it is worth than that rate would be: 1 where there is no rhythm.
    pub factor: f32,
    /// Whether it was last asked for before its namespace's present hours: how long that is ago
    /// tells nothing then.
    pub is_stale: bool,
}

/// See the module's head.
#[derive(Debug)]
pub struct Seasons {
    places: FxHashMap<u16, u16>,
    /// The first is shared by those that have no place.
    namespaces: Vec<Rhythm>,
    most: usize,
    /// Mean number of requests by slot of the day.
    traffic: [f32; DAY],
    /// The open slot, by its number since time 0, and the first there was.
    slot: u32,
    first: u32,
    requests: u32,
    /// Second at which something is to be done.
    due: u32,
    /// Namespaces whose outlook is still to be renewed.
    waiting: usize,
    /// Share of the open slot that has passed.
    passed: f32,
    /// Namespaces that have a rhythm.
    seasonal: usize,
    /// Whether outlooks have been made since there are any.
    is_on: bool,
    /// Whether rhythms are looked for at all.
    is_enabled: bool,
}

impl Seasons {
    /// Of at most so many namespaces, besides the one that the rest share.
    pub fn new(namespaces: usize) -> Self {
        Seasons {
            places: FxHashMap::default(),
            namespaces: Vec::new(),
            most: namespaces.min(NAMESPACES),
            traffic: [0.0; DAY],
            slot: 0,
            first: 0,
            requests: 0,
            due: 0,
            waiting: 0,
            passed: 0.0,
            seasonal: 0,
            is_on: false,
            is_enabled: true,
        }
    }

    /// Whether rhythms are looked for at all.
    pub fn is_enabled(&self) -> bool {
        self.is_enabled
    }

    /// Looks for rhythms, as from the start, or does not: for ablations.
    pub fn enable(&mut self, is_enabled: bool) {
        self.is_enabled = is_enabled;
        self.is_on &= is_enabled;
    }

    /// Whether any namespace has a rhythm.
    #[inline]
    pub fn is_on(&self) -> bool {
        self.is_on
    }

    /// Makes a place for this namespace, if there is one left.
    #[inline]
    pub fn reserve(&mut self, access: &Access) {
        if access.time == 0 {
            return;
        }
        if self.namespaces.is_empty() {
            // What the rest share. A cache that is told no times needs none.
            self.namespaces.reserve_exact(1);
            self.namespaces.push(Rhythm::new());
        }
        if access.namespace != 0 && self.namespaces.len() <= self.most {
            self.add(access.namespace);
        }
    }

    fn add(&mut self, namespace: u16) {
        let next = self.namespaces.len() as u16;
        if *self.places.entry(namespace).or_insert(next) == next {
            self.namespaces.push(Rhythm::new());
        }
    }

    /// A request. Returns its namespace's place. Asks for no memory.
    #[inline]
    pub fn observe(&mut self, access: &Access, cooling: f32) -> u16 {
        if access.time == 0 || !self.is_enabled || self.namespaces.is_empty() {
            return 0;
        }
        if access.time >= self.due {
            self.turn(access.time, cooling);
        }
        if self.waiting > 0 {
            self.look_ahead(cooling, access.now);
        }
        let place = match access.namespace {
            0 => 0,
            namespace => self.places.get(&namespace).copied().unwrap_or(0),
        };
        self.namespaces[usize::from(place)].requests += 1;
        self.requests += 1;
        place
    }

    /// The typical rate of an object of this heat, and by how much more or less it is worth than
    /// that: 1 where its namespace has no rhythm.
    #[inline]
    pub fn expect(&self, history: &History, heat: f32) -> Expectation {
        let place = usize::from(history.namespace()).min(self.namespaces.len() - 1);
        let rhythm = &self.namespaces[place];
        let rate = heat * rhythm.scale;
        let is_stale = (history.last.wrapping_sub(rhythm.since) as i32) < 0;
        Expectation { rate, factor: rhythm.outlook.factor(rate), is_stale }
    }

    #[cold]
    fn turn(&mut self, time: u32, cooling: f32) {
        let slot = time / SECONDS;
        if self.due == 0 {
            (self.slot, self.first) = (slot, slot);
        }
        if slot > self.slot {
            self.close(cooling);
            self.slot = slot;
        }
        self.passed = (time % SECONDS) as f32 / SECONDS as f32;
        let part = SECONDS / PARTS;
        self.due = (time / part + 1).saturating_mul(part);
        self.waiting = if self.seasonal > 0 { self.namespaces.len() } else { 0 };
        self.is_on &= self.seasonal > 0;
    }

    /// The open slot is over. Empty ones after it tell nothing.
    fn close(&mut self, cooling: f32) {
        let slot = self.open_slot();
        if (self.requests as usize) < self.namespaces.len().max(FEW as usize) {
            self.namespaces.iter_mut().for_each(|rhythm| rhythm.skip(slot.ticks, cooling));
        } else {
            self.namespaces.iter_mut().for_each(|rhythm| rhythm.close(&slot, cooling));
            let mean = &mut self.traffic[slot.of_day];
            *mean += (slot.ticks - *mean) * if *mean == 0.0 { 1.0 } else { 0.5 };
        }
        self.seasonal = self.namespaces.iter().filter(|rhythm| rhythm.is_seasonal()).count();
        self.requests = 0;
    }

    fn open_slot(&self) -> Slot {
        let number = self.slot as usize;
        let age = self.slot - self.first;
        let of_day = number % DAY;
        // A slot of the day that was never seen foretells nothing.
        let days = if self.traffic[of_day] > 0.0 { age / DAY as u32 } else { 0 };
        Slot {
            of_day,
            of_week: number / 2 % HOURS,
            half: number % (2 * HOURS),
            ticks: self.requests as f32,
            passed: self.passed,
            days,
            weeks: if days > 0 { age / (2 * HOURS) as u32 } else { 0 },
            seen: age as f32 + 1.0,
            first_share: if number.is_multiple_of(2) || age == 0 { 1.0 } else { 0.5 },
        }
    }

    fn look_ahead(&mut self, cooling: f32, now: u64) {
        self.waiting -= 1;
        let slot = self.open_slot();
        self.namespaces[self.waiting].look_ahead(&slot, &self.traffic, cooling, now);
        self.is_on |= self.waiting == 0;
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        self.namespaces.capacity() * size_of::<Rhythm>()
            + self.places.capacity() * size_of::<(u16, u16)>()
    }
}
