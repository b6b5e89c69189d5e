//! ttl-periodic, ttl-poisson, ttl-bursts: objects that expire and come back at a pace of their own.
//!
//! Each object is an arrival process: a clock with jitter, a Poisson process, or one that is
//! interrupted (bursts as in W. Fischer, K. Meier-Hellstern, "The Markov-modulated Poisson process
//! cookbook", Performance Evaluation 18, 1993). Its requests per TTL are log-uniform, so that
//! every decade of paces has as many objects. Its TTL is half, once or twice a base that follows
//! from the rate asked for. Events carry times of their own, unlike those of other workloads.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::f64::consts::TAU;

use rand::{Rng, RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::objects::{Space, ttl_factor_of};
use super::parameters::Values;
use super::stream::Generator;
use crate::trace::Request;

/// What tells the three shapes apart; lengths are in TTLs.
#[derive(Debug, Clone, Copy)]
enum Nature {
    /// Standard deviation of an arrival around its beat, as a share of the period.
    Periodic {
        jitter: f64,
    },
    Poisson,
    /// Mean lengths of a burst and of the silence after it.
    Bursts {
        burst: f64,
        silence: f64,
    },
}

#[derive(Debug, Clone, Copy)]
struct Object {
    id: u64,
    /// In seconds.
    ttl: f64,
    /// Mean time between requests (of a burst), in seconds.
    gap: f64,
    /// The beat of a clock; the end of a burst.
    mark: f64,
}

/// All objects, and the next arrival of each.
pub(super) struct Arrivals {
    nature: Nature,
    objects: Vec<Object>,
    /// Times are not negative, so their bits are in their order.
    next: BinaryHeap<Reverse<(u64, u32)>>,
    now: f64,
}

impl Arrivals {
    pub(super) fn periodic(values: &Values) -> Self {
        Self::new(values, Nature::Periodic { jitter: values.real("jitter") })
    }

    pub(super) fn poisson(values: &Values) -> Self {
        Self::new(values, Nature::Poisson)
    }

    pub(super) fn bursts(values: &Values) -> Self {
        let (burst, silence) = (values.real("burst"), values.real("silence"));
        Self::new(values, Nature::Bursts { burst, silence })
    }

    fn new(values: &Values, nature: Nature) -> Self {
        let seed = values.count("seed");
        let space = Space::new(1, seed);
        let mut random = Pcg64::seed_from_u64(seed ^ 0x77);
        let least = values.real("least").ln();
        let most = values.real("most").ln().max(least);
        let drawn: Vec<(u64, f64, f64)> = (0..values.count("objects"))
            .map(|number| {
                let id = space.id(number);
                let per_ttl = (least + (most - least) * random.random::<f64>()).exp();
                (id, per_ttl, ttl_factor_of(id))
            })
            .collect();
        let active = match nature {
            Nature::Bursts { burst, silence } => burst / (burst + silence),
            _ => 1.0,
        };
        let paces: f64 = drawn.iter().map(|(_, per_ttl, factor)| per_ttl / factor).sum();
        let base = active * paces / values.real("rate");
        let mut arrivals =
            Arrivals { nature, objects: Vec::new(), next: BinaryHeap::new(), now: 0.0 };
        for (id, per_ttl, factor) in drawn {
            let ttl = (base * factor).round().max(1.0);
            let mut object = Object { id, ttl, gap: ttl / per_ttl, mark: 0.0 };
            let first = nature.first(&mut object, &mut random);
            arrivals.next.push(Reverse((first.to_bits(), arrivals.objects.len() as u32)));
            arrivals.objects.push(object);
        }
        arrivals
    }
}

impl Nature {
    /// The first arrival; the process has been going on for long.
    fn first<R: Rng>(self, object: &mut Object, random: &mut R) -> f64 {
        match self {
            Nature::Periodic { .. } => {
                object.mark = object.gap * random.random::<f64>();
                object.mark
            }
            Nature::Poisson => exponential(object.gap, random),
            Nature::Bursts { burst, silence } => {
                let is_active = random.random::<f64>() < burst / (burst + silence);
                let rest = if is_active { burst } else { 0.0 };
                object.mark = exponential(rest * object.ttl, random);
                self.next(object, 0.0, random)
            }
        }
    }

    /// The arrival after that at `now`.
    fn next<R: Rng>(self, object: &mut Object, now: f64, random: &mut R) -> f64 {
        match self {
            Nature::Periodic { jitter } => {
                object.mark += object.gap;
                (object.mark + jitter * object.gap * normal(random)).max(now)
            }
            Nature::Poisson => now + exponential(object.gap, random),
            Nature::Bursts { burst, silence } => {
                let mut at = now + exponential(object.gap, random);
                while at > object.mark {
                    // The burst is over: silence, then another one.
                    let begin = object.mark + exponential(silence * object.ttl, random);
                    object.mark = begin + exponential(burst * object.ttl, random);
                    at = begin + exponential(object.gap, random);
                }
                at
            }
        }
    }
}

impl Generator for Arrivals {
    fn draw(&mut self, _now: f64, random: &mut Pcg64) -> Request {
        let Reverse((bits, at)) = self.next.pop().expect("there is an object at least");
        self.now = f64::from_bits(bits);
        let object = &mut self.objects[at as usize];
        let request = Request { ttl: object.ttl as u32, ..Request::read(object.id, 1) };
        let next = self.nature.next(object, self.now, random);
        self.next.push(Reverse((next.to_bits(), at)));
        request
    }

    fn clock(&self) -> Option<f64> {
        Some(self.now)
    }
}

fn exponential<R: Rng>(mean: f64, random: &mut R) -> f64 {
    -mean * (1.0 - random.random::<f64>()).ln()
}

fn normal<R: Rng>(random: &mut R) -> f64 {
    let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
    radius * (TAU * random.random::<f64>()).cos()
}
