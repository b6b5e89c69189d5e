//! Ages and reuse times on a scale of quarter-octaves.
//!
//! Hazards change with the logarithm of age, so a bucket is a quarter of a power of two: at most
//! 25% wide, 124 of them for every 32-bit age.

/// Number of buckets.
pub const AGE_BUCKETS: usize = 124;

/// The bucket of an age in ticks: 0 to 3 exactly, then four to each power of two.
#[inline]
pub const fn age_bucket(age: u32) -> u8 {
    if age < 4 {
        return age as u8;
    }
    let exponent = 31 - age.leading_zeros();
    (4 * (exponent - 1) + ((age >> (exponent - 2)) & 3)) as u8
}

/// The lowest age in a bucket.
pub const fn bucket_start(bucket: u8) -> u64 {
    if bucket < 4 {
        return bucket as u64;
    }
    let exponent = bucket as u32 / 4 + 1;
    (4 + (bucket as u64 & 3)) << (exponent - 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_cover_all_ages_in_order() {
        for bucket in 0..AGE_BUCKETS as u8 {
            let start = bucket_start(bucket);
            assert_eq!(bucket, age_bucket(start as u32));
            let end = bucket_start(bucket + 1) - 1;
            assert_eq!(bucket, age_bucket(end.min(u32::MAX as u64) as u32));
        }
        assert_eq!(AGE_BUCKETS as u8 - 1, age_bucket(u32::MAX));
    }
}
