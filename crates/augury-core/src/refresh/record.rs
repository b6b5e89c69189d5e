//! What the planner remembers of a key, while its entry is resident and for a while after.

use super::arrivals::Arrivals;
use super::evidence::Signs;
use crate::clock::Millis;
use crate::slots::{NIL, SlotId};

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Phase {
    /// Not resident, or resident past its deadline and let go.
    #[default]
    Gone,
    /// Resident; the wheel wakes the record when it is to be decided.
    Fresh,
    /// Past its deadline and kept for a reload; the wheel wakes the record for it.
    Held,
    /// A reload was asked for and has not been answered.
    Loading,
}

/// A decision whose outcome is awaited: made or not, it is learned from.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Watch {
    /// When the reload came, or would have come.
    pub(super) opens: Millis,
    /// What was expected of it.
    pub(super) worth: f32,
    pub(super) signs: Signs,
    /// Whether the reload was made, or is being made.
    pub(super) made: bool,
    /// What it was worth, once that is known.
    pub(super) outcome: Option<f32>,
}

/// See the module's head.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    pub(super) arrivals: Arrivals,
    /// Hits before this time change nothing.
    pub(super) quiet_until: Millis,
    pub(super) deadline: Millis,
    /// The deadline there would be without refresh.
    pub(super) baseline: Millis,
    pub(super) ttl: Millis,
    pub(super) watch: Option<Watch>,
    pub(super) slot: SlotId,
    pub(super) phase: Phase,
}

const _: () = assert!(size_of::<Record>() == 128);

impl Default for Record {
    fn default() -> Self {
        Record {
            arrivals: Arrivals::default(),
            quiet_until: 0,
            deadline: 0,
            baseline: 0,
            ttl: 0,
            watch: None,
            slot: NIL,
            phase: Phase::Gone,
        }
    }
}
