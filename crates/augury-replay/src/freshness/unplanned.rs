//! Contenders that look at one object at a time: what happened between two requests for an object
//! is made up for at the second of them, and at the end of the trace.

use augury_core::random::Random;
use augury_core::refresh::early::is_early;

use super::{Contender, Kind, LOAD_PART, Outcome, STRIDE, Timeline};
use crate::replay::ReplayError;

/// Of XFetch's draws.
const SEED: u64 = 1;

#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    latest: u64,
    deadline: u64,
    ttl: u64,
    is_loaded: bool,
}

impl Entry {
    /// Reloads until `now` those deadlines at which `is_wanted` says so, and returns how many.
    fn renew(&mut self, now: u64, mut is_wanted: impl FnMut(&Entry) -> bool) -> u64 {
        let mut reloads = 0;
        while self.is_loaded && self.deadline <= now && is_wanted(self) {
            self.deadline += self.ttl;
            reloads += 1;
        }
        reloads
    }
}

/// See the module's head.
pub(super) fn run(
    timeline: &Timeline,
    contender: Contender,
    progress: &mut dyn FnMut(u64) -> bool,
) -> Result<Outcome, ReplayError> {
    let mut entries = vec![Entry::default(); timeline.hashes.len()];
    let mut outcome = Outcome::default();
    let mut random = Random::new(SEED);
    for (at, step) in timeline.steps.iter().enumerate() {
        if at % STRIDE == 0 && !progress(at as u64) {
            return Err(ReplayError::Stopped);
        }
        let entry = &mut entries[step.object as usize];
        let (object, next) = (step.object as usize, Some(step.now));
        outcome.refreshes +=
            entry.renew(step.now, |entry| is_wanted(timeline, contender, object, entry, next));
        let is_fresh = entry.is_loaded && step.now < entry.deadline;
        match step.kind {
            Kind::Delete => entry.is_loaded = false,
            Kind::Write => (entry.deadline, entry.is_loaded) = (step.now + step.ttl, true),
            Kind::Read => {
                outcome.reads += 1;
                if !is_fresh {
                    outcome.compulsory += u64::from(!entry.is_loaded);
                    outcome.expired += u64::from(entry.is_loaded);
                    (entry.deadline, entry.is_loaded) = (step.now + step.ttl, true);
                } else if let Contender::XFetch { beta } = contender
                    && is_early(
                        step.now,
                        entry.deadline,
                        step.ttl / LOAD_PART,
                        beta,
                        (f64::from(random.next_u32()) + 0.5) / 4_294_967_296.0,
                    )
                {
                    outcome.refreshes += 1;
                    entry.deadline = step.now + step.ttl;
                }
            }
        }
        (entry.latest, entry.ttl) = (step.now, step.ttl);
    }
    for (object, entry) in entries.iter_mut().enumerate() {
        outcome.refreshes += entry
            .renew(timeline.end(), |entry| is_wanted(timeline, contender, object, entry, None));
    }
    progress(timeline.steps.len() as u64);
    Ok(outcome)
}

/// Whether the contender reloads this entry at its deadline; `next` is the object's next request.
fn is_wanted(
    timeline: &Timeline,
    contender: Contender,
    object: usize,
    entry: &Entry,
    next: Option<u64>,
) -> bool {
    let ttl = entry.ttl as f64;
    match contender {
        Contender::MostRecent { within } => (entry.deadline - entry.latest) as f64 <= within * ttl,
        Contender::Rates { least } => {
            timeline.reads[object] as f64 * ttl >= least * timeline.span().max(1) as f64
        }
        Contender::Clairvoyant { within } => {
            next.is_some_and(|next| ((next - entry.deadline) as f64) < within.min(1.0) * ttl)
        }
        Contender::Nothing | Contender::XFetch { .. } | Contender::Planned { .. } => false,
    }
}
