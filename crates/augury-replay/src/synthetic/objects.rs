//! What synthetic objects have in common: ids, popularity, sizes and TTLs.
//!
//! Ids are scrambled, so that neither the id nor its order tells how popular an object is; sizes
//! and TTLs follow from the id, so that an object keeps them.

use rand::{Rng, RngExt};
use rand_distr::{Distribution, Zipf};

/// Numbered objects in a space of their own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Space {
    salt: u64,
}

impl Space {
    /// The space with this number (below 65,536) under a seed.
    pub(crate) fn new(number: u16, seed: u64) -> Self {
        Space { salt: (u64::from(number) << 48) ^ (scramble(seed) >> 16) }
    }

    /// The id of the object with this number (below 2^48).
    pub(crate) fn id(self, number: u64) -> u64 {
        scramble(number ^ self.salt)
    }

    /// The id of a block (below 2^40): consecutive numbers have consecutive ids, as blocks of a
    /// device have.
    pub(crate) fn block(self, number: u64) -> u64 {
        (self.salt >> 40 << 40) + number
    }
}

/// SplitMix64's finaliser (Steele, Lea, Flood, OOPSLA 2014): a bijection of 64-bit numbers.
pub(crate) fn scramble(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A uniform number in (0, 1) that belongs to an object.
fn fraction(id: u64, purpose: u64) -> f64 {
    ((scramble(id ^ scramble(purpose)) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

/// Ranks from 0 with Zipf popularity; uniform where alpha is 0.
#[derive(Debug, Clone)]
pub(crate) struct Ranks {
    zipf: Zipf<f64>,
}

impl Ranks {
    /// `objects` (at least 1) ranks with exponent `alpha` (at least 0).
    pub(crate) fn new(objects: u64, alpha: f64) -> Self {
        let zipf = Zipf::new(objects.max(1) as f64, alpha).expect("parameters are in range");
        Ranks { zipf }
    }

    /// Draws a rank.
    pub(crate) fn draw<R: Rng>(&self, random: &mut R) -> u64 {
        self.zipf.sample(random) as u64 - 1
    }
}

/// Log-normal sizes (the body of web object sizes in P. Barford, M. Crovella, SIGMETRICS 1998).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    /// Median in bytes.
    pub(crate) median: f64,
    /// Standard deviation of the logarithm.
    pub(crate) sigma: f64,
}

impl Sizes {
    /// The size of this object.
    pub(crate) fn of(self, id: u64) -> u32 {
        let (angle, radius) = (fraction(id, 1), fraction(id, 2));
        let normal = (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos();
        (self.median * (self.sigma * normal).exp()).clamp(1.0, 1e9) as u32
    }
}

/// One of these TTLs, the same for an object at all times.
pub(crate) fn ttl_of(id: u64, choices: &[u32]) -> u32 {
    choices[(fraction(id, 3) * choices.len() as f64) as usize]
}

/// Half, once or twice the base TTL, the same for an object at all times.
pub(crate) fn ttl_factor_of(id: u64) -> f64 {
    [0.5, 1.0, 2.0][(fraction(id, 3) * 3.0) as usize]
}

/// Whether an event of this probability happens.
pub(crate) fn happens<R: Rng>(random: &mut R, probability: f64) -> bool {
    random.random::<f64>() < probability
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_normal_sizes_have_their_median_and_spread() {
        let sizes = Sizes { median: 10_000.0, sigma: 1.5 };
        let mut drawn: Vec<f64> = (0..20_001).map(|id| f64::from(sizes.of(id))).collect();
        drawn.sort_by(f64::total_cmp);
        let (median, upper) = (drawn[10_000], drawn[16_826]);
        assert!((9_000.0..11_000.0).contains(&median), "median {median}");
        assert!((1.4..1.6).contains(&(upper / median).ln()), "one sigma above: {upper}");
    }

    #[test]
    fn spaces_do_not_overlap() {
        let [one, two] = [1, 2].map(|number| Space::new(number, 7));
        let ids: std::collections::BTreeSet<u64> =
            (0..1000).flat_map(|n| [one.id(n), two.id(n), one.block(n), two.block(n)]).collect();
        assert_eq!(4000, ids.len());
    }
}
