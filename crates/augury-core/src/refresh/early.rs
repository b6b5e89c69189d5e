//! Early refresh by chance, and TTLs spread by chance: what needs no memory of a key.
//!
//! For callers that decide at a hit and keep no planner, and as the yardstick of the planner.

use crate::clock::Millis;

/// Whether a hit at `now` should reload an entry that ends at `deadline`: XFetch, the optimal
/// probabilistic early expiration of A. Vattani, F. Chierichetti, K. Lowenstein, PVLDB 8(8), 2015.
///
/// `took` is how long a load takes, in milliseconds; `beta` above 1 refreshes earlier; `chance` is
/// uniform in 0..1.
///
/// ```
/// use augury_core::refresh::early::is_early;
/// assert!(!is_early(0, 60_000, 100, 1.0, 0.5));
/// assert!(is_early(59_950, 60_000, 100, 1.0, 0.5));
/// ```
pub fn is_early(now: Millis, deadline: Millis, took: Millis, beta: f64, chance: f64) -> bool {
    let ahead = took as f64 * beta * -chance.max(f64::MIN_POSITIVE).ln();
    now as f64 + ahead >= deadline as f64
}

/// A TTL shortened by up to the share `spread` (0 to 1) of itself, so that entries loaded at once
/// do not end at once; never longer than asked for, never 0. `chance` is uniform in 0..1.
///
/// ```
/// use augury_core::refresh::early::jittered;
/// assert_eq!(60_000, jittered(60_000, 0.1, 0.0));
/// assert_eq!(57_000, jittered(60_000, 0.1, 0.5));
/// ```
pub fn jittered(ttl: Millis, spread: f64, chance: f64) -> Millis {
    let less = ttl as f64 * spread.clamp(0.0, 1.0) * chance.clamp(0.0, 1.0);
    ttl.saturating_sub(less as Millis).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_head_start_is_beta_loads() {
        let draws = (0..10_000).map(|n| (f64::from(n) + 0.5) / 10_000.0);
        let early = draws.filter(|&chance| is_early(9_000, 10_000, 500, 2.0, chance)).count();
        let expected = 10_000.0 * (-1.0_f64).exp();
        assert!((early as f64 - expected).abs() < 2.0, "{early}");
    }

    #[test]
    fn a_ttl_is_never_longer_and_never_nothing() {
        for chance in [0.0, 0.3, 1.0] {
            for ttl in [1, 10, 60_000] {
                assert!((1..=ttl).contains(&jittered(ttl, 1.0, chance)));
            }
        }
    }
}
