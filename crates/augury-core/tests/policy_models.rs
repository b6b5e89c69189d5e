//! Policies against plain models: the same rules over a vector, searched from end to end.
//!
//! A model shares no code with the policy. After every request both must have hit or missed alike
//! and hold the same objects.

use std::collections::{BTreeSet, HashMap};

use augury_core::hash::mix;
use augury_core::policy::Policy;
use augury_core::policy::eviction::belady::Belady;
use augury_core::policy::eviction::belady_size::BeladySize;
use augury_core::policy::eviction::fifo::Fifo;
use augury_core::policy::eviction::gdsf::Gdsf;
use augury_core::policy::eviction::lfu::Lfu;
use augury_core::policy::eviction::lru::Lru;
use augury_core::policy::eviction::s3fifo::S3Fifo;
use augury_core::policy::eviction::sieve::Sieve;
use augury_core::policy::eviction::wtinylfu::WTinyLfu;
use augury_core::request::{Access, NEVER, Tick};
use augury_core::shard::{Drop, Shard};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// An object in a model. Each rule uses the fields it needs.
#[derive(Debug, Clone, Default)]
struct Object {
    key: u64,
    size: u64,
    last: Tick,
    next: Tick,
    uses: u64,
    price: f64,
    marked: bool,
    in_main: bool,
}

/// What differs from policy to policy. Objects stand in the order of their insertion, the oldest
/// first, unless the rule moves them.
trait Rule {
    fn hit(&mut self, _objects: &mut Vec<Object>, _at: usize) {}

    /// The next to leave, or `None` to turn the newcomer away.
    fn victim(&mut self, objects: &mut Vec<Object>, newcomer: Option<&Object>) -> Option<usize>;

    fn insert(&mut self, objects: &mut Vec<Object>, newcomer: Object) {
        objects.push(newcomer);
    }

    /// `objects[at]` is about to leave.
    fn leave(&mut self, _objects: &[Object], _at: usize) {}
}

struct Model<R> {
    rule: R,
    capacity: u64,
    objects: Vec<Object>,
}

impl<R: Rule> Model<R> {
    fn used(&self) -> u64 {
        self.objects.iter().map(|object| object.size).sum()
    }

    fn evict(&mut self, newcomer: Option<&Object>) -> bool {
        let Some(at) = self.rule.victim(&mut self.objects, newcomer) else { return false };
        self.rule.leave(&self.objects, at);
        self.objects.remove(at);
        true
    }

    /// Whether the object was there.
    fn request(&mut self, key: u64, size: u64, now: Tick, next: Tick) -> bool {
        if let Some(at) = self.objects.iter().position(|object| object.key == key) {
            let object = &mut self.objects[at];
            (object.size, object.last, object.next) = (size, now, next);
            object.uses += 1;
            self.rule.hit(&mut self.objects, at);
            while self.used() > self.capacity {
                self.evict(None);
            }
            return true;
        }
        let newcomer = Object { key, size, last: now, next, uses: 1, ..Object::default() };
        if size <= self.capacity {
            while self.used() + size > self.capacity {
                if !self.evict(Some(&newcomer)) {
                    return false;
                }
            }
            self.rule.insert(&mut self.objects, newcomer);
        }
        false
    }
}

struct Oldest;

impl Rule for Oldest {
    fn victim(&mut self, _: &mut Vec<Object>, _: Option<&Object>) -> Option<usize> {
        Some(0)
    }
}

struct LeastRecent;

impl Rule for LeastRecent {
    fn victim(&mut self, objects: &mut Vec<Object>, _: Option<&Object>) -> Option<usize> {
        (0..objects.len()).min_by_key(|&at| objects[at].last)
    }
}

/// SIEVE: the hand stands before the object of this key, or before the oldest.
struct Hand(Option<u64>);

impl Rule for Hand {
    fn hit(&mut self, objects: &mut Vec<Object>, at: usize) {
        objects[at].marked = true;
    }

    fn victim(&mut self, objects: &mut Vec<Object>, _: Option<&Object>) -> Option<usize> {
        let mut at = objects.iter().position(|object| Some(object.key) == self.0).unwrap_or(0);
        while objects[at].marked {
            objects[at].marked = false;
            at = (at + 1) % objects.len();
        }
        self.0 = objects.get(at + 1).map(|object| object.key);
        Some(at)
    }
}

/// Belady, with or without the right to turn a newcomer away.
struct Farthest {
    bypass: bool,
}

