//! A session: a cache that is replayed step by step, so that somebody can train while it runs.
//!
//! Between steps the latest rows can be looked at and a model loaded, exchanged or let go of. A
//! model of a probability is watched ([`augury_core::drift`]) from when it comes in. What is done
//! about an alarm is the caller's business.

use std::sync::Arc;

use augury_core::drift::{Detector, Watch};
use augury_core::metrics::Stats;
use augury_core::model::predictor::{Meaning, Predictor};
use augury_core::policy::Policy;
use augury_core::sampler::Sampler;

use crate::dataset::{Dataset, SampledCache};
use crate::trace::Request;

/// Requests between two looks at what has become certain.
const STRIDE: usize = 256;

/// What to sample while a session runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// Rows per request.
    pub rate: f64,
    /// Rows that are kept, the latest.
    pub rows: usize,
}

/// See the module's head.
pub struct Session {
    sampled: SampledCache,
    watch: Option<Watch>,
}

impl Session {
    /// An empty cache under `auto`, without a model.
    pub fn new(capacity: u64, sampling: Sampling, seed: u64) -> Self {
        let Sampling { rate, rows } = sampling;
        let sampler = Sampler::new(rate, rows, seed);
        let memory = if rate > 0.0 { rows as f64 / rate } else { f64::INFINITY };
        Session { sampled: SampledCache::new(capacity, sampler, memory, seed), watch: None }
    }

    /// Replays the next requests.
    pub fn feed(&mut self, requests: &[Request]) {
        for chunk in requests.chunks(STRIDE) {
            chunk.iter().for_each(|request| self.sampled.request(request));
            if let Some(watch) = &mut self.watch {
                // The request of this tick is yet to come.
                let next = self.sampled.cache().shard().tick();
                watch.advance(self.sampled.sampler(), next.saturating_sub(1));
            }
        }
    }

    /// Loads a model, in place of the one there is, if any; it has to earn its right to rule anew.
    /// One of a probability within a `horizon` in requests is watched from now on; that needs rows
    /// to be kept for longer.
    pub fn load(&mut self, predictor: Arc<Predictor>, horizon: Option<u64>) {
        self.watch(&predictor, horizon);
        self.sampled.cache_mut().set_predictor(Some(predictor));
    }

    /// As [`Session::load`], for a model trained on the rows of this session and better than the
    /// one before it: it takes over what that one has earned or lost, and is on trial at once.
    pub fn renew(&mut self, predictor: Arc<Predictor>, horizon: Option<u64>) {
        self.watch(&predictor, horizon);
        self.sampled.cache_mut().renew_predictor(predictor);
    }

    fn watch(&mut self, predictor: &Arc<Predictor>, horizon: Option<u64>) {
        let sampler = self.sampled.sampler();
        let is_probability = predictor.meaning == Meaning::Probability;
        self.watch = horizon
            .filter(|_| is_probability)
            .map(|horizon| Watch::new(Arc::clone(predictor), horizon, sampler));
    }

    /// Lets go of the model: the built-in rankings decide.
    pub fn unload(&mut self) {
        self.watch = None;
        self.sampled.cache_mut().set_predictor(None);
    }

    /// What was found of the model since it came in, where it is watched.
    pub fn drift(&self) -> Option<&Detector> {
        self.watch.as_ref().map(Watch::detector)
    }

    /// The latest rows, what is still waited for censored now.
    pub fn dataset(&self) -> Dataset {
        self.sampled.dataset()
    }

    /// The cache's counters.
    pub fn stats(&self) -> &Stats {
        self.sampled.cache().stats()
    }

    /// Requests replayed, writes included.
    pub fn requests(&self) -> u64 {
        self.sampled.cache().shard().tick()
    }

