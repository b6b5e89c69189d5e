//! The miss ratio curve of the whole cache, from those of its shards.

use super::Cache;
use crate::clock::Clock;
use crate::curve::CurvePoint;
use crate::policy::Policy;

impl<K, V, P: Policy, C: Clock> Cache<K, V, P, C> {
    /// Measures from now on what other capacities would give, or no longer.
    pub fn keep_curve(&self, is_kept: bool) {
        self.shards.settings().curve = is_kept;
        for at in 0..self.shards.count() {
            let mut shard = self.shards.lock(at);
            let latest = self.shards.settings().curve;
            shard.keep_curve(latest);
        }
    }

    /// What half, one, two and four times the capacity would give: the mean over the shards, by
    /// their requests. None where it is not measured, or nothing has been counted yet.
    pub fn curve(&self) -> Option<[CurvePoint; 4]> {
        let mut sum: Option<([CurvePoint; 4], f64)> = None;
        for at in 0..self.shards.count() {
            let shard = self.shards.lock(at);
            let Some(curve) = shard.curve() else { continue };
            let (Some(points), weight) = (curve.points(), curve.requests()) else { continue };
            sum = Some(match sum {
                None => (points, weight),
                Some((before, total)) => {
                    let share = weight / (total + weight);
                    let mean = |old: f64, new: f64| old + (new - old) * share;
                    let both = std::array::from_fn(|at| CurvePoint {
                        scale: points[at].scale,
                        capacity: before[at].capacity + points[at].capacity,
                        miss_ratio: mean(before[at].miss_ratio, points[at].miss_ratio),
                        lru_miss_ratio: mean(before[at].lru_miss_ratio, points[at].lru_miss_ratio),
                    });
                    (both, total + weight)
                }
            });
        }
        sum.map(|(points, _)| points)
    }
}
