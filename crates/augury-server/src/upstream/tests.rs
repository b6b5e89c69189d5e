//! The state of loads against a plain model: any order of reads, writes, answers, failures and time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::arriving::{Arrival, Brought, Lifetime, settle};
use super::asking::{Reading, Verdict, ask, done, foresee};
use super::failure::Failure;
use super::{DB, Order, Upstream, beat, written};
use crate::client::{Handle, Place};
use crate::config::Settings;
use crate::keyspace::Keyspace;
use crate::object::Object;
use crate::server::Server;

const READ: Reading = Reading { counts: true, prefers_hash: false };
const KEYS: usize = 5;
const CLIENTS: usize = 6;

fn name(key: usize) -> Vec<u8> {
    format!("k:{key}").into_bytes()
}

/// A server whose loads are answered by hand.
struct World {
    server: Server,
    seats: Vec<usize>,
    orders: Arc<Mutex<Vec<Order>>>,
    /// When each load was ordered, by its number.
    ordered: HashMap<u64, u64>,
    /// Operations so far.
    step: u64,
    /// When a key was written or removed last.
    changed: [u64; KEYS],
    /// What each client waits for: its keys, and when it asked.
    waits: Vec<Option<(Vec<usize>, u64)>>,
    /// Changes of its keys before it asked.
    floors: Vec<Vec<u64>>,
    /// What it has sent behind that already: a key, and its latest change before.
    sent: Vec<Option<(usize, u64)>>,
}

impl World {
    fn new(settings: Settings) -> World {
        let mut server = Server::new(settings);
        let orders = Arc::new(Mutex::new(Vec::new()));
        let outlet = orders.clone();
        let order = move |order| outlet.lock().expect("nobody panics").push(order);
        let upstream = Upstream::new("redis://there".to_owned(), &server.settings, order);
        server.upstream = Some(Box::new(upstream));
        let seats = (0..CLIENTS).map(|connection| {
            server.seat(Place { worker: 0, connection }, String::new(), String::new())
        });
        let seats = seats.collect();
        World {
            server,
            seats,
            orders,
            ordered: HashMap::new(),
            step: 1,
            changed: [0; KEYS],
            waits: vec![None; CLIENTS],
            floors: vec![Vec::new(); CLIENTS],
            sent: vec![None; CLIENTS],
        }
    }

    fn note_orders(&mut self) {
        for order in self.orders.lock().expect("nobody panics").iter() {
            self.ordered.entry(order.id).or_insert(self.step);
        }
    }

    /// A client asks, or asks again; whether it was answered.
    fn read(&mut self, client: usize, mut keys: Vec<usize>, is_again: bool) -> bool {
        if !is_again {
            self.floors[client] = keys.iter().map(|&key| self.changed[key]).collect();
            if let Some((key, floor)) = self.sent[client].take() {
                (keys, self.floors[client]) = (vec![key], vec![floor]);
            }
            self.waits[client] = Some((keys.clone(), self.step));
        }
        let names: Vec<Vec<u8>> = keys.iter().map(|&key| name(key)).collect();
        let mut one = self.server.take_client(self.seats[client]).expect("it sits");
        let verdict = ask(&mut self.server, &mut one, names.iter().map(|it| &**it), READ);
        let is_answered = match verdict {
            Verdict::Wait => {
                let next = (keys[0] + 1) % KEYS;
                let (key, _) = *self.sent[client].get_or_insert((next, self.changed[next]));
                foresee(&mut self.server, &mut one, &name(key), READ);
                false
            }
            Verdict::Fail(_) => true,
            Verdict::Run | Verdict::RunQuietly => {
                for (at, name) in names.iter().enumerate() {
                    self.check(name, keys[at], self.floors[client][at]);
                }
                done(&mut self.server);
                true
            }
        };
        self.server.put_client(self.seats[client], one);
        if is_answered {
            self.waits[client] = None;
        }
        self.note_orders();
        is_answered
    }