impl Rule for Farthest {
    fn victim(&mut self, objects: &mut Vec<Object>, newcomer: Option<&Object>) -> Option<usize> {
        let at = (0..objects.len()).max_by_key(|&at| objects[at].next)?;
        match newcomer {
            Some(newcomer) if self.bypass && newcomer.next >= objects[at].next => None,
            _ => Some(at),
        }
    }
}

/// Greedy dual; worth is uses, or uses per byte.
struct Cheapest {
    by_size: bool,
    floor: f64,
    /// The floor when room was first asked for, and by whom.
    offer: Option<(Tick, f64)>,
}

impl Cheapest {
    fn price(&self, object: &Object, floor: f64) -> f64 {
        let size = if self.by_size { object.size.max(1) as f64 } else { 1.0 };
        floor + object.uses as f64 / size
    }
}

impl Rule for Cheapest {
    fn hit(&mut self, objects: &mut Vec<Object>, at: usize) {
        objects[at].price = self.price(&objects[at], self.floor);
    }

    fn victim(&mut self, objects: &mut Vec<Object>, newcomer: Option<&Object>) -> Option<usize> {
        let order = |at: &usize, other: &usize| {
            let (a, b) = (&objects[*at], &objects[*other]);
            a.price.total_cmp(&b.price).then(a.last.cmp(&b.last))
        };
        let at = (0..objects.len()).min_by(order)?;
        if let Some(newcomer) = newcomer {
            let (_, floor) = *self.offer.get_or_insert((newcomer.last, self.floor));
            let price = self.price(newcomer, floor);
            if price < objects[at].price {
                (self.floor, self.offer) = (price, None);
                return None;
            }
        }
        Some(at)
    }

    fn insert(&mut self, objects: &mut Vec<Object>, mut newcomer: Object) {
        let floor = self.offer.take().map_or(self.floor, |(_, floor)| floor);
        newcomer.price = self.price(&newcomer, floor);
        objects.push(newcomer);
    }

    fn leave(&mut self, objects: &[Object], at: usize) {
        self.floor = objects[at].price;
    }
}

/// S3-FIFO. `uses` counts from 1 at insertion in the model; `price` holds the counter.
struct TwoQueues {
    capacity: u64,
    has_evicted: bool,
    /// Keys in the order they left the small queue, with their numbers.
    ghosts: Vec<(u64, usize)>,
    departures: usize,
    keep: usize,
}

impl TwoQueues {
    fn used(objects: &[Object], in_main: bool) -> u64 {
        objects.iter().filter(|object| object.in_main == in_main).map(|object| object.size).sum()
    }

    fn requeue(objects: &mut Vec<Object>, at: usize, price: f64) {
        let mut object = objects.remove(at);
        (object.in_main, object.price) = (true, price);
        objects.push(object);
    }
}

impl Rule for TwoQueues {
    fn hit(&mut self, objects: &mut Vec<Object>, at: usize) {
        objects[at].price = (objects[at].price + 1.0).min(3.0);
    }

    fn victim(&mut self, objects: &mut Vec<Object>, _: Option<&Object>) -> Option<usize> {
        self.has_evicted = true;
        let main_capacity = self.capacity - self.capacity / 10;
        if Self::used(objects, true) <= main_capacity {
            while let Some(at) = objects.iter().position(|object| !object.in_main) {
                if objects[at].price < 2.0 {
                    return Some(at);
                }
                Self::requeue(objects, at, 0.0);
            }
        }
        while let Some(at) = objects.iter().position(|object| object.in_main) {
            let price = objects[at].price;
            if price == 0.0 {
                return Some(at);
            }
            Self::requeue(objects, at, price - 1.0);
        }
        unreachable!("the main queue is over its capacity, so it is not empty")
    }

    fn insert(&mut self, objects: &mut Vec<Object>, mut newcomer: Object) {
        let (departures, keep) = (self.departures, self.keep);
        let ghost = self
            .ghosts
            .iter()
            .position(|&(key, left)| key == newcomer.key && departures - left < keep);
        if let Some(at) = ghost {
            self.ghosts.remove(at);
        }
        let filling = !self.has_evicted && Self::used(objects, false) >= self.capacity / 10;
        newcomer.in_main = ghost.is_some() || filling;
        objects.push(newcomer);
    }

    fn leave(&mut self, objects: &[Object], at: usize) {
        if !objects[at].in_main {
            self.keep = objects.len();
            self.departures += 1;
            self.ghosts.retain(|&(key, _)| key != objects[at].key);
            self.ghosts.push((objects[at].key, self.departures));
        }
    }
}

