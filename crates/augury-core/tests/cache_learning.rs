//! What learning needs of a running cache: rows as serving sees them, explanations, and a model
//! exchanged while it works.

use augury_core::cache::{Cache, Gone, Newcomer, Pure, When};
use augury_core::clock::ManualClock;
use augury_core::guard::{Auto, Guard};
use augury_core::hash::mix;
use augury_core::metrics::RemovalCause;
use augury_core::model::features::WIDTH;
use augury_core::model::predictor::{Activation, Form, Layer, Link, Meaning, Network, Predictor};
use augury_core::policy::explanation::Explanation;
use augury_core::policy::{Policy, Verdict};
use augury_core::request::{Access, Tick};
use augury_core::sampler::Sampler;
use augury_core::slots::{SlotId, Slots};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

type Served<P> = Cache<u64, (), P, ManualClock>;

/// A model that answers with one feature of the row.
fn repeats(feature: usize) -> Arc<Predictor> {
    let mut weights = vec![0.0; WIDTH];
    weights[feature] = 1.0;
    let layers = vec![Layer { weights, biases: vec![0.0] }];
    let network = Network::new(&[0.0; WIDTH], &[1.0; WIDTH], layers, Activation::Identity);
    let form = Form::Network(network.unwrap());
    let (link, meaning) = (Link::Identity, Meaning::LogWait);
    Arc::new(Predictor { form, link, meaning, is_proven: true })
}

fn auto(at: usize) -> Auto {
    Auto::with_chooser(at as u64, Guard::default())
}

fn explain<P: Policy>(cache: &Served<P>, key: u64) -> Explanation {
    let probe = Pure(|resident: &u64| *resident == key);
    let Ok(found) = cache.explain(mix(key), probe, &mut Gone::new());
    found.expect("auto explains itself")
}

fn prediction<P: Policy>(cache: &Served<P>, key: u64) -> Option<f64> {
    explain(cache, key).standing.and_then(|standing| standing.prediction)
}

/// A get, and a set where it was a miss.
fn request<P: Policy>(cache: &Served<P>, key: u64) {
    let probe = || Pure(move |resident: &u64| *resident == key);
    let Ok(found) = cache.get(mix(key), probe(), &mut Gone::new());
    if found.is_none() {
        let size = 1 + key as u32 % 7;
        let newcomer = Newcomer {
            hash: mix(key),
            key,
            value: (),
            size,
            deadline: None,
            is_forced: false,
            namespace: 0,
            heard: 0,
        };
        let Ok(_) = cache.insert(newcomer, When::Always, probe(), &mut Gone::new());
    }
}

fn key_at(at: u64) -> u64 {
    at * at % 499 + at % 101
}

#[test]
fn sampled_rows_are_those_that_serving_sees() {
    for feature in 0..WIDTH {
        let cache: Served<Auto> = Cache::new(100, 1, ManualClock::default(), auto);
        cache.keep_samples(1_000_000, 1);
        cache.set_predictor(Some(repeats(feature)));
        let (mut known, mut compared) = (0, 0);
        for at in 0..700 {
            let served: HashMap<u64, f64> = cache
                .entries()
                .filter_map(|(key, ())| Some((mix(key), prediction(&cache, key)?)))
                .collect();
            request(&cache, key_at(at));
            let samples = cache.sampled().unwrap().samples;
            for sample in &samples[known..] {
                assert_eq!(at - 1, sample.tick);
                assert_eq!(served[&sample.hash], f64::from(sample.row[feature]));
                compared += 1;
            }
            known = samples.len();
        }
        assert!(compared > 80, "{compared}");
    }
}

#[test]
fn waits_are_answered_by_gets_and_the_rows_are_bounded() {
    let cache: Served<Auto> = Cache::new(200, 1, ManualClock::default(), auto);
    assert!(cache.sampled().is_none());
    cache.keep_samples(500, 1);
    let keys: Vec<u64> = (0..20_000).map(key_at).collect();
    keys.iter().for_each(|&key| request(&cache, key));
    let found = cache.sampled().unwrap();
    assert_eq!((500, 20_000), (found.samples.len(), found.requests));
    assert!(found.samples.is_sorted_by_key(|sample| sample.tick));
    // At the rate of one in four they reach back 2,000 requests or more.
    assert!(found.samples[0].tick < 18_200, "{}", found.samples[0].tick);
    assert!(found.residence() > 50.0 && found.residence() < 1_000.0, "{}", found.residence());
    for sample in found.samples {
        let after = &keys[sample.tick as usize + 1..];
        let next = after.iter().position(|&key| mix(key) == sample.hash).map(|at| at as u64 + 1);
        let expected = next.unwrap_or(20_000 - sample.tick);
        assert_eq!((expected, next.is_some()), (sample.wait, sample.is_observed));
    }
    cache.keep_samples(0, 1);
    assert!(cache.sampled().is_none());
}