    /// What rules now.
    pub fn ruling(&self) -> Option<&'static str> {
        self.sampled.cache().policy().ruling()
    }

    /// Bytes held by engine, rows and watch.
    pub fn memory_bytes(&self) -> usize {
        self.sampled.cache().memory_bytes()
            + self.sampled.sampler().memory_bytes()
            + self.watch.as_ref().map_or(0, Watch::memory_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use augury_core::guard::{Auto, Guard};
    use augury_core::model::features::WIDTH;
    use augury_core::model::predictor::{Activation, Form, Layer, Link, Network};
    use augury_core::random::Random;

    use crate::replay::Drive;

    const CAPACITY: u64 = 50;
    const HORIZON: u64 = 100;
    const SAMPLING: Sampling = Sampling { rate: 0.25, rows: 2_000 };

    /// Every object is as likely as any other.
    fn uniform(count: usize, objects: u32, seed: u64) -> Vec<Request> {
        let mut random = Random::new(seed);
        (0..count).map(|_| Request::read(u64::from(random.below(objects)), 1)).collect()
    }

    /// A model that says the same of every row.
    fn constant(probability: f64, meaning: Meaning) -> Arc<Predictor> {
        let bias = (probability / (1.0 - probability)).ln();
        let layer = Layer { weights: vec![0.0; WIDTH], biases: vec![bias] };
        let network = Network::new(&[0.0; WIDTH], &[1.0; WIDTH], vec![layer], Activation::Identity);
        let form = Form::Network(network.expect("one layer to one output"));
        Arc::new(Predictor { form, link: Link::Logistic, meaning, is_proven: false })
    }

    /// The chance that one of so many objects is asked for within the horizon.
    fn chance(objects: f64) -> f64 {
        1.0 - (1.0 - 1.0 / objects).powi(HORIZON as i32)
    }

    #[test]
    fn sampling_changes_nothing_in_the_cache() {
        let requests = uniform(20_000, 200, 1);
        let mut session = Session::new(CAPACITY, SAMPLING, 3);
        requests.chunks(777).for_each(|chunk| session.feed(chunk));
        let mut plain = Drive::new(CAPACITY, Auto::with_chooser(3, Guard::default()));
        plain.feed(&requests);
        assert_eq!((20_000, plain.stats()), (session.requests(), session.stats()));
    }

    #[test]
    fn a_model_that_holds_is_left_alone_and_one_that_no_longer_does_is_found() {
        for seed in 0..8 {
            let mut session = Session::new(CAPACITY, SAMPLING, seed);
            session.feed(&uniform(20_000, 200, seed));
            assert!(session.drift().is_none(), "there is no model");
            session.load(constant(chance(200.0), Meaning::Probability), Some(HORIZON));
            session.feed(&uniform(200_000, 200, seed + 100));
            let labelled = session.drift().expect("a model").labelled();
            assert!(labelled > 10_000, "seed {seed}: {labelled}");
            assert_eq!(None, session.drift().and_then(Detector::alarm), "seed {seed}");
            session.feed(&uniform(20_000, 2_000, seed + 200));
            let found = session.drift().and_then(Detector::alarm).expect("one tenth the rate");
            assert!((219_000..223_000).contains(&found.since), "seed {seed}: {found:?}");
            assert!(found.seen < 0.2 && found.rows < 2_000, "seed {seed}: {found:?}");
            session.unload();
            assert!(session.drift().is_none());
        }
    }

    #[test]
    fn rows_of_one_object_within_a_horizon_count_once() {
        let horizon = 5_000;
        let mut session = Session::new(CAPACITY, SAMPLING, 1);
        session.feed(&uniform(5_000, 200, 1));
        session.load(constant(0.9, Meaning::Probability), Some(horizon));
        session.feed(&uniform(4_900, 200, 2));
        assert_eq!(0, session.drift().map_or(9, Detector::labelled), "no horizon has passed");
        session.feed(&uniform(5_000, 200, 3));
        let labelled = session.drift().map_or(0, Detector::labelled);
        assert!((1..=200).contains(&labelled), "{labelled} of 200 objects");
    }

    #[test]
    fn a_wait_is_no_probability_and_not_watched() {
        let mut session = Session::new(CAPACITY, SAMPLING, 1);
        session.load(constant(0.5, Meaning::LogWait), Some(HORIZON));
        session.feed(&uniform(2_000, 200, 1));
        assert!(session.drift().is_none());
    }
}