    /// What is read is no older than the latest write before it was asked for.
    fn check(&mut self, name: &[u8], key: usize, floor: u64) {
        let asked = self.server.keyspace.asked(DB, name);
        let found = self.server.keyspace.read(asked, self.server.now);
        let Some(text) = found.and_then(Object::as_text) else { return };
        let text = std::str::from_utf8(text).expect("values are text");
        let (kind, at) = text.split_at(1);
        let at: u64 = at.parse().expect("values end in a number");
        match kind {
            "W" => assert!(at >= floor && at <= self.changed[key], "{text}, {floor}"),
            _ => assert!(at >= floor, "loaded at {at}, written at {floor}"),
        }
    }

    fn write(&mut self, key: usize, value: bool) {
        let asked_name = name(key);
        let (server, step) = (&mut self.server, self.step);
        let asked = server.keyspace.asked(DB, &asked_name);
        let found = server.keyspace.find(asked, server.now);
        if value {
            let object = Object::text(DB, &asked_name, format!("W{step}").as_bytes());
            server.keyspace.put(asked.hash, object, Some(server.now + 400), found);
        } else if let Some(id) = found {
            server.keyspace.remove(id);
        }
        written(server, std::iter::once(&*asked_name));
        self.changed[key] = step;
    }

    fn answer(&mut self, pick: usize, how: u8) {
        let mut orders = self.orders.lock().expect("nobody panics");
        if orders.is_empty() {
            return;
        }
        let at = pick % orders.len();
        let order = orders.remove(at);
        drop(orders);
        // What is there was read when the load began: as old as it may be.
        let text = format!("L{}", self.ordered[&order.id]);
        let object = Object::text(DB, &order.key, text.as_bytes()).loaded();
        let brought = match how {
            0 => Err(Failure::unreachable("redis://there", "refused")),
            1 => Err(Failure::answered("redis://there", "no")),
            2 => Ok(Brought::Nothing),
            3 => Ok(Brought::Value(object, Lifetime::Passing)),
            4 => Ok(Brought::Value(object, Lifetime::Unsaid)),
            // Lost on the way.
            5 => return,
            _ => Ok(Brought::Value(object, Lifetime::For(u64::from(how) * 20))),
        };
        settle(&mut self.server, [Arrival { id: order.id, brought, took: 1 }]);
        self.note_orders();
        self.resume();
    }

    fn resume(&mut self) {
        for place in self.server.take_wakes() {
            let client = place.connection;
            if let Some((keys, _)) = self.waits[client].clone() {
                self.read(client, keys, true);
            }
        }
    }

    fn pass(&mut self, millis: u64) {
        self.server.now += millis;
        let now = self.server.now;
        self.server.keyspace.expire(now, 1_000);
        beat(&mut self.server);
        self.note_orders();
        self.resume();
    }
}

