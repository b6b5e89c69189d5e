//! Workloads ruled by popularity: zipf, zipf-drift, one-hit, sizes, ttl, daily.
//!
//! - zipf: every request draws its object independently with Zipf popularity. L. Breslau, P. Cao,
//!   L. Fan, G. Phillips, S. Shenker. Web Caching and Zipf-like Distributions. INFOCOM 1999.
//! - zipf-drift: ranks pass to new objects at a steady rate, so that objects have a life. S.
//!   Traverso et al. Temporal Locality in Today's Content Caching: Why it Matters and How to Model
//!   it. CCR 2013.
//! - one-hit: a share of the requests goes to objects never asked for again. B. Maggs, R.
//!   Sitaraman. Algorithmic Nuggets in Content Delivery. CCR 2015.
//! - sizes: zipf with log-normal sizes that do not depend on popularity. P. Barford, M. Crovella.
//!   Generating Representative Web Workloads. SIGMETRICS 1998.
//! - ttl: zipf with a TTL per object, writes and deletes. J. Yang, Y. Yue, K. V. Rashmi. A large
//!   scale analysis of hundreds of in-memory cache clusters at Twitter. OSDI 2020.
//! - daily: each hour of the day has favourites of its own, which return the next day. B.
//!   Atikoglu, Y. Xu, E. Frachtenberg, S. Jiang, M. Paleczny. Workload Analysis of a Large-Scale
//!   Key-Value Store. SIGMETRICS 2012.

use augury_core::request::Op;
use rand::RngExt;
use rand_pcg::Pcg64;

use super::objects::{Ranks, Sizes, Space, happens, ttl_of};
use super::parameters::Values;
use super::stream::Generator;
use crate::trace::Request;

fn ranks(values: &Values) -> Ranks {
    Ranks::new(values.count("objects"), values.real("alpha"))
}

/// zipf, and sizes where there is a size distribution.
pub(super) struct Independent {
    ranks: Ranks,
    space: Space,
    sizes: Option<Sizes>,
}

impl Independent {
    pub(super) fn plain(values: &Values) -> Self {
        let space = Space::new(1, values.count("seed"));
        Independent { ranks: ranks(values), space, sizes: None }
    }

    pub(super) fn sized(values: &Values) -> Self {
        let sizes = Sizes { median: values.real("median"), sigma: values.real("sigma") };
        Independent { sizes: Some(sizes), ..Self::plain(values) }
    }
}

impl Generator for Independent {
    fn draw(&mut self, _now: f64, random: &mut Pcg64) -> Request {
        let key = self.space.id(self.ranks.draw(random));
        Request::read(key, self.sizes.map_or(1, |sizes| sizes.of(key)))
    }
}

/// zipf-drift: every `every` requests on average, one rank passes to a new object.
pub(super) struct Drift {
    ranks: Ranks,
    holders: Vec<u64>,
    newest: u64,
    space: Space,
    turnover: f64,
}

impl Drift {
    pub(super) fn new(space: Space, objects: u64, alpha: f64, every: f64) -> Self {
        let holders = (0..objects).collect();
        let ranks = Ranks::new(objects, alpha);
        Drift { ranks, holders, newest: objects, space, turnover: 1.0 / every }
    }

    pub(super) fn of(values: &Values) -> Self {
        let space = Space::new(1, values.count("seed"));
        let (objects, alpha) = (values.count("objects"), values.real("alpha"));
        Self::new(space, objects, alpha, values.real("every"))
    }
}

impl Generator for Drift {
    fn draw(&mut self, _now: f64, random: &mut Pcg64) -> Request {
        if happens(random, self.turnover) {
            let rank = random.random_range(0..self.holders.len());
            self.holders[rank] = self.newest;
            self.newest += 1;
        }
        let rank = self.ranks.draw(random) as usize;
        Request::read(self.space.id(self.holders[rank]), 1)
    }
}

/// one-hit: zipf, and a share of objects that come once.
pub(super) struct OneHit {
    popular: Independent,
    once: Space,
    share: f64,
    newest: u64,
}

impl OneHit {
    pub(super) fn new(values: &Values) -> Self {
        let once = Space::new(2, values.count("seed"));
        let share = values.real("share");
        OneHit { popular: Independent::plain(values), once, share, newest: 0 }
    }
}

impl Generator for OneHit {
    fn draw(&mut self, now: f64, random: &mut Pcg64) -> Request {
        if !happens(random, self.share) {
            return self.popular.draw(now, random);
        }
        self.newest += 1;
        Request::read(self.once.id(self.newest), 1)
    }
}

/// TTLs of the workload, in seconds.
const TTLS: [u32; 4] = [60, 300, 3600, 86_400];

/// ttl: reads, writes that carry the object's TTL, and deletes.
pub(super) struct Expiring {
    popular: Independent,
    writes: f64,
    deletes: f64,
}

impl Expiring {
    pub(super) fn new(values: &Values) -> Self {
        let popular = Independent::sized(values);
        Expiring { popular, writes: values.real("writes"), deletes: values.real("deletes") }
    }
}

impl Generator for Expiring {
    fn draw(&mut self, now: f64, random: &mut Pcg64) -> Request {
        let request = self.popular.draw(now, random);
        let chance = random.random::<f64>();
        let op = match chance {
            _ if chance < self.deletes => Op::Delete,
            _ if chance < self.deletes + self.writes => Op::Set,
            _ => Op::Get,
        };
        let ttl = if op.is_delete() { 0 } else { ttl_of(request.key, &TTLS) };
        Request { op, ttl, ..request }
    }
}

/// Namespace of what has no hour; the favourites of an hour are in the hour's own, 1 to 24.
const ALL_DAY: u16 = 25;

/// daily: a share of the requests goes to the favourites of the hour.
pub(super) struct Daily {
    all_day: Independent,
    hourly: Ranks,
    hours: [Space; 24],
    share: f64,
}

impl Daily {
    pub(super) fn new(values: &Values) -> Self {
        let seed = values.count("seed");
        let each = (values.count("objects") / 24).max(1);
        let hourly = Ranks::new(each, values.real("alpha"));
        let hours = std::array::from_fn(|hour| Space::new(100 + hour as u16, seed));
        Daily { all_day: Independent::plain(values), hourly, hours, share: values.real("share") }
    }
}

impl Generator for Daily {
    fn draw(&mut self, now: f64, random: &mut Pcg64) -> Request {
        if !happens(random, self.share) {
            let request = self.all_day.draw(now, random);
            return Request { namespace: ALL_DAY, ..request };
        }
        let hour = (now / 3600.0) as u64 % 24;
        let key = self.hours[hour as usize].id(self.hourly.draw(random));
        Request { namespace: hour as u16 + 1, ..Request::read(key, 1) }
    }
}
