//! The verdict on predictability, in words.
//!
//! Where the lines are drawn, and why. Skills of the independent workloads, where there is nothing
//! to learn by construction, lie within 0.0002 of 0 (zipf, sizes, ttl, one-hit, from 100,000
//! requests to a million). Skills of the shared traces and of the synthetic workloads:
//!
//! - below 0.005: kosarak_part 0.000, lirs_2_pools -0.001, cache2k_web12 0.001, yoochoose_100k
//!   0.002, sessions_diginetica 0.003: clicks and pages whose counts say it all;
//! - 0.005 to 0.04: adaptsize_cdn 0.011, zipf-drift 0.012, twitter_cluster52 0.015, arc_oltp 0.030,
//!   scan 0.037;
//! - 0.04 to 0.15: mooncake_conversation 0.05, lirs_cpp 0.05, arc_p12 0.07, arc_p3 0.07,
//!   cloudphysics_io 0.09, web 0.10, daily 0.13;
//! - above 0.15: lirs_multi3 0.16, cloudphysics_w106 0.19, lirs_multi1 0.21, sessions 0.23, lirs_ps
//!   0.40, lirs_gli 0.41, corda_vault 0.61, loop 0.86, lirs_scan 0.86, lirs_loop 0.93.
//!
//! 0.005 is far above the noise; 0.04 and 0.15 separate groups of this list and mean little by
//! themselves. A low verdict does not say that a cache cannot beat LRU there: counting requests is
//! learning too, but simple policies do it as well. It does not speak of order (what follows what)
//! either, which is the business of prefetching.

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

    /// What the verdict means for the choice of a policy, in one sentence.
    pub const fn meaning(self) -> &'static str {
        match self {
            Verdict::Nothing => {
                "how often an object was requested says all; a policy that counts is as good"
            }
            Verdict::Little => {
                "ages and reuse times add little to how often an object was requested"
            }
            Verdict::Some => "ages and reuse times foretell reuse better than counting alone",
            Verdict::Much => "ages and reuse times foretell reuse far better than counting alone",
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
    /// 1 - survival / memoryless loss, pooled over the horizons.
    pub skill: f64,
    /// Mean log loss of the memoryless estimate over those horizons, in bits per decision.
    pub memoryless_bits: f64,
    /// Mean log loss of the survival estimate over those horizons, in bits per decision.
    pub survival_bits: f64,
    /// The horizons pooled.
    pub horizons: Vec<HorizonSkill>,
}

impl Predictability {
    /// Pools the horizons; `None` where the trace is too short to tell.
    pub(crate) fn of(horizons: Vec<HorizonSkill>) -> Option<Self> {
        let count = horizons.len() as f64;
        let mean = |bits: fn(&HorizonSkill) -> f64| horizons.iter().map(bits).sum::<f64>() / count;
        if horizons.is_empty() {
            return None;
        }
        let memoryless_bits = mean(|one| one.memoryless_bits);
        let survival_bits = mean(|one| one.survival_bits);
        let skill = 1.0 - survival_bits / memoryless_bits;
        let verdict = Verdict::of_skill(skill);
        Some(Predictability { verdict, skill, memoryless_bits, survival_bits, horizons })
    }
}
