//! Synthetic workloads: seeded request streams with published shapes, usable as
//! `synthetic:NAME?parameter=value&...` wherever a trace is.
//!
//! A [`Shape`] is data: name, one-line description, parameters and the generator it begins. The
//! generators stand in `popularity`, `sequences`, `shift`, `freshness` and `web`, each with its paper; same name, same
//! parameters, same seed give the same requests on every machine. Nothing here may know caches.

mod freshness;
mod objects;
mod parameters;
mod popularity;
mod sequences;
mod shift;
mod stream;
mod web;

use std::str::FromStr;

use crate::trace::TraceError;
use crate::trace::reader::RecordStream;
use parameters::{COMMON, Values, count, real, share};
use stream::{Generator, SyntheticStream};

pub use parameters::Parameter;

/// One kind of workload.
pub struct Shape {
    /// The name behind `synthetic:`.
    pub name: &'static str,
    /// What it is like, in one line.
    pub description: &'static str,
    /// Its parameters beside the common ones.
    own: &'static [Parameter],
    begin: fn(&Values) -> Box<dyn Generator>,
}

impl Shape {
    /// All parameters with their defaults.
    pub fn parameters(&self) -> impl Iterator<Item = &'static Parameter> + '_ {
        let is_own = |name| self.own.iter().any(move |own| own.name == name);
        COMMON.iter().filter(move |common| !is_own(common.name)).chain(self.own)
    }
}

/// Most objects that a shape keeps in memory.
const MOST: f64 = 1e8;
/// Numbered blocks need no memory.
const MOST_BLOCKS: f64 = 1e12;
const OBJECTS: Parameter = count("objects", 100_000.0, MOST, "distinct objects with a popularity");
const ALPHA: Parameter = real("alpha", 0.9, (0.0, 5.0), "Zipf exponent; 0 is uniform");
const MEDIAN: Parameter = real("median", 8192.0, (1.0, 1e9), "median size in bytes");
const SIGMA: Parameter = real("sigma", 1.5, (0.0, 5.0), "spread of the sizes' logarithm");

const EXPIRING: Parameter = count("objects", 2_000.0, 1e7, "objects, each with a pace of its own");
const RATE: Parameter = real("rate", 10.0, (1e-6, 1e9), "requests per second; the TTLs follow");
const LEAST: Parameter = real("least", 0.1, (1e-3, 1e3), "requests per TTL of the slowest");
const MOST_PACE: Parameter = real("most", 30.0, (1e-3, 1e3), "requests per TTL of the fastest");