#[derive(Debug, Clone)]
enum Act {
    Read(usize, Vec<usize>),
    Write(usize, bool),
    Flush,
    Answer(usize, u8),
    Pass(u64),
    Leave(usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let read = (0..CLIENTS, proptest::collection::vec(0..KEYS, 1..4));
    let act = prop_oneof![
        6 => read.prop_map(|(client, keys)| Act::Read(client, keys)),
        2 => (0..KEYS, any::<bool>()).prop_map(|(key, value)| Act::Write(key, value)),
        1 => Just(Act::Flush),
        6 => (any::<usize>(), 0..12u8).prop_map(|(pick, how)| Act::Answer(pick, how)),
        3 => prop_oneof![1..50u64, 1..2_000u64].prop_map(Act::Pass),
        1 => (0..CLIENTS).prop_map(Act::Leave),
    ];
    proptest::collection::vec(act, 1..120)
}

fn settings(stale: u64, loads: usize, memory: u64) -> Settings {
    Settings {
        upstream_stale: stale,
        upstream_loads: loads,
        upstream_negative_ttl: stale,
        upstream_ttl: 1,
        memory,
        ..Settings::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn nobody_waits_for_ever_and_no_load_undoes_a_write(
        acts in acts(), stale in 0..3u64, loads in 1..8usize, is_small in any::<bool>()
    ) {
        let memory = if is_small { 200 } else { 1 << 20 };
        let mut world = World::new(settings(stale, loads, memory));
        for act in acts {
            world.step += 1;
            match act {
                Act::Read(client, keys) if world.waits[client].is_none() => {
                    world.read(client, keys, false);
                }
                // It was woken for something else.
                Act::Read(client, _) => {
                    let (keys, _) = world.waits[client].clone().expect("it waits");
                    world.read(client, keys, true);
                }
                Act::Write(key, value) => world.write(key, value),
                Act::Flush => {
                    world.server.keyspace.flush(None);
                    world.changed = [world.step; KEYS];
                }
                Act::Answer(pick, how) => world.answer(pick, how),
                Act::Pass(millis) => world.pass(millis),
                Act::Leave(client) => {
                    world.server.unseat(world.seats[client]);
                    (world.waits[client], world.sent[client]) = (None, None);
                    let place = Place { worker: 0, connection: client };
                    world.seats[client] =
                        world.server.seat(place, String::new(), String::new());
                }
            }
            let upstream = world.server.upstream.as_ref().expect("it has one");
            prop_assert!(upstream.flights.len() <= loads);
        }
        for _ in 0..3 {
            world.step += 1;
            world.orders.lock().expect("nobody panics").clear();
            world.pass(5_000);
        }
        prop_assert_eq!(vec![None; CLIENTS], world.waits);
        let upstream = world.server.upstream.as_ref().expect("it has one");
        prop_assert!(upstream.flights.is_empty() || upstream.counters.refreshes > 0);
    }
}

fn world() -> World {
    World::new(settings(5, 100, 1 << 20))
}

fn upstream(world: &World) -> &Upstream {
    world.server.upstream.as_ref().expect("it has one")
}

#[test]
fn a_load_is_made_once_for_all_who_ask() {
    let mut world = world();
    for client in 0..CLIENTS {
        assert!(!world.read(client, vec![0], false));
    }
    let of_key = |world: &World| {
        let orders = world.orders.lock().expect("nobody panics");
        orders.iter().filter(|order| *order.key == *name(0)).count()
    };
    assert_eq!(1, of_key(&world));
    world.answer(0, 11);
    assert_eq!(vec![None; CLIENTS], world.waits);
    world.sent[0] = None;
    assert!(world.read(0, vec![0], false));
}

#[test]
fn a_waiter_that_has_left_is_not_taken_for_who_sits_there_now() {
    let mut world = world();
    assert!(!world.read(0, vec![0], false));
    world.server.unseat(world.seats[0]);
    world.seats[0] =
        world.server.seat(Place { worker: 0, connection: 0 }, String::new(), String::new());
    assert!(!world.read(0, vec![1], false));
    world.answer(0, 11);
    assert!(world.waits[0].is_some());
    let handle = Handle {
        seat: world.seats[0],
        id: world.server.client(world.seats[0]).map_or(0, |it| it.id),
    };
    assert_eq!(Some(handle), world.server.client(world.seats[0]).map(|it| it.handle()));
}

#[test]
fn what_has_ended_is_served_where_a_load_fails_and_never_after_a_write() {
    let mut world = world();
    world.read(0, vec![0], false);
    world.answer(0, 11);
    world.pass(1_000);
    world.orders.lock().expect("nobody panics").clear();
    let get = |world: &mut World| {
        world.server.upstream.as_mut().expect("it has one").flights.revoke_all();
        world.sent[0] = None;
        assert!(!world.read(0, vec![0], false));
        let mut orders = world.orders.lock().expect("nobody panics");
        let id = orders.iter().find(|order| *order.key == *name(0)).expect("it is loaded").id;
        orders.clear();
        drop(orders);
        let failure = Failure::answered("redis://there", "no");
        settle(&mut world.server, [Arrival { id, brought: Err(failure), took: 1 }]);
        let before = upstream(world).counters.stale_served;
        world.resume();
        assert!(world.waits[0].is_none());
        upstream(world).counters.stale_served - before
    };
    assert_eq!(1, get(&mut world));
    world.write(0, false);
    assert_eq!(0, get(&mut world));
}

#[test]
fn nothing_is_kept_of_what_was_written_here() {
    let mut world = world();
    world.write(0, true);
    world.pass(1_000);
    assert_eq!((0, 0), upstream(&world).stale.size());
    let weight = Keyspace::weight(&Object::text(DB, &name(0), b"W1"));
    assert!(weight > 0);
}
