//! Trained models under the guard: when they rule, that a swap moves nothing, and that a bad one
//! does little harm.

use std::sync::Arc;

use augury_core::guard::{Auto, Guard};
use augury_core::hash::mix;
use augury_core::model::features::{NAMES, WIDTH};
use augury_core::model::predictor::{Activation, Form, Layer, Link, Meaning, Network, Predictor};
use augury_core::policy::Policy;
use augury_core::random::Random;
use augury_core::shard::{Drop, Shard};

type Cache = Shard<(), (), Auto>;

fn cache(capacity: u64) -> Cache {
    Shard::new(capacity, Auto::with_chooser(1, Guard::default()))
}

fn request(cache: &mut Cache, key: u64) -> bool {
    let access = cache.begin(mix(key), key, 1);
    let found = cache.store().candidates(access.hash).next();
    match found {
        Some(id) => cache.hit(id, &access, &mut Drop),
        None => {
            cache.miss(&access);
            cache.insert(&access, (), (), None, &mut Drop);
        }
    }
    found.is_some()
}

/// Probability of reuse as the logistic function of one feature.
fn model(feature: &str, weight: f64, is_proven: bool) -> Arc<Predictor> {
    let mut weights = vec![0.0; WIDTH];
    weights[NAMES.iter().position(|(name, _)| *name == feature).unwrap()] = weight;
    let layers = vec![Layer { weights, biases: vec![0.0] }];
    let network = Network::new(&[0.0; WIDTH], &[1.0; WIDTH], layers, Activation::Identity).unwrap();
    Arc::new(Predictor {
        form: Form::Network(network),
        link: Link::Logistic,
        meaning: Meaning::Probability,
        is_proven,
    })
}

/// Popular objects, and a stream of others that are asked for once.
fn traffic(random: &mut Random, now: u64) -> u64 {
    let popular = u64::from(random.below(1 + random.clone().below(2_000)));
    if now.is_multiple_of(3) { 1_000_000 + now } else { popular }
}

fn misses(cache: &mut Cache, requests: u64) -> u64 {
    let mut random = Random::new(5);
    (0..requests).filter(|&now| !request(cache, traffic(&mut random, now))).count() as u64
}

#[test]
fn a_proven_model_is_on_trial_at_once_and_none_rules_before_its_shadow_leads() {
    let mut cache = cache(300);
    misses(&mut cache, 20_000);
    let live = |cache: &Cache| {
        let explanation = cache.explain(0, None).unwrap();
        let learned = explanation
            .opinions
            .iter()
            .filter(|opinion| opinion.is_live && opinion.expert.name().starts_with("learned"));
        learned.count()
    };
    let before = cache.policy().ruling();
    for (is_proven, expected) in [(false, 0), (true, 2)] {
        cache.set_predictor(Some(model("log_density", 0.5, is_proven)));
        assert_eq!((before, expected), (cache.policy().ruling(), live(&cache)));
    }
    cache.set_predictor(None);
    assert_eq!((before, 0), (cache.policy().ruling(), live(&cache)));
}

#[test]
fn a_swap_flushes_nothing() {
    let mut cache = cache(300);
    misses(&mut cache, 20_000);
    let resident = |cache: &Cache| -> Vec<u64> {
        let slots = cache.store().slots();
        slots.iter_live().map(|id| slots.hash(id)).collect()
    };
    let before = resident(&cache);
    for proven in [true, false, true] {
        cache.set_predictor(Some(model("log_age", -1.0, proven)));
        assert_eq!(before, resident(&cache));
        cache.set_predictor(None);
        assert_eq!(before, resident(&cache));
    }
}

#[test]
fn a_model_that_is_wrong_does_little_harm() {
    let requests = 200_000;
    let plain = misses(&mut cache(300), requests);
    for (feature, weight) in [("log_density", -0.5), ("log_heat", -2.0), ("log_size", 1.0)] {
        let mut cache = cache(300);
        cache.set_predictor(Some(model(feature, weight, true)));
        let found = misses(&mut cache, requests);
        let excess = (found as f64 - plain as f64) / requests as f64;
        assert!(excess < 0.01, "{feature} {weight}: {excess}");
    }
}

#[test]
fn a_swap_in_the_middle_of_anything_leaves_the_cache_sound() {
    let mut random = Random::new(9);
    let mut cache = cache(100);
    for now in 0..30_000 {
        request(&mut cache, traffic(&mut random, now));
        match random.below(500) {
            0 => cache.set_predictor(None),
            1 => cache.set_predictor(Some(model("log_heat", 1.0, now % 2 == 0))),
            2 => cache.resize(u64::from(20 + random.below(200)), &mut Drop),
            _ => {}
        }
        assert!(cache.store().used() <= cache.capacity());
    }
}
