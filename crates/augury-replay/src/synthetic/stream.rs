//! A synthetic workload as a stream of requests, like a trace read from a file.

use rand::SeedableRng;
use rand_pcg::Pcg64;

use super::parameters::Values;
use crate::trace::reader::RecordStream;
use crate::trace::{Request, TraceError};

/// Draws one request after another.
pub(super) trait Generator: Send {
    /// The next request at `now` seconds. Everything random comes from `random`; the caller sets
    /// the request's time.
    fn draw(&mut self, now: f64, random: &mut Pcg64) -> Request;

    /// The time of the latest request in seconds, where its shape gives it one of its own.
    fn clock(&self) -> Option<f64> {
        None
    }
}

/// `n` requests of one generator, `rate` of them per second.
pub(super) struct SyntheticStream {
    generator: Box<dyn Generator>,
    random: Pcg64,
    index: u64,
    requests: u64,
    rate: f64,
}

impl SyntheticStream {
    pub(super) fn new(generator: Box<dyn Generator>, values: &Values) -> Self {
        SyntheticStream {
            generator,
            random: Pcg64::seed_from_u64(values.count("seed")),
            index: 0,
            requests: values.count("n"),
            rate: values.real("rate"),
        }
    }
}

impl RecordStream for SyntheticStream {
    fn fill(&mut self, out: &mut Vec<Request>, limit: usize) -> Result<(), TraceError> {
        let count = (self.requests - self.index).min(limit as u64);
        for _ in 0..count {
            let now = self.index as f64 / self.rate;
            let request = self.generator.draw(now, &mut self.random);
            let now = self.generator.clock().unwrap_or(now);
            out.push(Request { time: now as u64, ..request });
            self.index += 1;
        }
        Ok(())
    }

    fn length_hint(&self) -> Option<u64> {
        Some(self.requests)
    }
}
