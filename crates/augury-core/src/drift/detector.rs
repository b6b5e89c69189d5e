//! Whether probabilities still come true: risk-adjusted cumulative sums.
//!
//! A row whose model said `p` was reused or not. Where the model is calibrated the odds of reuse are
//! `p / (1 - p)`; drift is that, among rows told about the same, they have become [`RATIO`] times as
//! high, or as low. Page's cumulative sum ("Continuous inspection schemes", Biometrika 41, 1954) of
//! the log likelihood ratio of the two tests it row by row, each with the risk that was told for it:
//! Steiner, Cook, Farewell and Treasure, "Monitoring surgical performance using risk-adjusted
//! cumulative sum charts", Biostatistics 1, 2000. A sum falls on average where predictions hold or are
//! off by less than about the square root of the ratio, and starts again at 0; past [`LIMIT`] it
//! is an alarm. Where it last stood at 0 is the estimate of when the change began.
//!
//! There are two sums, higher and lower, for each of eight ranges of `p`. So an overall change of rates,
//! a model that tells nothing apart any more and one that is inverted are all found, while a model
//! whose probabilities hold raises no alarm however little they are worth.
//!
//! Features such as counts grow while a cache runs, so on traffic that does not change at all, models
//! end up off by a factor of up to two, slowly. That is tolerated: each range has a correction of
//! its odds, learned from its latest rows ([`MEMORY`]) and never by more than [`TOLERATED`]; drift is
//! what is off beyond it, or faster than it follows.
//!
//! For independent rows, the mean number of rows to a false alarm is at least e^[`LIMIT`] per sum
//! (Lorden, "Procedures for reacting to a change in distribution", Annals of Mathematical Statistics
//! 42, 1971). Rows of one traffic are not independent: that is what the limit's size is for. On
//! recorded and made traffic whose nature stays, sums stayed below 22; see
//! docs/decisions/0015.
//!
//! Cost: some logarithms a row. Memory: under a kilobyte. This module must not know what a row is.

use crate::request::Tick;

/// By how much odds must change to be drift.
const RATIO: f64 = 2.5;
/// Where a sum is an alarm.
const LIMIT: f64 = 24.0;
/// By how much the odds of a range are corrected at most; by how many of its latest rows; and rows'
/// worth of belief that nothing is to be corrected.
const TOLERATED: f64 = 2.0;
const MEMORY: f64 = 1_000.0;
const BELIEF: f64 = 100.0;
/// Upper ends of the ranges of probability but the last, which ends at 1.
const ENDS: [f64; RANGES - 1] = [0.015, 0.03, 0.06, 0.12, 0.25, 0.5, 0.75];
const RANGES: usize = 8;
/// No probability is believed to be nearer to 0 or 1.
const CERTAIN: f64 = 0.002;
/// Rows that the reported log loss is a mean over, about.
const RECENT: f64 = 2_000.0;

/// One cumulative sum.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    score: f64,
    /// What was added since it last stood at 0.
    rows: u64,
    told: f64,
    reused: u64,
    since: Tick,
}

impl Sum {
    fn add(&mut self, evidence: f64, told: f64, is_reused: bool, tick: Tick) {
        if self.rows == 0 {
            self.since = tick;
        }
        self.score += evidence;
        self.rows += 1;
        self.told += told;
        self.reused += u64::from(is_reused);
        if self.score <= 0.0 {
            *self = Sum::default();
        }
    }
}

/// Latest rows of a range, older ones weighing less.
#[derive(Debug, Clone, Copy, Default)]
struct Range {
    rows: f64,
    told: f64,
    reused: f64,
}

impl Range {
    /// What is told, its odds corrected.
    fn corrected(&self, told: f64) -> f64 {
        let mean = |sum: f64| (sum + BELIEF * told) / (self.rows + BELIEF);
        let odds = |share: f64| share / (1.0 - share);
        let factor = odds(mean(self.reused)) / odds(mean(self.told));
        let factor = factor.clamp(1.0 / TOLERATED, TOLERATED);
        factor * told / (1.0 - told + factor * told)
    }

    fn add(&mut self, told: f64, is_reused: bool) {
        const FADING: f64 = 1.0 - 1.0 / MEMORY;
        self.rows = self.rows * FADING + 1.0;
        self.told = self.told * FADING + told;
        self.reused = self.reused * FADING + f64::from(u8::from(is_reused));
    }
}

/// Predictions that did not come true.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alarm {
    /// Since when, about.
    pub since: Tick,
    /// Rows since then, told about the same probability.
    pub rows: u64,
    /// The mean of what was told for them.
    pub told: f64,
    /// The share of them that was reused.
    pub seen: f64,
}

/// How good the latest predictions were.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Quality {
    /// Mean negative log likelihood in nats, of some two thousand rows.
    pub log_loss: f64,
    /// What it would be if the model were right: the mean entropy of what it told.
    pub expected_log_loss: f64,
    /// Mean distance of told and seen, over the ranges of probability and a thousand rows of each.
    pub calibration_error: f64,
}

/// See the module's head.
#[derive(Debug, Clone, Default)]
pub struct Detector {
    /// Of each range of probability: reuse likelier than told, and less likely.
    sums: [[Sum; 2]; RANGES],
    ranges: [Range; RANGES],
    alarm: Option<Alarm>,
    labelled: u64,
    log_loss: f64,
    expected: f64,
}

