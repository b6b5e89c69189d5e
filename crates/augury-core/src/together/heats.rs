//! Heats by hash, in order: what one cache tells, and what all agree on.

/// Pairs of hash and heat; each hash once, ascending.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Heats(Vec<(u64, f32)>);

impl Heats {
    /// The sums of the heats of equal hashes, the hottest so many of them.
    pub fn summed(mut pairs: Vec<(u64, f32)>, most: usize) -> Self {
        pairs.sort_unstable_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
        pairs.dedup_by(|next, kept| {
            let is_same = next.0 == kept.0;
            if is_same {
                kept.1 += next.1;
            }
            is_same
        });
        if pairs.len() > most {
            pairs.select_nth_unstable_by(most, |one, other| {
                other.1.total_cmp(&one.1).then(one.0.cmp(&other.0))
            });
            pairs.truncate(most);
            pairs.sort_unstable_by_key(|pair| pair.0);
        }
        Heats(pairs)
    }

    /// The heat of this hash, where it is among them. Found by halving: a table by hash could be made
    /// slow by who chooses the hashes.
    #[inline]
    pub fn get(&self, hash: u64) -> Option<f32> {
        self.0.binary_search_by_key(&hash, |pair| pair.0).ok().map(|at| self.0[at].1)
    }

    /// All of them, ascending by hash.
    pub fn pairs(&self) -> &[(u64, f32)] {
        &self.0
    }

    /// Each heat times this.
    pub fn scale(&mut self, factor: f32) {
        self.0.iter_mut().for_each(|pair| pair.1 *= factor);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        self.0.capacity() * size_of::<(u64, f32)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_hashes_are_summed_and_the_hottest_stay() {
        let heats = Heats::summed(vec![(9, 1.0), (2, 0.5), (9, 2.0), (4, 0.25)], 2);
        assert_eq!(&[(2, 0.5), (9, 3.0)], heats.pairs());
        assert_eq!((Some(3.0), None), (heats.get(9), heats.get(4)));
    }
}
