//! Workloads ruled by order: scan, loop, sessions.
//!
//! - scan: a hot set with Zipf popularity, crossed by sequential scans of blocks that are not hot.
//!   N. Megiddo, D. S. Modha. ARC: A Self-Tuning, Low Overhead Replacement Cache. FAST 2003.
//! - loop: the same blocks in the same order again and again, LRU's worst case. S. Jiang, X.
//!   Zhang. LIRS. SIGMETRICS 2002.
//! - sessions: users walk along common paths and come back to objects of their own until their
//!   session ends. J. Pitkow, P. Pirolli. Mining Longest Repeating Subsequences to Predict World
//!   Wide Web Surfing. USITS 1999.

use rand::RngExt;
use rand_pcg::Pcg64;

use super::objects::{Ranks, Space, happens};
use super::parameters::Values;
use super::stream::Generator;
use crate::trace::Request;

/// One sequential scan after another, each over a random run of blocks.
pub(super) struct Scans {
    space: Space,
    blocks: u64,
    length: u64,
    position: u64,
    left: u64,
}

impl Scans {
    pub(super) fn new(space: Space, blocks: u64, length: u64) -> Self {
        Scans { space, blocks, length, position: 0, left: 0 }
    }
}

impl Generator for Scans {
    fn draw(&mut self, _now: f64, random: &mut Pcg64) -> Request {
        if self.left == 0 {
            self.left = self.length;
            self.position = random.random_range(0..self.blocks);
        }
        self.left -= 1;
        self.position = (self.position + 1) % self.blocks;
        Request::read(self.space.block(self.position), 1)
    }
}

/// scan: a hot set, and a share of requests that belong to the running scan.
pub(super) struct Scan {
    hot: Ranks,
    space: Space,
    scans: Scans,
    share: f64,
}

impl Scan {
    pub(super) fn new(values: &Values) -> Self {
        let seed = values.count("seed");
        Scan {
            hot: Ranks::new(values.count("objects"), values.real("alpha")),
            space: Space::new(1, seed),
            scans: Scans::new(Space::new(3, seed), values.count("blocks"), values.count("length")),
            share: values.real("share"),
        }
    }
}

impl Generator for Scan {
    fn draw(&mut self, now: f64, random: &mut Pcg64) -> Request {
        if happens(random, self.share) {
            return self.scans.draw(now, random);
        }
        Request::read(self.space.id(self.hot.draw(random)), 1)
    }
}

/// loop: block after block, then from the first again.
pub(super) struct Loop {
    space: Space,
    blocks: u64,
    position: u64,
}

impl Loop {
    pub(super) fn new(values: &Values) -> Self {
        Self::over(Space::new(3, values.count("seed")), values.count("objects"))
    }

    pub(super) fn over(space: Space, blocks: u64) -> Self {
        Loop { space, blocks, position: 0 }
    }
}

impl Generator for Loop {
    fn draw(&mut self, _now: f64, _random: &mut Pcg64) -> Request {
        let block = self.position;
        self.position = (block + 1) % self.blocks;
        Request::read(self.space.block(block), 1)
    }
}

/// Steps of a common path.
const PATH: u64 = 12;
/// Objects of a session's own: its record, its user's profile, its basket.
const OWN: u64 = 3;

#[derive(Clone, Copy)]
struct Session {
    number: u64,
    path: u64,
    step: u64,
}

/// sessions: users at work at the same time, each somewhere on a path.
pub(super) struct Sessions {
    paths: Ranks,
    items: u64,
    item_space: Space,
    own_space: Space,
    users: Vec<Session>,
    newest: u64,
    own_share: f64,
    go_on: f64,
}

impl Sessions {
    pub(super) fn of(values: &Values) -> Self {
        let (objects, alpha) = (values.count("objects"), values.real("alpha"));
        let sessions = Self::new(values.count("seed"), objects, alpha, values.count("users"));
        let go_on = 1.0 - 1.0 / values.real("length");
        Sessions { own_share: values.real("own"), go_on, ..sessions }
    }

    /// Sessions of 40 requests, most of them for the session's own objects.
    pub(super) fn new(seed: u64, objects: u64, alpha: f64, users: u64) -> Self {
        let fresh = |number| Session { number, path: number % (objects / PATH).max(1), step: 0 };
        Sessions {
            paths: Ranks::new((objects / PATH).max(1), alpha),
            items: objects,
            item_space: Space::new(4, seed),
            own_space: Space::new(5, seed),
            users: (0..users).map(fresh).collect(),
            newest: users,
            own_share: 0.7,
            go_on: 1.0 - 1.0 / 40.0,
        }
    }
}

impl Generator for Sessions {
    fn draw(&mut self, _now: f64, random: &mut Pcg64) -> Request {
        let user = random.random_range(0..self.users.len());
        if !happens(random, self.go_on) {
            let path = self.paths.draw(random);
            self.users[user] = Session { number: self.newest, path, step: 0 };
            self.newest += 1;
        }
        let session = &mut self.users[user];
        let number = session_number(session.number);
        let by = |key| Request { session: number, ..Request::read(key, 1) };
        if happens(random, self.own_share) {
            let own = session.number * OWN + random.random_range(0..OWN);
            return by(self.own_space.id(own));
        }
        if session.step == PATH {
            session.path = self.paths.draw(random);
            session.step = 0;
        }
        let item = (session.path * PATH + session.step) % self.items;
        session.step += 1;
        by(self.item_space.id(item))
    }
}

/// Sessions are numbered from 1: 0 is none.
fn session_number(number: u64) -> u32 {
    (number % u64::from(u32::MAX)) as u32 + 1
}
