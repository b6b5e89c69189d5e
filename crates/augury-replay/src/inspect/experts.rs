//! Estimates of "asked for again within the horizon", from what an object's past shows.
//!
//! *Memoryless* estimates know how often an object was requested, out of how many requests in
//! all. For requests that come at a constant rate per object (the independent reference model)
//! the count so far says everything that the past says about the rate: ages and reuse times add
//! nothing. They are therefore the yardstick: what beats them has found memory in the traffic.
//! *Survival* estimates add the age, and the age with the last reuse time.
//!
//! Each estimate is a table of counts whose cells are drawn towards a coarser estimate until they
//! have data of their own. With classes by frequency and last reuse time the tables hold what a
//! survival curve says about one horizon, q(age, T | class) = 1 - S(age + T) / S(age), estimated
//! directly. Several tables of a kind are mixed with weights by past success (fixed share: M.
//! Herbster, M. Warmuth. Tracking the Best Expert. Machine Learning 1998). The survival mixture
//! holds the memoryless tables too: it may find nothing, but loses next to nothing by looking.

use rustc_hash::FxHashMap;

use super::octaves::{half_octave_of, octave_of};

/// What the past of an object shows at a decision.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Past {
    /// Requests for it so far.
    pub(crate) count: u64,
    /// Requests in all so far.
    pub(crate) now: u64,
    /// Requests since its last.
    pub(crate) age: u64,
    /// Requests between its last two; 0 before the second.
    pub(crate) reuse_time: u64,
}

/// Tables that know the frequency only; the first ones.
const MEMORYLESS: usize = 3;
/// All tables.
const TABLES: usize = 7;

/// The cells of a past in each table, to be judged when the outcome is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Forecast([u64; TABLES]);

impl Forecast {
    /// Notes what the past shows.
    pub(crate) fn of(past: Past) -> Forecast {
        // Cells exact for small counts and an eighth of an octave wide for large ones: in a
        // wider cell the age would still tell the frequency.
        let count = match past.count {
            few @ 0..=32 => few,
            many => (8.0 * (many as f64).log2()) as u64,
        };
        let rate = (8.0 * (past.now as f64 / past.count as f64).log2()) as u64;
        let (few, now) = (past.count.min(8), half_octave_of(past.now) as u64);
        let frequency = few + (half_octave_of(past.count) as u64).saturating_sub(8);
        let age = half_octave_of(past.age) as u64;
        let reuse = octave_of(past.reuse_time) as u64;
        Forecast([
            count,
            count | now << 16,
            few | rate << 16,
            count | age << 16,
            frequency | reuse << 16 | age << 32,
            few | ((rate / 2) << 16) | (age << 32),
            few | ((rate / 8) << 16) | (reuse << 32) | ((age / 2) << 48),
        ])
    }
}

/// Bits lost on one decision.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Loss {
    pub(crate) memoryless: f64,
    pub(crate) survival: f64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    again: f64,
    total: f64,
}

/// Weight of the coarser estimate, in decisions.
const PRIOR: f64 = 4.0;

impl Cell {
    fn estimate(self, coarser: f64) -> f64 {
        (self.again + PRIOR * coarser) / (self.total + PRIOR)
    }

    fn learn(&mut self, again: bool) {
        self.again += f64::from(again);
        self.total += 1.0;
    }
}

/// Share of the weights that is spread evenly after each decision.
const SHARE: f64 = 1e-4;

/// Weights of the estimates that are mixed.
#[derive(Debug)]
struct Mixture<const N: usize>([f64; N]);

impl<const N: usize> Mixture<N> {
    fn even() -> Self {
        Mixture([1.0 / N as f64; N])
    }

    /// Bits lost by the mixture, given what each estimate gave to the outcome.
    fn judge(&mut self, likelihoods: &[f64]) -> f64 {
        let mixed: f64 = likelihoods.iter().zip(&self.0).map(|(one, weight)| one * weight).sum();
        for (weight, likelihood) in self.0.iter_mut().zip(likelihoods) {
            *weight = *weight * likelihood / mixed * (1.0 - SHARE) + SHARE / N as f64;
        }
        -mixed.log2()
    }
}

/// The tables and the weights for one horizon.
#[derive(Debug)]
pub(crate) struct Experts {
    tables: [FxHashMap<u64, Cell>; TABLES],
    everything: Cell,
    memoryless: Mixture<MEMORYLESS>,
    survival: Mixture<TABLES>,
}

impl Experts {
    pub(crate) fn new() -> Self {
        Experts {
            tables: std::array::from_fn(|_| FxHashMap::default()),
            everything: Cell::default(),
            memoryless: Mixture::even(),
            survival: Mixture::even(),
        }
    }

    /// Judges a forecast by its outcome with the tables as they are, then learns from it.
    pub(crate) fn judge(&mut self, Forecast(cells): Forecast, again: bool) -> Loss {
        let cell =
            |table: usize| self.tables[table].get(&cells[table]).copied().unwrap_or_default();
        let by_count = cell(0).estimate(self.everything.estimate(0.5));
        let by_rate = cell(2).estimate(by_count);
        let by_age = cell(3).estimate(by_count);
        let by_rate_and_age = cell(5).estimate(by_rate);
        let estimates = [
            by_count,
            cell(1).estimate(by_count),
            by_rate,
            by_age,
            cell(4).estimate(by_age),
            by_rate_and_age,
            cell(6).estimate(by_rate_and_age),
        ];
        let likelihoods = estimates.map(|estimate| if again { estimate } else { 1.0 - estimate });
        self.everything.learn(again);
        for (table, cell) in self.tables.iter_mut().zip(cells) {
            table.entry(cell).or_default().learn(again);
        }
        Loss {
            memoryless: self.memoryless.judge(&likelihoods[..MEMORYLESS]),
            survival: self.survival.judge(&likelihoods),
        }
    }
}
