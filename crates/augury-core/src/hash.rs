//! Mixing of integer keys into well-spread 64-bit hashes.
//!
//! Sits before the store: whoever makes a request hashes its key once, and everything after
//! (index, ghosts, sketches, shadow sampling) takes its bits from that one hash.

/// Mixes a 64-bit integer so that every input bit reaches every output bit.
///
/// A bijection (multiplications by odd constants and shifted xors can be undone), so two integer
/// keys have equal hashes only where they are equal. Finalizer of SplitMix64: Steele, Lea and
/// Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
#[inline]
pub const fn mix(key: u64) -> u64 {
    let mut z = key.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Maps a 32-bit hash to `0..n` without division (Lemire, "Fast random integer generation in an
/// interval", 2019). `n` must be at least 1.
#[inline]
pub const fn reduce(hash: u32, n: u32) -> u32 {
    ((hash as u64 * n as u64) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reduce_stays_in_range() {
        for n in [1, 2, 3, 1000, u32::MAX] {
            assert!(reduce(0, n) < n);
            assert!(reduce(u32::MAX, n) < n);
        }
    }

    #[test]
    fn neighbouring_keys_spread_over_top_bits() {
        let mut seen = [false; 256];
        for key in 0..4096 {
            seen[(mix(key) >> 56) as usize] = true;
        }
        assert!(seen.iter().all(|&s| s));
    }
}