#[test]
fn shards_share_journal_model_and_rows() {
    let cache: Served<Auto> = Cache::new(400, 4, ManualClock::default(), auto);
    cache.keep_journal(4_000);
    cache.keep_samples(1_000, 1);
    cache.set_predictor(Some(repeats(0)));
    (0..20_000).for_each(|at| request(&cache, key_at(at)));
    let found = cache.sampled().unwrap();
    assert!((500..=1_000).contains(&found.samples.len()), "{}", found.samples.len());
    assert!(found.samples.iter().all(|sample| sample.tick + sample.wait <= found.requests));
    let residents: Vec<u64> = cache.entries().map(|(key, ())| key).collect();
    assert!(residents.iter().all(|&key| prediction(&cache, key).is_some()));
    let gone = (0..600).filter(|key| !residents.contains(key));
    let decided = gone.filter(|&key| !explain(&cache, key).decisions.is_empty()).count();
    assert!(decided > 300, "{decided}");
    cache.set_predictor(None);
    assert!(residents.iter().all(|&key| prediction(&cache, key).is_none()));
    assert_eq!(residents.len(), cache.len(), "a model comes and goes without a flush");
}

/// `auto` that panics at a hit when told to.
struct Faulty {
    auto: Auto,
    armed: Arc<AtomicBool>,
}

impl Policy for Faulty {
    type Record = <Auto as Policy>::Record;

    fn set_capacity(&mut self, capacity: u64) {
        self.auto.set_capacity(capacity);
    }

    fn set_predictor(&mut self, predictor: Option<Arc<Predictor>>) {
        self.auto.set_predictor(predictor);
    }

    fn keep_journal(&mut self, limit: usize) {
        self.auto.keep_journal(limit);
    }

    fn explain(
        &self,
        slots: &Slots<Self::Record>,
        hash: u64,
        id: Option<SlotId>,
        now: Tick,
    ) -> Option<Explanation> {
        self.auto.explain(slots, hash, id, now)
    }

    fn show(&self, slots: &Slots<Self::Record>, sampler: &mut Sampler, now: Tick) {
        self.auto.show(slots, sampler, now);
    }

    fn on_hit(&mut self, slots: &mut Slots<Self::Record>, id: SlotId, access: &Access) {
        assert!(!self.armed.swap(false, Ordering::Relaxed), "a faulty policy");
        self.auto.on_hit(slots, id, access);
    }

    fn on_miss(&mut self, slots: &Slots<Self::Record>, access: &Access) {
        self.auto.on_miss(slots, access);
    }

    fn victim(
        &mut self,
        slots: &mut Slots<Self::Record>,
        incoming: Option<&Access>,
        now: Tick,
    ) -> Verdict {
        self.auto.victim(slots, incoming, now)
    }

    fn on_insert(&mut self, slots: &mut Slots<Self::Record>, id: SlotId, access: &Access) {
        self.auto.on_insert(slots, id, access);
    }

    fn on_remove(
        &mut self,
        slots: &mut Slots<Self::Record>,
        id: SlotId,
        cause: RemovalCause,
        now: Tick,
    ) {
        self.auto.on_remove(slots, id, cause, now);
    }

    fn memory_bytes(&self) -> usize {
        self.auto.memory_bytes()
    }
}

#[test]
fn a_shard_that_takes_over_after_a_panic_has_model_journal_and_rows() {
    let armed = Arc::new(AtomicBool::new(false));
    let trigger = armed.clone();
    let policy = move |at| Faulty { auto: auto(at), armed: armed.clone() };
    let cache: Served<Faulty> = Cache::new(50, 1, ManualClock::default(), policy);
    cache.keep_journal(1_000);
    cache.keep_samples(1_000, 1);
    cache.set_predictor(Some(repeats(0)));
    trigger.store(true, Ordering::Relaxed);
    let hits = || (0..1_000).for_each(|at| request(&cache, at % 10));
    assert!(catch_unwind(AssertUnwindSafe(hits)).is_err());
    (0..2_000).for_each(|at| request(&cache, key_at(at)));
    assert_eq!(1, cache.rebuilt());
    let (resident, ()) = cache.entries().next().unwrap();
    assert!(prediction(&cache, resident).is_some());
    assert!(explain(&cache, resident).recorded_since.is_some());
    assert!(!cache.sampled().unwrap().samples.is_empty());
}