static SHAPES: [Shape; 14] = [
    Shape {
        name: "zipf",
        description: "independent requests with Zipf popularity; nothing to learn but popularity",
        own: &[OBJECTS, ALPHA],
        begin: |values| Box::new(popularity::Independent::plain(values)),
    },
    Shape {
        name: "zipf-drift",
        description: "Zipf popularity whose ranks keep passing to new objects",
        own: &[OBJECTS, ALPHA, real("every", 5.0, (1.0, 1e9), "requests per change of a rank")],
        begin: |values| Box::new(popularity::Drift::of(values)),
    },
    Shape {
        name: "scan",
        description: "a hot set crossed by sequential scans of cold blocks",
        own: &[
            count("objects", 20_000.0, MOST, "objects of the hot set"),
            ALPHA,
            count("blocks", 500_000.0, MOST_BLOCKS, "blocks to scan"),
            count("length", 20_000.0, MOST_BLOCKS, "blocks of one scan"),
            share("share", 0.4, "share of the requests that scan"),
        ],
        begin: |values| Box::new(sequences::Scan::new(values)),
    },
    Shape {
        name: "loop",
        description: "the same blocks in the same order again and again",
        own: &[count("objects", 20_000.0, MOST_BLOCKS, "blocks of the loop")],
        begin: |values| Box::new(sequences::Loop::new(values)),
    },
    Shape {
        name: "one-hit",
        description: "Zipf popularity mixed with objects asked for once",
        own: &[OBJECTS, ALPHA, share("share", 0.3, "share of the requests that come once")],
        begin: |values| Box::new(popularity::OneHit::new(values)),
    },
    Shape {
        name: "daily",
        description: "a daily rhythm: each hour has favourites that return the next day",
        own: &[
            OBJECTS,
            ALPHA,
            share("share", 0.7, "share of the requests for the hour's favourites"),
            real("rate", 2.5, (1e-6, 1e9), "requests per second, for the times"),
        ],
        begin: |values| Box::new(popularity::Daily::new(values)),
    },
    Shape {
        name: "sessions",
        description: "users walk common paths and return to their own objects until they leave",
        own: &[
            OBJECTS,
            ALPHA,
            count("users", 200.0, 1e7, "users at the same time"),
            real("length", 40.0, (1.0, 1e6), "requests per session, on average"),
            share("own", 0.7, "share of the requests for the session's own objects"),
        ],
        begin: |values| Box::new(sequences::Sessions::of(values)),
    },
    Shape {
        name: "shift",
        description: "popularity, a loop, sessions and scans take turns",
        own: &[
            OBJECTS,
            ALPHA,
            count("every", 100_000.0, MOST_BLOCKS, "requests between changes of nature"),
        ],
        begin: |values| Box::new(shift::Shift::new(values)),
    },
    Shape {
        name: "sizes",
        description: "Zipf popularity with log-normal sizes",
        own: &[OBJECTS, ALPHA, MEDIAN, SIGMA],
        begin: |values| Box::new(popularity::Independent::sized(values)),
    },
    Shape {
        name: "ttl",
        description: "objects with TTLs; reads, writes and deletes",
        own: &[
            OBJECTS,
            ALPHA,
            real("median", 200.0, (1.0, 1e9), "median size in bytes"),
            real("sigma", 1.0, (0.0, 5.0), "spread of the sizes' logarithm"),
            share("writes", 0.1, "share of the requests that write"),
            share("deletes", 0.01, "share of the requests that delete"),
        ],
        begin: |values| Box::new(popularity::Expiring::new(values)),
    },
    Shape {
        name: "ttl-periodic",
        description: "objects that expire and are asked for on a beat of their own",
        own: &[
            EXPIRING,
            RATE,
            LEAST,
            MOST_PACE,
            real("jitter", 0.02, (0.0, 0.3), "standard deviation around the beat, in periods"),
        ],
        begin: |values| Box::new(freshness::Arrivals::periodic(values)),
    },
    Shape {
        name: "ttl-poisson",
        description: "objects that expire and are asked for at random, each at a pace of its own",
        own: &[EXPIRING, RATE, LEAST, MOST_PACE],
        begin: |values| Box::new(freshness::Arrivals::poisson(values)),
    },
    Shape {
        name: "ttl-bursts",
        description: "objects that expire and are asked for in bursts with silence between them",
        own: &[
            EXPIRING,
            RATE,
            LEAST,
            MOST_PACE,
            real("burst", 4.0, (1e-2, 1e4), "mean length of a burst in TTLs"),
            real("silence", 20.0, (1e-2, 1e4), "mean length of the silence in TTLs"),
        ],
        begin: |values| Box::new(freshness::Arrivals::bursts(values)),
    },
    Shape {
        name: "web",
        description: "a site's cache: drifting pages, sessions, one-hit wonders and a crawler",
        own: &[OBJECTS, ALPHA, MEDIAN, SIGMA],
        begin: |values| Box::new(web::Web::new(values)),
    },
];

/// All synthetic workloads.
pub fn list() -> &'static [Shape] {
    &SHAPES
}

/// A workload with its parameters.
#[derive(Clone)]
pub struct Workload {
    shape: &'static Shape,
    values: Values,
}

impl std::fmt::Debug for Workload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple(self.shape.name).field(&self.values).finish()
    }
}

impl FromStr for Workload {
    type Err = TraceError;

    /// Parses `zipf` or `zipf?n=1000&alpha=0.7` (without `synthetic:`).
    fn from_str(text: &str) -> Result<Self, TraceError> {
        let (name, parameters) = text.split_once('?').unwrap_or((text, ""));
        let Some(shape) = SHAPES.iter().find(|shape| shape.name == name) else {
            return Err(TraceError::UnknownSynthetic {
                found: name.to_owned(),
                expected: SHAPES.iter().map(|shape| shape.name).collect::<Vec<_>>().join(", "),
            });
        };
        Ok(Workload { shape, values: Values::parse(shape.own, parameters)? })
    }
}

impl Workload {
    /// The requests, from the first.
    pub(crate) fn stream(&self) -> Box<dyn RecordStream> {
        Box::new(SyntheticStream::new((self.shape.begin)(&self.values), &self.values))
    }
}
