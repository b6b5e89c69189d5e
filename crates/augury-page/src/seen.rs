//! What there is to show of a cache, as plain data: also what the page is as JSON.
//!
//! Whoever fills it in leaves out what the one who asks may not see. Times are in milliseconds of Unix
//! time where nothing else is said.

use serde::{Deserialize, Serialize};

/// What a part of the page shows, or why it shows nothing and what would change that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part<T> {
    /// What there is.
    Shown(T),
    /// Why there is nothing, in a sentence or two.
    Missing(String),
}

impl<T> Part<T> {
    /// What there is, if there is.
    pub fn shown(&self) -> Option<&T> {
        match self {
            Part::Shown(it) => Some(it),
            Part::Missing(_) => None,
        }
    }

    /// Why there is nothing.
    pub fn missing(why: impl Into<String>) -> Part<T> {
        Part::Missing(why.into())
    }
}

/// What the capacity is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Entries.
    Entries,
    /// Whatever the caller's own sizes are in.
    Units,
}

/// Counters, which only grow but for a reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Reads answered.
    pub hits: u64,
    /// Reads that found nothing.
    pub misses: u64,
    /// Entries added.
    pub insertions: u64,
    /// Entries removed for room.
    pub evictions: u64,
    /// Newcomers turned away.
    pub rejections: u64,
    /// Entries that left by their deadline.
    pub expired: u64,
}

impl Counts {
    /// Reads.
    pub fn requests(&self) -> u64 {
        self.hits + self.misses
    }

    /// Share of the reads answered; none before the first.
    pub fn hit_ratio(&self) -> Option<f64> {
        (self.requests() > 0).then(|| self.hits as f64 / self.requests() as f64)
    }
}

/// A policy with what it hits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shadow {
    /// The policy.
    pub name: String,
    /// Share of the reads, of late; none where it is not known yet.
    pub hit_ratio: Option<f64>,
}

/// What others would have hit of the same traffic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shadows {
    /// What the cache itself has hit of the requests that the others are judged by.
    pub own: Option<f64>,
    /// The others.
    pub others: Vec<Shadow>,
    /// How they are known, in a sentence.
    pub method: String,
}

/// One of the rankings that the policy chooses among.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Expert {
    /// Its name.
    pub name: String,
    /// Whether its shadow runs at present.
    pub live: bool,
    /// Hits of its shadow lately, as a share of the best's.
    pub standing: f64,
    /// Hits per sampled request since its shadow runs.
    pub hit_ratio: Option<f64>,
}

/// What a capacity would give.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// In the cache's unit.
    pub capacity: u64,
    /// Share of the reads that would miss, under the cache's own policy.
    pub miss_ratio: Option<f64>,
    /// And under LRU.
    pub lru_miss_ratio: Option<f64>,
}

/// A key that is asked for much.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HotKey {
    /// As [`crate::text::shown`] shows it.
    pub key: String,
    /// Where it is: the database's number, for a server.
    pub place: Option<String>,
    /// Its share of the requests, where that is known.
    pub share: Option<f64>,
    /// Requests for it per second, where that is known.
    pub per_second: Option<f64>,
    /// Requests remembered of it, older ones counted for less, where that is what is known.
    pub heat: Option<f64>,
}

/// An entry that takes much.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BigKey {
    /// As [`crate::text::shown`] shows it.
    pub key: String,
    /// Where it is.
    pub place: Option<String>,
    /// What kind of value it is.
    pub kind: String,
    /// In the cache's unit.
    pub size: u64,
}

/// Fetching ahead, and what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prefetch {
    /// Fetched ahead.
    pub issued: u64,
    /// Of those, asked for since.
    pub used: u64,
    /// Of those, neither asked for nor waiting any more.
    pub unused: u64,
    /// Of those, still waiting to be asked for.
    pub waiting: u64,
}

impl Prefetch {
    /// Share of those whose fate is known that were asked for.
    pub fn accuracy(&self) -> Option<f64> {
        let settled = self.used + self.unused;
        (settled > 0).then(|| self.used as f64 / settled as f64)
    }
}

/// Why something has left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Eviction {
    /// As [`crate::text::shown`] shows it; none where it was not noted when it left.
    pub key: Option<String>,
    /// Where it was.
    pub place: Option<String>,
    /// In the cache's unit, where it is known.
    pub size: Option<u64>,
    /// What was decided, where reasons are remembered.
    pub why: Option<Reason>,
}

/// What an eviction was decided by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// The ranking that ruled.
    pub ruling: String,
    /// Requests since it was last asked for.
    pub age: u64,
    /// How often it was asked for, as far as remembered.
    pub count: u64,
    /// What the ranking made of it.
    pub score: f64,
    /// What it made of the newcomer that needed the room.
    pub newcomer: Option<f64>,
    /// Residents that it was compared with.
    pub looks: u64,
    /// Experts whose shadow held it; none where it was not in the sampled traffic.
    pub holders: Option<Vec<String>>,
}

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// What is watched, as its owner calls it.
    pub name: String,
    /// Version of augury.
    pub version: String,
    /// When it was looked at.
    pub now: u64,
    /// Since when it counts.
    pub since: u64,
    /// What decides who stays.
    pub policy: String,
    /// The ranking that rules at present, where the policy chooses among several.
    pub ruling: Option<String>,
    /// Counters since the beginning, or since they were reset.
    pub counts: Counts,
    /// What capacity and sizes are counted in.
    pub unit: Unit,
    /// The bound.
    pub capacity: u64,
    /// What counts against it.
    pub used: u64,
    /// Number of entries.
    pub entries: u64,
    /// What others would have hit.
    pub shadows: Part<Shadows>,
    /// The rankings that the policy chooses among.
    pub experts: Part<Vec<Expert>>,
    /// What other capacities would give, by capacity.
    pub curve: Part<Vec<CurvePoint>>,
    /// Who is asked for most, the most first.
    pub hot: Part<Vec<HotKey>>,
    /// Who takes most, the most first.
    pub big: Part<Vec<BigKey>>,
    /// Fetching ahead.
    pub prefetch: Part<Prefetch>,
    /// What has left for room, the latest first.
    pub evictions: Part<Vec<Eviction>>,
}
