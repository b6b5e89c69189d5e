//! What happens per second: means over the latest samples, as INFO's `instantaneous_` fields show.

use augury_core::clock::Millis;

use crate::server::Counters;

/// Samples in a mean.
const SAMPLES: usize = 16;
/// Time between samples.
const APART_MILLIS: Millis = 100;

/// Commands, bytes read and bytes written.
type Counts = [u64; 3];

/// See the module's head.
#[derive(Debug, Default)]
pub struct Rates {
    samples: [Counts; SAMPLES],
    next: usize,
    last: Option<(Millis, Counts)>,
}

impl Rates {
    /// The counters at this time; more often than a sample is taken costs nothing.
    pub fn sample(&mut self, now: Millis, counters: &Counters) {
        let counts = [counters.commands, counters.read_bytes, counters.written_bytes];
        if let Some((before, earlier)) = self.last {
            let passed = now.saturating_sub(before);
            if passed < APART_MILLIS {
                return;
            }
            for (at, rate) in self.samples[self.next].iter_mut().enumerate() {
                *rate = (counts[at] - earlier[at]) * 1_000 / passed;
            }
            self.next = (self.next + 1) % SAMPLES;
        }
        self.last = Some((now, counts));
    }

    fn mean(&self, at: usize) -> u64 {
        self.samples.iter().map(|rates| rates[at]).sum::<u64>() / SAMPLES as u64
    }

    /// Commands per second.
    pub fn commands(&self) -> u64 {
        self.mean(0)
    }

    /// Bytes read per second.
    pub fn read_bytes(&self) -> u64 {
        self.mean(1)
    }

    /// Bytes written per second.
    pub fn written_bytes(&self) -> u64 {
        self.mean(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_stream_shows_its_rate() {
        let mut rates = Rates::default();
        for beat in 0..=200 {
            // 7 commands in 10 ms, and a sample each 100 ms.
            let counters = Counters { commands: beat * 7, ..Counters::default() };
            rates.sample(beat * 10, &counters);
        }
        assert_eq!((700, 0), (rates.commands(), rates.read_bytes()));
    }
}
