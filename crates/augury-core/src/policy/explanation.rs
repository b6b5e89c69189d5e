//! Why an object is, or is not, in the cache: everything that the policy knows of it.

use super::journal::Decision;
use super::sampled::Expert;
use crate::history::History;

/// What the experts make of one object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Opinion {
    /// Who.
    pub expert: Expert,
    /// Whether it runs in a shadow at present.
    pub is_live: bool,
    /// Hits of its shadow lately, as a share of the best's.
    pub standing: f32,
    /// Whether its shadow holds the object; none where the object is not in the sampled traffic.
    pub holds: Option<bool>,
}

/// A resident's place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// What is known of it.
    pub history: History,
    /// Its size.
    pub size: u32,
    /// What the ruling ranking makes of it.
    pub score: f32,
    /// Reuses to be expected per request of residence, by the survival table.
    pub density: f32,
    /// What the trained model says, where one is loaded.
    pub prediction: Option<f64>,
    /// Residents compared with, and those of them that rank below.
    pub compared: u32,
    /// See `compared`.
    pub below: u32,
}

/// See the module's head.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The present tick.
    pub now: u64,
    /// Who rules.
    pub ruling: Expert,
    /// Its place among the residents, where it is one.
    pub standing: Option<Standing>,
    /// What a ghost remembers of it, where it has left.
    pub ghost: Option<History>,
    /// The experts.
    pub opinions: Vec<Opinion>,
    /// Decisions about it, the latest first.
    pub decisions: Vec<Decision>,
    /// Decisions before this tick are no longer recorded; none where no decision was made yet.
    pub recorded_since: Option<u64>,
}
