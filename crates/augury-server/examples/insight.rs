//! What it costs to know: processor time per request of the databases with and without the simulation
//! of other capacities and policies, and of the sample of hot keys alone.
//!
//! `insight KEYS ROUNDS`: a skewed stream over KEYS keys, GET and a SET where that missed, in a
//! keyspace that holds a tenth of them; rounds with and without alternate. Prints one JSON object.

use std::time::Instant;

use augury_replay::replay::PolicyName;
use augury_server::keyspace::popular::Popularity;
use augury_server::keyspace::{Keyspace, Plan};
use augury_server::object::Object;

/// Requests of a round.
const REQUESTS: u64 = 1_000_000;

/// A key of a skewed stream: the product of uniform numbers falls with its rank.
fn drawn(keys: u64) -> u64 {
    let (a, b, c) = (fastrand::f64(), fastrand::f64(), fastrand::f64());
    (keys as f64 * a * b * c) as u64
}

/// Nanoseconds per request.
fn round(keyspace: &mut Keyspace, stream: &[u64], now: u64) -> f64 {
    let begin = Instant::now();
    let mut key = String::new();
    for number in stream {
        key.clear();
        key.push_str("key:");
        key.push_str(itoa::Buffer::new().format(*number));
        let asked = keyspace.asked(0, key.as_bytes());
        if keyspace.read(asked, now).is_none() {
            let object = Object::text(0, key.as_bytes(), &[b'x'; 64]);
            keyspace.put(asked.hash, object, None, None);
        }
    }
    begin.elapsed().as_nanos() as f64 / stream.len() as f64
}

fn median(mut rounds: Vec<f64>) -> f64 {
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|it| it.parse::<u64>().ok());
    let (keys, rounds) = (arguments.next().unwrap_or(1_000_000), arguments.next().unwrap_or(5));
    fastrand::seed(1);
    let memory = keys / 10 * 150;
    let plan = Plan { policy: PolicyName::Auto, memory, seed: 1 };
    let (mut plain, mut simulating) = (Keyspace::new(plan), Keyspace::new(plan));
    simulating.simulate(true);
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for turn in 0..=rounds {
        let stream: Vec<u64> = (0..REQUESTS).map(|_| drawn(keys)).collect();
        let told = (round(&mut plain, &stream, turn), round(&mut simulating, &stream, turn));
        // The first round fills.
        if turn > 0 {
            without.push(told.0);
            with.push(told.1);
        }
    }
    let mut popularity = Popularity::new(1);
    let begin = Instant::now();
    (0..REQUESTS * 10).for_each(|at| popularity.note(at.wrapping_mul(0x9E37_79B9_7F4A_7C15), at));
    let sample = begin.elapsed().as_nanos() as f64 / (REQUESTS * 10) as f64;
    let (without, with) = (median(without), median(with));
    let share =
        |keyspace: &Keyspace| keyspace.stats().hits as f64 / keyspace.stats().requests() as f64;
    println!(
        "{{\"keys\": {keys}, \"rounds\": {rounds}, \"hit_ratio\": {:.3}, \"plain_ns\": {without:.1}, \
         \"simulating_ns\": {with:.1}, \"hot_keys_ns\": {sample:.1}, \"bytes\": {}}}",
        share(&plain),
        simulating.overhead_bytes().saturating_sub(plain.overhead_bytes()),
    );
}
