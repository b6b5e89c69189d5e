//! Policies by name: the one place where a name becomes a type.

use std::fmt;
use std::str::FromStr;

use augury_core::guard::{Auto, Guard};
use augury_core::policy::Policy;
use augury_core::policy::eviction::belady::Belady;
use augury_core::policy::eviction::belady_size::BeladySize;
use augury_core::policy::eviction::fifo::Fifo;
use augury_core::policy::eviction::gdsf::Gdsf;
use augury_core::policy::eviction::hyperbolic::Hyperbolic;
use augury_core::policy::eviction::lfu::Lfu;
use augury_core::policy::eviction::lru::Lru;
use augury_core::policy::eviction::s3fifo::S3Fifo;
use augury_core::policy::eviction::sieve::Sieve;
use augury_core::policy::eviction::wtinylfu::{Config as WTinyLfuConfig, WTinyLfu};
use augury_core::policy::ranking::RankingId;
use augury_core::policy::sampled::{Expert, Fixed, Sampled};

use super::error::ReplayError;

/// The policies that a replay knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum PolicyName {
    Auto,
    Lru,
    Fifo,
    Lfu,
    Sieve,
    S3Fifo,
    WTinyLfu,
    Gdsf,
    Hyperbolic,
    Survival,
    Belady,
    BeladySize,
    BeladyBypass,
    /// `auto` without seasons: what benchmarks measure them against. Not among those to choose
    /// from.
    AutoUnseasonal,
    /// A trained model by itself, without the guard: what evaluation shows beside `auto`. Not
    /// among those to choose from.
    ModelAlone,
}

/// The trained model, without the guard's choice; the survival table where none is loaded.
const MODEL: Expert = Expert { ranking: RankingId::Learned, admission: true };

/// What `auto` learns with, without its choice among experts.
const SURVIVAL: Expert = Expert { ranking: RankingId::Density, admission: true };

/// Something to be done with a policy of whatever type.
pub trait WithPolicy {
    /// What comes out.
    type Output;
    /// Does it.
    fn with<P: Policy>(self, policy: P) -> Self::Output;
}

/// Something to be done with a way to make policies of whatever type: a concurrent cache needs one
/// for each shard, and another after a panic.
pub trait WithMaker {
    /// What comes out.
    type Output;
    /// Does it. `make` takes a seed.
    fn with<P: Policy + Send + 'static>(
        self,
        make: impl Fn(u64) -> P + Send + Sync + 'static,
    ) -> Self::Output;
}

/// One policy is wanted.
struct One<W> {
    seed: u64,
    with: W,
}

impl<W: WithPolicy> WithMaker for One<W> {
    type Output = W::Output;

    fn with<P: Policy + Send + 'static>(
        self,
        make: impl Fn(u64) -> P + Send + Sync + 'static,
    ) -> W::Output {
        self.with.with(make(self.seed))
    }
}

impl PolicyName {
    /// All of them, in the order of presentation.
    pub const ALL: [PolicyName; 13] = [
        PolicyName::Auto,
        PolicyName::Lru,
        PolicyName::Fifo,
        PolicyName::Lfu,
        PolicyName::Sieve,
        PolicyName::S3Fifo,
        PolicyName::WTinyLfu,
        PolicyName::Gdsf,
        PolicyName::Hyperbolic,
        PolicyName::Survival,
        PolicyName::Belady,
        PolicyName::BeladySize,
        PolicyName::BeladyBypass,
    ];

    /// The name as users write it.
    pub const fn name(self) -> &'static str {
        match self {
            PolicyName::Auto => "auto",
            PolicyName::Lru => "lru",
            PolicyName::Fifo => "fifo",
            PolicyName::Lfu => "lfu",
            PolicyName::Sieve => "sieve",
            PolicyName::S3Fifo => "s3fifo",
            PolicyName::WTinyLfu => "wtinylfu",
            PolicyName::Gdsf => "gdsf",
            PolicyName::Hyperbolic => "hyperbolic",
            PolicyName::Survival => "survival",
            PolicyName::Belady => "belady",
            PolicyName::BeladySize => "beladysize",
            PolicyName::BeladyBypass => "belady-bypass",
            PolicyName::AutoUnseasonal => "auto-unseasonal",
            PolicyName::ModelAlone => "model-alone",
        }
    }

    /// Whether the policy looks into the future: a bound, not a choice.
    pub const fn is_oracle(self) -> bool {
        matches!(self, PolicyName::Belady | PolicyName::BeladySize | PolicyName::BeladyBypass)
    }

    pub(super) fn list() -> String {
        Self::ALL.map(PolicyName::name).join(", ")
    }

    /// Makes the policy and hands it over.
    pub fn build<W: WithPolicy>(self, seed: u64, with: W) -> W::Output {
        self.maker(One { seed, with })
    }

    /// Hands over how the policy is made.
    pub fn maker<W: WithMaker>(self, with: W) -> W::Output {
        match self {
            PolicyName::Auto => with.with(|seed| Auto::with_chooser(seed, Guard::default())),
            PolicyName::AutoUnseasonal => {
                with.with(|seed| Auto::with_chooser(seed, Guard::default()).without_seasons())
            }
            PolicyName::Lru => with.with(|_| Lru::default()),
            PolicyName::Fifo => with.with(|_| Fifo::default()),
            PolicyName::Lfu => with.with(|_| Lfu::default()),
            PolicyName::Sieve => with.with(|_| Sieve::default()),
            PolicyName::S3Fifo => with.with(|_| S3Fifo::default()),
            PolicyName::WTinyLfu => with.with(|_| WTinyLfu::new(WTinyLfuConfig::default())),
            PolicyName::Gdsf => with.with(|_| Gdsf::default()),
            PolicyName::Hyperbolic => with.with(Hyperbolic::new),
            PolicyName::Survival => with.with(|seed| Sampled::with_chooser(seed, Fixed(SURVIVAL))),
            PolicyName::Belady => with.with(|_| Belady::default()),
            PolicyName::BeladySize => with.with(|_| BeladySize::default()),
            PolicyName::BeladyBypass => with.with(|_| Belady::bypassing()),
            PolicyName::ModelAlone => with.with(|seed| Sampled::with_chooser(seed, Fixed(MODEL))),
        }
    }
}

impl FromStr for PolicyName {
    type Err = ReplayError;

    fn from_str(given: &str) -> Result<Self, ReplayError> {
        let wanted = given.trim();
        Self::ALL
            .into_iter()
            .chain([PolicyName::AutoUnseasonal, PolicyName::ModelAlone])
            .find(|policy| policy.name().eq_ignore_ascii_case(wanted))
            .ok_or_else(|| ReplayError::Policy { given: given.to_owned() })
    }
}

impl fmt::Display for PolicyName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for policy in PolicyName::ALL {
            assert_eq!(policy, policy.name().parse().unwrap());
        }
        let error = "lrruu".parse::<PolicyName>().unwrap_err().to_string();
        assert!(error.contains("\"lrruu\"") && error.contains("s3fifo"), "{error}");
    }
}
