//! One namespace: its share of the traffic by slot of the day and of the week, and whether that
//! tells what comes.
//!
//! Every slot's count is predicted before it is known, by four rules: the mean share, the share of
//! the slot before, the same slot of the days before, the same hour of the weeks before. Errors are
//! of square roots of counts, whose variance is 1/4 for independent requests whatever their number
//! (Anscombe, Biometrika 1948). A rhythm is believed where it halves the error of both rules that
//! know none, by more than chance: a namespace that was busy once, or dies, or grows is predicted
//! as well by the slot before.

use super::outlook::Outlook;
use super::{DAY, HOURS, Slot};

/// Shares of the errors that are kept from slot to slot: a day's memory, and a week's.
const FADE: f32 = 1.0 - 1.0 / DAY as f32;
const FADE_WEEK: f32 = 1.0 - 1.0 / (2 * HOURS) as f32;
/// Errors of a rhythm over those of the rules without, at most; and what it spares, at least.
const RATIO: f32 = 0.5;
const SPARED: f32 = 16.0;
/// Weight of the latest day in the mean of the days, at least; of a week's half hour.
const LATEST: f32 = 0.3;
const LATEST_WEEK: f32 = 0.25;
/// Share of the typical rate from which on a slot is one of its hours.
const BUSY: f32 = 0.25;
/// Requests' worth of belief in the mean share.
const PRIOR: f32 = 2.0;

/// The rules that predict a slot.
#[derive(Debug, Clone, Copy, Default)]
struct Errors {
    mean: f32,
    before: f32,
    day: f32,
    week: f32,
    /// Of the days and the weeks again, with a week's memory: which of them is right on which day
    /// shows in no less.
    long: [f32; 2],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Period {
    Day,
    Week,
}

/// See the module's head.
#[derive(Debug, Clone)]
pub(super) struct Rhythm {
    /// Requests in the slot that is open.
    pub(super) requests: u32,
    /// Decayed count of the requests before it, as of its beginning.
    heat: f32,
    day: [f32; DAY],
    week: [f32; HOURS],
    mean: f32,
    before: f32,
    errors: Errors,
    period: Option<Period>,
    /// From an object's heat to its typical rate.
    pub(super) scale: f32,
    pub(super) outlook: Outlook,
    /// Tick at which its present hours began; now, where these are not its hours.
    pub(super) since: u32,
}

impl Rhythm {
    pub(super) fn new() -> Self {
        Rhythm {
            requests: 0,
            heat: 0.0,
            day: [0.0; DAY],
            week: [0.0; HOURS],
            mean: 0.0,
            before: 0.0,
            errors: Errors::default(),
            period: None,
            scale: 0.0,
            outlook: Outlook::FLAT,
            since: 0,
        }
    }

    pub(super) fn is_seasonal(&self) -> bool {
        self.period.is_some()
    }

    /// The slot is over.
    pub(super) fn close(&mut self, slot: &Slot, cooling: f32) {
        let count = std::mem::take(&mut self.requests) as f32;
        self.heat = cooled(self.heat, count, slot.ticks, cooling);
        let share = count / slot.ticks;
        let (day, week) = (self.day[slot.of_day], self.week[slot.of_week]);
        if slot.days > 0 {
            let error = |predicted: f32| {
                let off = count.sqrt() - (slot.ticks * predicted).sqrt();
                off * off
            };
            let errors = &mut self.errors;
            errors.mean = errors.mean * FADE + error(self.mean);
            errors.before = errors.before * FADE + error(self.before);
            let both = [error(day), error(if slot.weeks > 0 { week } else { day })];
            errors.day = errors.day * FADE + both[0];
            errors.week = errors.week * FADE + both[1];
            for (long, error) in errors.long.iter_mut().zip(both) {
                *long = *long * FADE_WEEK + error;
            }
            self.period = errors.verdict(slot.weeks > 1);
        }
        let days = slot.days as f32 + 1.0;
        self.day[slot.of_day] += (share - day) * (1.0 / days).max(LATEST);
        let latest = if slot.weeks > 0 { LATEST_WEEK } else { slot.first_share };
        self.week[slot.of_week] += (share - week) * latest;
        self.mean += (share - self.mean) * (1.0 / slot.seen).max(1.0 / DAY as f32);
        self.before = share;
    }

    /// Nothing can be learned from a slot of so few requests.
    pub(super) fn skip(&mut self, ticks: f32, cooling: f32) {
        let count = std::mem::take(&mut self.requests) as f32;
        self.heat = cooled(self.heat, count, ticks, cooling);
    }

    /// Looks a day ahead from a place within the open slot. `traffic` are the ticks of the slots
    /// of a day.
    pub(super) fn look_ahead(&mut self, slot: &Slot, traffic: &[f32; DAY], cooling: f32, now: u64) {
        let heat = cooled(self.heat, self.requests as f32, slot.ticks, cooling);
        let Some(period) = self.period else {
            self.outlook = Outlook::FLAT;
            self.since = (now as u32).wrapping_sub(u32::MAX / 2);
            // A decayed count over its sum for one request per tick, of the ticks there were.
            let whole = 1.0 - (-(now as f32) * cooling).exp2();
            self.scale = cooling * std::f32::consts::LN_2 / whole.max(1e-3);
            return;
        };
        let share = |ahead: usize| {
            let at = (slot.of_day + ahead) % DAY;
            let ticks = traffic[at];
            let found = match period {
                Period::Day => self.day[at],
                Period::Week => self.week[(slot.half + ahead) / 2 % HOURS],
            };
            let share = (found * ticks + PRIOR) / (ticks + PRIOR / self.mean.max(1e-9));
            (share, ticks)
        };
        // The share of the traffic at a typical request of the namespace, over its whole period.
        let whole = if period == Period::Week { 2 * HOURS } else { DAY };
        let (once, twice) =
            (0..whole).map(share).fold((0.0, 0.0), |(once, twice), (share, ticks)| {
                (once + share * ticks, twice + share * share * ticks)
            });
        let typical = twice / f32::max(once, 1e-9);
        let mut steps = [(0.0, 0.0); DAY + 1];
        for (ahead, step) in steps.iter_mut().enumerate() {
            let (share, ticks) = share(ahead);
            let part = match ahead {
                0 => 1.0 - slot.passed,
                DAY => slot.passed,
                _ => 1.0,
            };
            *step = (share, ticks * part);
        }
        steps.iter_mut().for_each(|step| step.0 /= typical);
        let busy = |step: &&(f32, f32)| step.0 >= BUSY;
        let (open, before) = (steps[0], &steps[1..DAY]);
        // The past day as the one to come: backwards from the slot before this one.
        let earlier = before.iter().rev().take_while(busy).map(|step| step.1).sum::<f32>();
        let lasted = if open.0 >= BUSY { slot.ticks + earlier } else { 0.0 };
        self.since = (now as u32).wrapping_sub(lasted as u32);
        self.outlook = Outlook::of(&steps);
        self.scale = typical / heat.max(1.0);
    }
}

impl Errors {
    fn verdict(self, knows_weeks: bool) -> Option<Period> {
        let (least, period) = if knows_weeks && self.long[1] < RATIO * self.long[0] {
            (self.week, Period::Week)
        } else {
            (self.day, Period::Day)
        };
        let without = self.mean.min(self.before);
        (least < RATIO * without && without - least > SPARED).then_some(period)
    }
}

/// A decayed count after a stretch in which so many were added evenly.
fn cooled(heat: f32, added: f32, ticks: f32, cooling: f32) -> f32 {
    heat * (-ticks * cooling).exp2() + added * (-ticks * cooling / 2.0).exp2()
}
