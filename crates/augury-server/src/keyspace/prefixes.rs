//! Bytes by prefix of the key: what quotas are held against.
//!
//! No prefix begins with another, so that a key is under one at most, which is found by bisection.

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct Prefixes(Vec<(Box<[u8]>, u64)>);

impl Prefixes {
    /// Nothing counted yet under these.
    pub(super) fn new(mut prefixes: Vec<Box<[u8]>>) -> Prefixes {
        prefixes.sort_unstable();
        prefixes.dedup();
        Prefixes(prefixes.into_iter().map(|prefix| (prefix, 0)).collect())
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether these are the prefixes, in order.
    pub(super) fn are(&self, others: &Prefixes) -> bool {
        self.0.iter().map(|(prefix, _)| prefix).eq(others.0.iter().map(|(prefix, _)| prefix))
    }

    /// Bytes under this prefix; none where it is not counted.
    pub(super) fn bytes(&self, prefix: &[u8]) -> u64 {
        let found = self.0.binary_search_by(|(it, _)| (**it).cmp(prefix));
        found.map_or(0, |at| self.0[at].1)
    }

    /// A key's bytes have come.
    pub(super) fn add(&mut self, key: &[u8], bytes: u32) {
        if let Some(count) = self.above(key) {
            *count += u64::from(bytes);
        }
    }

    /// A key's bytes have gone.
    pub(super) fn subtract(&mut self, key: &[u8], bytes: u32) {
        if let Some(count) = self.above(key) {
            debug_assert!(*count >= u64::from(bytes), "more goes than has come");
            *count = count.saturating_sub(u64::from(bytes));
        }
    }

    fn above(&mut self, key: &[u8]) -> Option<&mut u64> {
        let behind = self.0.partition_point(|(prefix, _)| **prefix <= *key);
        let (prefix, count) = self.0.get_mut(behind.checked_sub(1)?)?;
        key.starts_with(prefix).then_some(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_counts_under_its_prefix_only() {
        let mut prefixes =
            Prefixes::new(["b:", "a:", "b:"].map(|it| it.as_bytes().into()).to_vec());
        for key in ["a:1", "b:", "b:1", "b", "c:1", ""] {
            prefixes.add(key.as_bytes(), 10);
        }
        prefixes.subtract(b"b:1", 10);
        assert_eq!([10, 10, 0], [b"a:", b"b:", b"c:"].map(|it| prefixes.bytes(it)));
    }
}
