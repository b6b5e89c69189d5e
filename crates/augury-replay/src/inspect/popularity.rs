//! How unequally requests fall on objects.

use serde::Serialize;

/// The skew of a trace.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Popularity {
    /// Zipf exponent: minus the slope of log requests over log rank, by least squares over 200
    /// ranks evenly spaced in log rank, among the objects requested more than once.
    pub zipf_alpha: f64,
    /// Share of the requests that go to the most requested object.
    pub top_object_share: f64,
    /// Share of the requests that go to the most requested 1% of the objects.
    pub top_1pct_share: f64,
    /// Share of the requests that go to the most requested 10% of the objects.
    pub top_10pct_share: f64,
}

impl Popularity {
    /// From the number of requests for each object, in any order.
    pub(crate) fn of_counts(mut counts: Vec<u64>) -> Self {
        counts.sort_unstable_by(|one, other| other.cmp(one));
        let requests: u64 = counts.iter().sum();
        let share_of = |objects: usize| {
            let top: u64 = counts.iter().take(objects.max(1)).sum();
            top as f64 / requests.max(1) as f64
        };
        Popularity {
            zipf_alpha: zipf_alpha(&counts),
            top_object_share: share_of(1),
            top_1pct_share: share_of(counts.len() / 100),
            top_10pct_share: share_of(counts.len() / 10),
        }
    }
}

/// Ranks at which the slope is measured.
const POINTS: u32 = 200;

/// `counts` in descending order.
///
/// The points are evenly spaced in log rank: over all ranks alike, the long tail of small counts
/// would decide alone.
fn zipf_alpha(counts: &[u64]) -> f64 {
    let repeated = counts.partition_point(|count| *count > 1);
    let largest = (repeated as f64).ln();
    let mut ranks: Vec<usize> = (0..POINTS)
        .map(|point| (largest * f64::from(point) / f64::from(POINTS - 1)).exp().round() as usize)
        .map(|rank| rank.clamp(1, repeated.max(1)))
        .collect();
    ranks.dedup();
    // No slope through fewer than two points.
    if repeated < 2 || ranks.len() < 2 {
        return 0.0;
    }
    let points: Vec<(f64, f64)> = ranks
        .into_iter()
        .map(|rank| ((rank as f64).ln(), (counts[rank - 1] as f64).ln()))
        .collect();
    let n = points.len() as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / n;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / n;
    let covariance: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let variance: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    // Adding 0 turns -0 into 0.
    -covariance / variance + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_zipf_law_gives_its_exponent() {
        let counts = (1..=1000).map(|rank| (1e9 * f64::from(rank).powf(-0.8)) as u64).collect();
        let popularity = Popularity::of_counts(counts);
        assert!((popularity.zipf_alpha - 0.8).abs() < 1e-3, "{popularity:?}");
    }

    #[test]
    fn one_object_has_everything_and_no_slope() {
        let popularity = Popularity::of_counts(vec![5]);
        assert_eq!(0.0, popularity.zipf_alpha);
        assert_eq!(1.0, popularity.top_1pct_share);
    }
}
