//! Sums over the end of an array that changes: both in logarithmic time.
//!
//! Fenwick, "A new data structure for cumulative frequency tables", Software: Practice and
//! Experience 1994. Node `i` (from 1) holds the sum of the `i & -i` weights that end at `i`.

/// Weights at places, and their sums.
#[derive(Debug, Default)]
pub(super) struct Fenwick {
    nodes: Vec<u64>,
    total: u64,
}

impl Fenwick {
    /// Room for `places` weights, of which the first are given.
    pub(super) fn with_weights(places: usize, weights: impl Iterator<Item = u64>) -> Self {
        let mut nodes = vec![0; places + 1];
        let mut total = 0;
        for (node, weight) in nodes[1..].iter_mut().zip(weights) {
            *node = weight;
            total += weight;
        }
        for node in 1..nodes.len() {
            let parent = node + (node & node.wrapping_neg());
            if parent < nodes.len() {
                nodes[parent] += nodes[node];
            }
        }
        Fenwick { nodes, total }
    }

    /// Places.
    pub(super) fn len(&self) -> usize {
        self.nodes.len().saturating_sub(1)
    }

    /// Adds to the weight at a place.
    pub(super) fn add(&mut self, place: usize, weight: u64) {
        self.total += weight;
        let mut node = place + 1;
        while node < self.nodes.len() {
            self.nodes[node] += weight;
            node += node & node.wrapping_neg();
        }
    }

    /// Takes from the weight at a place, which holds at least as much.
    pub(super) fn subtract(&mut self, place: usize, weight: u64) {
        self.total -= weight;
        let mut node = place + 1;
        while node < self.nodes.len() {
            self.nodes[node] -= weight;
            node += node & node.wrapping_neg();
        }
    }

    /// Sum of the weights from this place to the end.
    pub(super) fn from(&self, place: usize) -> u64 {
        let mut before = 0;
        let mut node = place;
        while node > 0 {
            before += self.nodes[node];
            node &= node - 1;
        }
        self.total - before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_a_plain_array() {
        let mut plain = [3, 0, 7, 1, 4, 0, 0, 0, 0];
        let mut tree = Fenwick::with_weights(plain.len(), plain.into_iter().take(5));
        for (place, weight) in [(0, 2), (8, 5), (3, 1), (5, 6)] {
            plain[place] += weight;
            tree.add(place, weight);
            for from in 0..plain.len() {
                assert_eq!(plain[from..].iter().sum::<u64>(), tree.from(from), "from {from}");
            }
        }
        plain[2] -= 7;
        tree.subtract(2, 7);
        assert_eq!(plain.iter().sum::<u64>(), tree.from(0));
        assert_eq!(plain[3..].iter().sum::<u64>(), tree.from(3));
    }
}
