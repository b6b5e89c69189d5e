//! The verdict on predictability, in words.

use serde::Serialize;

use super::predictability::HorizonSkill;

/// How much there is to learn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Verdict {
    /// Age and reuse time tell nothing that frequency does not.
    #[serde(rename = "nothing to learn")]
    Nothing,
    /// They tell something, hardly worth having.
    #[serde(rename = "little")]
    Little,
    /// They tell enough to gain from.
    #[serde(rename = "some")]
    Some,
    /// They tell much of what there is to know.
    #[serde(rename = "much")]
    Much,
}

impl Verdict {
    /// The verdict's name.
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Nothing => "nothing to learn",
            Verdict::Little => "little",
            Verdict::Some => "some",
            Verdict::Much => "much",
        }
    }

    fn of_skill(skill: f64) -> Verdict {
        match skill {
            _ if skill < 0.005 => Verdict::Nothing,
            _ if skill < 0.04 => Verdict::Little,
            _ if skill < 0.15 => Verdict::Some,
            _ => Verdict::Much,
        }
    }
}

/// Whether a trace can be learned from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Predictability {
    /// The verdict, by `skill`.
    pub verdict: Verdict,
    /// 1 - survival / memoryless loss, pooled over the horizons that matter for this trace.
    pub skill: f64,
    /// Mean log loss of the memoryless estimate over those horizons, in bits per decision.
    pub memoryless_bits: f64,
    /// Mean log loss of the survival estimate over those horizons, in bits per decision.
    pub survival_bits: f64,
    /// Every horizon with enough decisions, also those that are not pooled.
    pub horizons: Vec<HorizonSkill>,
}

impl Predictability {
    /// Pools the horizons from n/1024 to n/8; `None` where the trace is too short to tell.
    pub(crate) fn of(requests: u64, horizons: Vec<HorizonSkill>) -> Option<Self> {
        let matters =
            |one: &&HorizonSkill| one.horizon >= requests / 1024 && one.horizon <= requests / 8;
        let pooled: Vec<&HorizonSkill> = horizons.iter().filter(matters).collect();
        if pooled.is_empty() {
            return None;
        }
        let mean = |bits: fn(&HorizonSkill) -> f64| {
            pooled.iter().map(|one| bits(one)).sum::<f64>() / pooled.len() as f64
        };
        let memoryless_bits = mean(|one| one.memoryless_bits);
        let survival_bits = mean(|one| one.survival_bits);
        let skill = 1.0 - survival_bits / memoryless_bits;
        let verdict = Verdict::of_skill(skill);
        Some(Predictability { verdict, skill, memoryless_bits, survival_bits, horizons })
    }
}
