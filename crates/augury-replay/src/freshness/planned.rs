//! The engine's planner on a trace: told of every load, hit and removal, asked once a second.

use augury_core::refresh::{Due, Planner};

use super::{Kind, Outcome, STRIDE, Step, Timeline};
use crate::replay::ReplayError;

/// Milliseconds between two questions.
const EVERY: u64 = 1_000;

#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    deadline: u64,
    ttl: u64,
    was_loaded: bool,
    /// Until when an expired entry is kept for its reload.
    held_until: u64,
}

struct Replayed<'a> {
    timeline: &'a Timeline,
    entries: Vec<Entry>,
    planner: Planner,
    due: Vec<Due>,
    outcome: Outcome,
}

/// See the module's head. An object's slot is its number.
pub(super) fn run(
    timeline: &Timeline,
    budget: f64,
    progress: &mut dyn FnMut(u64) -> bool,
) -> Result<Outcome, ReplayError> {
    let objects = timeline.hashes.len();
    let mut replayed = Replayed {
        timeline,
        entries: vec![Entry::default(); objects],
        planner: Planner::new(budget, objects as u32),
        due: Vec::new(),
        outcome: Outcome::default(),
    };
    let mut clock = timeline.steps.first().map_or(0, |step| step.now);
    for (at, step) in timeline.steps.iter().enumerate() {
        if at % STRIDE == 0 && !progress(at as u64) {
            return Err(ReplayError::Stopped);
        }
        while clock <= step.now {
            replayed.reload(clock);
            clock += EVERY;
        }
        replayed.step(step);
    }
    progress(timeline.steps.len() as u64);
    Ok(replayed.outcome)
}

impl Replayed<'_> {
    fn reload(&mut self, now: u64) {
        self.planner.due(now, &mut self.due);
        for due in self.due.drain(..) {
            match due {
                Due::Reload(slot) => {
                    let entry = &mut self.entries[slot as usize];
                    entry.deadline = now + entry.ttl;
                    self.outcome.refreshes += 1;
                    self.planner.refreshed(slot, now, entry.ttl);
                }
                Due::Hold(slot, until) => self.entries[slot as usize].held_until = until,
            }
        }
    }

    fn step(&mut self, step: &Step) {
        let (slot, now) = (step.object, step.now);
        let entry = &mut self.entries[slot as usize];
        let is_fresh = now < entry.deadline;
        if !is_fresh && now > entry.held_until {
            self.planner.removed(slot, now);
        }
        match step.kind {
            Kind::Delete => {
                *entry = Entry::default();
                self.planner.removed(slot, now);
                return;
            }
            Kind::Read if is_fresh => {
                self.outcome.reads += 1;
                self.planner.hit(slot, now);
                return;
            }
            Kind::Read => {
                self.outcome.reads += 1;
                self.outcome.compulsory += u64::from(!entry.was_loaded);
                self.outcome.expired += u64::from(entry.was_loaded);
            }
            Kind::Write => {}
        }
        *entry = Entry { deadline: now + step.ttl, ttl: step.ttl, was_loaded: true, held_until: 0 };
        let hash = self.timeline.hashes[slot as usize];
        self.planner.loaded(slot, hash, now, step.ttl, 0);
    }
}
