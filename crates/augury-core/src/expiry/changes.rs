//! How often a value changes, from looks at it at irregular times that tell only whether it is
//! another than the last time.
//!
//! Changes are taken for a Poisson process, as in Cho, Garcia-Molina, "Estimating frequency of
//! change", ACM TOIT 3(3), 2003. Looks after times `I`, some of which found a change, make the rate
//! `r` most likely for which the sum of `I / (exp(r I) - 1)` over the looks that found one equals
//! the sum of `I` over the others (section 5). That takes every `I`. Here all looks that found a
//! change are taken to have had their mean distance, for which the equation has a solution in
//! sums alone: `r = X / C * ln(1 + C / U)`, with `X` changes in the time `C` and none in the time
//! `U`. Where all distances are equal it is the paper's estimator (section 4). Half a look of
//! either outcome stands for what has not been seen yet, as the paper's half does for its bias.
//!
//! Sums decay by a share per look, so that a rate which changes is followed.

/// Changes that stand for what is known of an object's like, and the most looks.
const PRIOR_CHANGES: f64 = 1.0;
const PRIOR_LOOKS: f64 = 16.0;

/// Looks at values, as decayed sums; times in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Changes {
    changed: f32,
    unchanged: f32,
    changed_time: f32,
    unchanged_time: f32,
}

impl Changes {
    /// A look after `interval`; what was seen before counts for `kept` of what it did.
    pub fn look(&mut self, interval: f64, has_changed: bool, kept: f32) {
        let sums = [
            &mut self.changed,
            &mut self.unchanged,
            &mut self.changed_time,
            &mut self.unchanged_time,
        ];
        sums.into_iter().for_each(|sum| *sum *= kept);
        if has_changed {
            self.changed += 1.0;
            self.changed_time += interval as f32;
        } else {
            self.unchanged += 1.0;
            self.unchanged_time += interval as f32;
        }
    }

    /// A look so soon after the last one that it is no more than that one's continuation.
    pub fn lengthen(&mut self, interval: f64) {
        self.unchanged_time += interval as f32;
    }

    fn looks(&self) -> f64 {
        f64::from(self.changed + self.unchanged)
    }

    fn mean_interval(&self) -> f64 {
        f64::from(self.changed_time + self.unchanged_time) / self.looks()
    }

    /// Changes per millisecond, by these looks alone; none where there were none.
    pub fn rate(&self) -> Option<f64> {
        (self.looks() > 0.0).then(|| self.with(0.5, 0.5).most_likely())
    }

    /// Changes per millisecond of one object of many, whose common rate is `prior`: as if as many
    /// looks more as bring one change at that rate, had brought one and a half. The half is since TTLs
    /// follow: what is wrongly taken for slow is served for longer than what is wrongly taken for fast.
    pub fn rate_among(&self, prior: f64) -> f64 {
        if self.looks() <= 0.0 {
            return prior;
        }
        let chance = -(-prior * self.mean_interval()).exp_m1();
        let looks = (PRIOR_CHANGES / chance).min(PRIOR_LOOKS);
        self.with(looks * chance + 0.5, looks * (1.0 - chance)).most_likely()
    }

    /// With these looks more, after the mean interval.
    fn with(&self, changed: f64, unchanged: f64) -> Changes {
        let interval = self.mean_interval();
        Changes {
            changed: self.changed + changed as f32,
            unchanged: self.unchanged + unchanged as f32,
            changed_time: self.changed_time + (changed * interval) as f32,
            unchanged_time: self.unchanged_time + (unchanged * interval) as f32,
        }
    }

    fn most_likely(&self) -> f64 {
        let [changed, with, without] =
            [self.changed, self.changed_time, self.unchanged_time].map(f64::from);
        if with <= 0.0 { 0.0 } else { changed / with * (with / without).ln_1p() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn uniform(random: &mut Random) -> f64 {
        (f64::from(random.next_u32()) + 0.5) / 2f64.powi(32)
    }

    #[test]
    fn at_equal_intervals_it_is_the_papers_estimator() {
        let mut seen = Changes::default();
        for at in 0..10 {
            seen.look(1_000.0, at % 5 == 0, 1.0);
        }
        // Two changes in ten looks, with half a look of either outcome.
        let expected = -(8.5f64 / 11.0).ln() / 1_000.0;
        let rate = seen.rate().unwrap();
        assert!((rate / expected - 1.0).abs() < 1e-5, "{rate} {expected}");
    }

    #[test]
    fn it_finds_the_rate_of_a_poisson_process_at_irregular_looks() {
        for rate in [1e-5, 1e-4, 1e-3] {
            let (mut random, mut seen) = (Random::new(3), Changes::default());
            for _ in 0..100_000 {
                let interval = 200.0 + 3_000.0 * uniform(&mut random);
                seen.look(interval, uniform(&mut random) < -(-rate * interval).exp_m1(), 1.0);
            }
            let found = seen.rate().unwrap();
            assert!((found / rate - 1.0).abs() < 0.12, "{found} for {rate}");
        }
    }

    #[test]
    fn few_looks_lean_on_the_others() {
        let (prior, mut seen) = (1e-4, Changes::default());
        assert_eq!(prior, seen.rate_among(prior));
        seen.look(1_000.0, false, 1.0);
        let after_one = seen.rate_among(prior);
        assert!(prior < after_one && after_one < 1.6 * prior, "{after_one}");
        (0..200).for_each(|_| seen.look(1_000.0, false, 1.0));
        assert!(seen.rate_among(prior) < 0.1 * prior);
    }
}
