//! Drift: whether what a trained model says of a running cache comes true.
//!
//! Beside the flow. A [`Sampler`] takes rows at random decision points; when the model's horizon has
//! passed for a row, and not before, it is certain whether the object was reused within it, whatever
//! came sooner. Then the model is asked what it says of the row, and both go to the [`Detector`].
//! Two rows of one object whose horizons overlap would tell of the same event twice: the second is
//! left out.
//!
//! Time is ticks. Work: one answer of the model per row. Memory: the rows of one horizon. What
//! follows from an alarm, this module must not know.

mod detector;

use std::collections::VecDeque;
use std::sync::Arc;

use rustc_hash::FxHashSet;

pub use detector::{Alarm, Detector, Quality};

use crate::model::predictor::Predictor;
use crate::request::Tick;
use crate::sampler::Sampler;

/// One model being watched. See the module's head.
#[derive(Debug)]
pub struct Watch {
    predictor: Arc<Predictor>,
    horizon: u64,
    detector: Detector,
    /// The first row of the sampler that is not labelled yet.
    next: u64,
    /// Rows of the last horizon that were counted, by object and in order.
    counted: FxHashSet<u64>,
    order: VecDeque<(Tick, u64)>,
}

impl Watch {
    /// Watches a model of *reused within `horizon` requests*, from the sampler's next row on.
    pub fn new(predictor: Arc<Predictor>, horizon: u64, sampler: &Sampler) -> Self {
        Watch {
            predictor,
            horizon,
            detector: Detector::default(),
            next: sampler.taken(),
            counted: FxHashSet::default(),
            order: VecDeque::new(),
        }
    }

    /// Labels what has become certain, all requests up to `now` having been seen.
    pub fn advance(&mut self, sampler: &Sampler, now: Tick) {
        // Rows that the sampler no longer keeps will never be labelled.
        self.next = self.next.max(sampler.first());
        for sample in sampler.since(self.next) {
            if sample.tick + self.horizon > now {
                break;
            }
            self.next += 1;
            if self.is_first(sample.hash, sample.tick) {
                let is_reused = sample.is_observed && sample.wait <= self.horizon;
                self.detector.observe(self.predictor.predict(&sample.row), is_reused, sample.tick);
            }
        }
    }

    /// Whether no counted row of the object has a horizon that reaches to this tick.
    fn is_first(&mut self, hash: u64, tick: Tick) -> bool {
        while let Some(&(old, object)) = self.order.front()
            && old + self.horizon <= tick
        {
            self.order.pop_front();
            self.counted.remove(&object);
        }
        let is_first = self.counted.insert(hash);
        if is_first {
            self.order.push_back((tick, hash));
        }
        is_first
    }

    /// What was found so far.
    pub fn detector(&self) -> &Detector {
        &self.detector
    }

    /// Bytes held, the model's apart.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>()
            + self.counted.capacity() * size_of::<u64>()
            + self.order.capacity() * size_of::<(Tick, u64)>()
    }
}
