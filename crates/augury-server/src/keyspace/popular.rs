//! The keys that are asked for most, lately: by a sample of the requests, in bounded memory.
//!
//! One request in [`APART`], by random gaps (a fixed gap would meet a client that goes round always at
//! the same key), is counted under its hash with a weight that halves every minute: see
//! `augury_core::frequency` for how near that comes. Keys are not kept: who is asked for much is
//! resident, and is looked up by its hash when somebody asks. Between samples a request costs one
//! subtraction.

use augury_core::clock::Millis;
use augury_core::frequency::{Decayed, Precision};
use augury_core::random::Random;

/// Requests per sample, on average.
const APART: u32 = 64;
/// After so long a request counts half.
const HALF_LIFE_MILLIS: f64 = 60_000.0;
/// Some 70 KiB: with 512 keys everyone above a five-hundredth of all requests is among them.
const PRECISION: Precision = Precision { sketch_width: 1_024, heavy_hitters: 512 };

/// What is asked for much.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Popular {
    /// Its hash.
    pub hash: u64,
    /// Its share of all requests.
    pub share: f64,
    /// Requests for it per second.
    pub per_second: f64,
}

/// See the module's head.
pub struct Popularity {
    counts: Decayed<u64>,
    random: Random,
    /// Requests until the next sample.
    gap: u32,
    since: Option<Millis>,
}

impl Popularity {
    /// Nothing was asked for yet.
    pub fn new(seed: u64) -> Popularity {
        let counts = Decayed::new(HALF_LIFE_MILLIS, PRECISION);
        Popularity { counts, random: Random::new(seed), gap: 1, since: None }
    }

    /// One request.
    #[inline]
    pub fn note(&mut self, hash: u64, now: Millis) {
        self.gap -= 1;
        if self.gap == 0 {
            self.sample(hash, now);
        }
    }

    #[cold]
    fn sample(&mut self, hash: u64, now: Millis) {
        // From 1 to twice the mean less 1, each as likely as the others.
        self.gap = 1 + self.random.below(2 * APART - 1);
        let since = *self.since.get_or_insert(now);
        self.counts.record(hash, &hash, now.saturating_sub(since) as f64);
    }

    /// What is asked for most, the most first.
    pub fn latest(&self, now: Millis) -> impl Iterator<Item = Popular> {
        let passed = self.since.map_or(0, |since| now.saturating_sub(since)) as f64;
        // Of a steady stream so many seconds' requests are in the sum.
        let life_seconds = HALF_LIFE_MILLIS / 1_000.0 / std::f64::consts::LN_2;
        let seconds = life_seconds * (1.0 - (-passed / HALF_LIFE_MILLIS).exp2());
        let rate = self.counts.requests() * f64::from(APART) / seconds.max(1.0);
        let found = self.counts.heavy_hitters().into_iter();
        found.map(move |(hash, share)| Popular { hash, share, per_second: share * rate })
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        self.counts.memory_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use augury_core::hash::mix;

    #[test]
    fn who_is_asked_for_most_comes_first_with_its_share_and_rate() {
        let mut popularity = Popularity::new(7);
        let mut random = Random::new(3);
        // A million requests in ten seconds: a third for one key, a tenth for another.
        for request in 0..1_000_000u64 {
            let key = match random.below(30) {
                0..10 => 1,
                10..13 => 2,
                _ => 1_000 + u64::from(random.below(100_000)),
            };
            popularity.note(mix(key), request / 100);
        }
        let found: Vec<Popular> = popularity.latest(10_000).take(2).collect();
        assert_eq!(vec![mix(1), mix(2)], found.iter().map(|it| it.hash).collect::<Vec<_>>());
        assert!((found[0].share - 0.333).abs() < 0.02, "{found:?}");
        assert!((found[0].per_second / 33_333.0 - 1.0).abs() < 0.1, "{found:?}");
        assert!(popularity.memory_bytes() < 80 << 10, "{}", popularity.memory_bytes());
    }

    #[test]
    fn a_client_that_goes_round_is_seen_whole() {
        let mut popularity = Popularity::new(7);
        (0..640_000u64).for_each(|request| popularity.note(mix(request % 64), request / 100));
        let shares: Vec<f64> = popularity.latest(6_400).map(|it| it.share).collect();
        assert_eq!(64, shares.len());
        assert!(shares[0] < 0.04, "{shares:?}");
    }
}