/// Tick of the next request for the same key, for every request.
fn next_requests(requests: &[(u64, u32)]) -> Vec<Tick> {
    let mut upcoming = HashMap::new();
    let mut next: Vec<Tick> = (0..requests.len())
        .rev()
        .map(|at| upcoming.insert(requests[at].0, at as Tick).unwrap_or(NEVER))
        .collect();
    next.reverse();
    next
}

/// One request to a shard; whether it hit.
fn ask<P: Policy>(shard: &mut Shard<(), (), P>, key: u64, size: u32, next: Tick) -> bool {
    let access = Access { next_access: next, ..shard.begin(mix(key), key, size) };
    let found = shard.store().candidates(access.hash).next();
    match found {
        Some(id) => shard.hit(id, &access, &mut Drop),
        None => {
            shard.miss(&access);
            shard.insert(&access, (), (), None, &mut Drop);
        }
    }
    found.is_some()
}

/// Runs random requests through both. `ties` says that which of several objects leaves may be a
/// matter of taste, so that only hits and misses are compared.
fn agree<P: Policy, R: Rule>(
    capacity: u64,
    sizes: std::ops::RangeInclusive<u32>,
    ties: bool,
    policy: impl Fn() -> P,
    rule: impl Fn() -> R,
) {
    let requests = prop::collection::vec((0..25_u64, sizes), 1..400);
    let config = Config { cases: 200, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&requests, |requests| {
            let mut shard = Shard::new(capacity, policy());
            let mut model = Model { rule: rule(), capacity, objects: Vec::new() };
            let next = next_requests(&requests);
            for (now, (&(key, size), next)) in requests.iter().zip(next).enumerate() {
                let expected = model.request(key, size as u64, now as Tick, next);
                prop_assert_eq!(expected, ask(&mut shard, key, size, next), "request {}", now);
                if !ties {
                    let slots = shard.store().slots();
                    let held: BTreeSet<_> = slots.iter_live().map(|id| slots.hash(id)).collect();
                    let keys = model.objects.iter().map(|object| mix(object.key));
                    prop_assert_eq!(keys.collect::<BTreeSet<_>>(), held, "after request {}", now);
                }
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn fifo_evicts_the_oldest() {
    agree(100, 0..=40, false, Fifo::default, || Oldest);
}

#[test]
fn lru_evicts_the_least_recent() {
    agree(100, 0..=40, false, Lru::default, || LeastRecent);
}

#[test]
fn sieve_evicts_the_first_unmarked_before_the_hand() {
    agree(100, 0..=40, false, Sieve::default, || Hand(None));
    agree(8, 1..=1, false, Sieve::default, || Hand(None));
}

#[test]
fn belady_evicts_the_farthest() {
    agree(8, 1..=1, true, Belady::default, || Farthest { bypass: false });
    agree(8, 1..=1, true, Belady::bypassing, || Farthest { bypass: true });
}

#[test]
fn belady_by_size_is_belady_where_sizes_are_equal() {
    agree(80, 10..=10, true, BeladySize::default, || Farthest { bypass: false });
}

#[test]
fn lfu_evicts_the_least_used_since_the_last_victim() {
    let rule = || Cheapest { by_size: false, floor: 0.0, offer: None };
    agree(100, 0..=40, false, Lfu::default, rule);
}

#[test]
fn gdsf_evicts_the_least_used_per_byte() {
    let rule = || Cheapest { by_size: true, floor: 0.0, offer: None };
    agree(100, 0..=40, false, Gdsf::default, rule);
    agree(8, 1..=1, false, Gdsf::default, rule);
}

#[test]
fn s3fifo_keeps_newcomers_apart() {
    // At most six residents: their ghosts share one bucket, which forgets none of them.
    let rule = |capacity| TwoQueues {
        capacity,
        has_evicted: false,
        ghosts: Vec::new(),
        departures: 0,
        keep: 0,
    };
    agree(60, 10..=30, false, S3Fifo::default, || rule(60));
    agree(6, 1..=1, false, S3Fifo::default, || rule(6));
}

#[test]
fn wtinylfu_keeps_the_frequent_through_a_scan() {
    let mut shard = Shard::new(100, WTinyLfu::default());
    for _ in 0..5 {
        (0..90).for_each(|key| {
            ask(&mut shard, key, 1, NEVER);
        });
    }
    for key in 1_000..1_300 {
        ask(&mut shard, key, 1, NEVER);
    }
    let hits = (0..90).filter(|&key| ask(&mut shard, key, 1, NEVER)).count();
    assert!(hits >= 85, "{hits} of 90");
}