impl Detector {
    /// A row was told this probability at a tick; by now it is known whether it was reused.
    pub fn observe(&mut self, probability: f64, is_reused: bool, tick: Tick) {
        let told = if probability.is_nan() { 0.5 } else { probability };
        let told = told.clamp(CERTAIN, 1.0 - CERTAIN);
        let range = ENDS.iter().take_while(|&&end| told >= end).count();
        let chance = self.ranges[range].corrected(told);
        for (sum, ratio) in self.sums[range].iter_mut().zip([RATIO, 1.0 / RATIO]) {
            let unless = (1.0 - chance + ratio * chance).ln();
            let evidence = if is_reused { ratio.ln() - unless } else { -unless };
            sum.add(evidence, told, is_reused, tick);
            if sum.score > LIMIT && self.alarm.is_none() {
                self.alarm = Some(Alarm {
                    since: sum.since,
                    rows: sum.rows,
                    told: sum.told / sum.rows as f64,
                    seen: sum.reused as f64 / sum.rows as f64,
                });
            }
        }
        self.ranges[range].add(told, is_reused);
        self.labelled += 1;
        let weight = 1.0 / RECENT.min(self.labelled as f64);
        let likelihood = if is_reused { told } else { 1.0 - told };
        self.log_loss += weight * (-likelihood.ln() - self.log_loss);
        let entropy = -told * told.ln() - (1.0 - told) * (1.0 - told).ln();
        self.expected += weight * (entropy - self.expected);
    }

    /// The first alarm there was, if any.
    pub fn alarm(&self) -> Option<&Alarm> {
        self.alarm.as_ref()
    }

    /// Rows observed.
    pub fn labelled(&self) -> u64 {
        self.labelled
    }

    /// See [`Quality`].
    pub fn quality(&self) -> Quality {
        let errors = self.ranges.iter().map(|range| (range.told - range.reused).abs());
        let rows: f64 = self.ranges.iter().map(|range| range.rows).sum();
        Quality {
            log_loss: self.log_loss,
            expected_log_loss: self.expected,
            calibration_error: errors.sum::<f64>() / rows.max(1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn unit(random: &mut Random) -> f64 {
        f64::from(random.next_u32()) / 2f64.powi(32)
    }

    /// Rows told at random; reuse comes with the probability that `truth` makes of what was told.
    fn feed(
        detector: &mut Detector,
        random: &mut Random,
        rows: u64,
        truth: impl Fn(f64) -> f64,
    ) -> Option<u64> {
        (0..rows).find(|&tick| {
            let told = unit(random).powi(3);
            detector.observe(told, unit(random) < truth(told), tick);
            detector.alarm().is_some()
        })
    }

    /// Odds times a factor.
    fn times(factor: f64) -> impl Fn(f64) -> f64 {
        move |told| factor * told / (1.0 - told + factor * told)
    }

    #[test]
    fn what_holds_or_nearly_holds_raises_no_alarm() {
        for seed in 0..40 {
            for factor in [0.6, 1.0, 1.6] {
                let (mut detector, mut random) = (Detector::default(), Random::new(seed));
                let found = feed(&mut detector, &mut random, 50_000, times(factor));
                assert_eq!(None, found, "seed {seed}, odds times {factor}");
            }
        }
    }

    #[test]
    fn what_no_longer_holds_is_found_within_a_few_thousand_rows() {
        let constant = |_: f64| 0.2;
        let inverted = |told: f64| 1.0 - told;
        let truths: [(&str, &dyn Fn(f64) -> f64); 5] = [
            ("odds times four", &times(4.0)),
            ("odds cut to a quarter", &times(0.25)),
            ("nothing told apart", &constant),
            ("inverted", &inverted),
            ("never reused", &|_| 0.0),
        ];
        for (name, truth) in truths {
            for seed in 0..40 {
                let (mut detector, mut random) = (Detector::default(), Random::new(seed));
                assert_eq!(None, feed(&mut detector, &mut random, 20_000, |told| told));
                let found = feed(&mut detector, &mut random, 4_000, truth);
                assert!(found.is_some(), "{name}, seed {seed}: {:?}", detector.quality());
            }
        }
    }

    #[test]
    fn an_alarm_says_since_when_and_how_far_off() {
        let (mut detector, mut random) = (Detector::default(), Random::new(9));
        for tick in 0..40_000 {
            let truth = if tick < 30_000 { 0.1 } else { 0.4 };
            detector.observe(0.1, unit(&mut random) < truth, tick);
        }
        let alarm = detector.alarm().expect("odds times six");
        assert!((29_900..30_100).contains(&alarm.since), "{alarm:?}");
        assert!((alarm.told - 0.1).abs() < 1e-9 && alarm.seen > 0.25, "{alarm:?}");
        assert!(alarm.rows < 1_000, "{alarm:?}");
    }

    #[test]
    fn quality_is_that_of_the_latest_rows() {
        let (mut detector, mut random) = (Detector::default(), Random::new(2));
        feed(&mut detector, &mut random, 20_000, |told| told);
        let good = detector.quality();
        assert!((good.log_loss - good.expected_log_loss).abs() < 0.03, "{good:?}");
        assert!(good.calibration_error < 0.03, "{good:?}");
        for tick in 0..10_000 {
            detector.observe(unit(&mut random), unit(&mut random) < 0.5, tick);
        }
        let bad = detector.quality();
        assert!((bad.log_loss - 1.0).abs() < 0.1, "{bad:?}");
        assert!(bad.calibration_error > 0.15, "{bad:?}");
    }

    #[test]
    fn answers_that_are_no_probabilities_are_survived() {
        let mut detector = Detector::default();
        for (tick, told) in [f64::NAN, f64::INFINITY, -3.0, 7.0, 1.0].into_iter().enumerate() {
            detector.observe(told, tick % 2 == 0, tick as u64);
        }
        assert!(detector.quality().log_loss.is_finite());
    }
}
