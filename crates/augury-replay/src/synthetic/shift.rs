//! shift: traffic that changes its nature at once, again and again.
//!
//! Four phases take turns: drifting Zipf popularity, a loop, sessions, and scans across what is
//! popular. Each goes on where it stopped, so what it knew may still be in the cache. What suits
//! one phase fails in another, as where programs take turns on a machine: L. V. Rodriguez et al.
//! Learning Cache Replacement with CACHEUS. FAST 2021 (their workload types, one after another).

use rand_pcg::Pcg64;

use super::objects::{Space, happens};
use super::parameters::Values;
use super::popularity::Drift;
use super::sequences::{Loop, Scans, Sessions};
use super::stream::Generator;
use crate::trace::Request;

/// Share of the requests that scan, in the phase of scans.
const SCANNED: f64 = 0.5;
/// Requests per change of a rank's object.
const TURNOVER: f64 = 20.0;

/// shift: who is at work, and for how long yet.
pub(super) struct Shift {
    popular: Drift,
    cycle: Loop,
    sessions: Sessions,
    scans: Scans,
    every: u64,
    drawn: u64,
}

impl Shift {
    pub(super) fn new(values: &Values) -> Self {
        let (seed, objects) = (values.count("seed"), values.count("objects"));
        let alpha = values.real("alpha");
        Shift {
            popular: Drift::new(Space::new(1, seed), objects, alpha, TURNOVER),
            cycle: Loop::over(Space::new(6, seed), objects.div_ceil(4)),
            sessions: Sessions::new(seed, objects, alpha, 200),
            scans: Scans::new(Space::new(3, seed), objects * 10, objects.div_ceil(4)),
            every: values.count("every"),
            drawn: 0,
        }
    }
}

impl Generator for Shift {
    fn draw(&mut self, now: f64, random: &mut Pcg64) -> Request {
        let phase = self.drawn / self.every % 4;
        self.drawn += 1;
        match phase {
            0 => self.popular.draw(now, random),
            1 => self.cycle.draw(now, random),
            2 => self.sessions.draw(now, random),
            _ if happens(random, SCANNED) => self.scans.draw(now, random),
            _ => self.popular.draw(now, random),
        }
    }
}
