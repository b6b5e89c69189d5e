//! Sums of decision trees: a tree, a forest, boosting.
//!
//! A node takes eight bytes: a threshold, and feature and first child in one word; the second
//! child is its neighbour. A leaf points to itself under an infinite threshold, so that trees of
//! different depth are walked in lockstep, [`LANES`] at a time, without a branch: the processor
//! works on all of them at once. Thresholds are rounded down to single precision, which leaves
//! every comparison with a single-precision feature as it was.

use super::{Malformed, malformed};
use crate::model::features::{Row, WIDTH};

/// Trees walked at the same time.
const LANES: usize = 8;
/// Nodes that the 24 bits of a child's number can name.
const NODES_MAX: usize = 1 << 24;
/// Deepest tree: deeper ones are of no use and would take long.
const DEPTH_MAX: usize = 64;
/// Bits of a child's number.
const CHILD_BITS: u32 = 24;

/// A node as a training library has it: children are places in the list of all nodes, after it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Node {
    /// Left where the feature is at most the threshold.
    Split {
        /// Which feature.
        feature: u32,
        /// Compared with it.
        threshold: f64,
        /// Where the feature is at most the threshold.
        left: u32,
        /// Where it is above.
        right: u32,
    },
    /// The end.
    Leaf(f64),
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Packed {
    threshold: f32,
    /// The feature above, the first child's number below.
    link: u32,
}

/// See the module's head.
#[derive(Debug, Clone, PartialEq)]
pub struct Trees {
    nodes: Vec<Packed>,
    /// Of each node; 0 where it is no leaf.
    values: Vec<f64>,
    /// Of each tree, by depth: root and depth.
    roots: Vec<(u32, u32)>,
    offset: f64,
    scale: f64,
    steps: u64,
}

/// The greatest single that is at most this double.
fn rounded_down(threshold: f64) -> f32 {
    let nearest = threshold as f32;
    if f64::from(nearest) > threshold { nearest.next_down() } else { nearest }
}

impl Trees {
    /// Trees with these roots; the sum over their leaves is scaled and added to `offset`.
    pub fn new(nodes: &[Node], roots: &[u32], offset: f64, scale: f64) -> Result<Self, Malformed> {
        if roots.is_empty() {
            return malformed("a forest without a tree");
        }
        if !(offset.is_finite() && scale.is_finite()) {
            return malformed("offset or scale is not a finite number");
        }
        let mut trees = Trees {
            nodes: Vec::with_capacity(nodes.len()),
            values: Vec::with_capacity(nodes.len()),
            roots: Vec::with_capacity(roots.len()),
            offset,
            scale,
            steps: 0,
        };
        // Each node has one place; more means that some are shared, and grow without end.
        let limit = (nodes.len() + 2 * roots.len()).min(NODES_MAX);
        for &root in roots {
            trees.add(nodes, root, limit)?;
        }
        trees.roots.sort_by_key(|&(_, depth)| depth);
        let per_group = trees.roots.chunks(LANES).map(|group| {
            group.len() as u64 * u64::from(group.last().map_or(0, |&(_, depth)| depth))
        });
        trees.steps = per_group.sum::<u64>() + trees.roots.len() as u64;
        Ok(trees)
    }

    /// Lays a tree out breadth first, siblings side by side.
    fn add(&mut self, nodes: &[Node], root: u32, limit: usize) -> Result<(), Malformed> {
        let first = self.nodes.len() as u32;
        self.take_places(limit)?;
        let (mut depth, mut level) = (0, vec![(root, first)]);
        while !level.is_empty() {
            let mut next = Vec::new();
            for (from, place) in level {
                match self.node(nodes, from)? {
                    Node::Leaf(value) => {
                        self.nodes[place as usize] =
                            Packed { threshold: f32::INFINITY, link: place };
                        self.values[place as usize] = value;
                    }
                    Node::Split { feature, threshold, left, right } => {
                        let child = self.nodes.len() as u32;
                        self.take_places(limit)?;
                        self.nodes[place as usize] = Packed {
                            threshold: rounded_down(threshold),
                            link: feature << CHILD_BITS | child,
                        };
                        next.extend([(left, child), (right, child + 1)]);
                    }
                }
            }
            level = next;
            depth += u32::from(!level.is_empty());
            if depth as usize > DEPTH_MAX {
                return malformed(format!("a tree deeper than {DEPTH_MAX} levels"));
            }
        }
        self.roots.push((first, depth));
        Ok(())
    }

    /// Two places: of siblings, or of a root and nothing.
    fn take_places(&mut self, limit: usize) -> Result<(), Malformed> {
        let places = self.nodes.len() + 2;
        if places > limit {
            return malformed(format!("nodes shared between trees, or more than {NODES_MAX}"));
        }
        self.nodes.resize(places, Packed { threshold: f32::INFINITY, link: 0 });
        self.values.resize(places, 0.0);
        Ok(())
    }

    /// A node that makes sense: children come after it, so there are no circles.
    fn node(&self, nodes: &[Node], at: u32) -> Result<Node, Malformed> {
        let Some(&node) = nodes.get(at as usize) else {
            return malformed(format!("node {at} of {} nodes", nodes.len()));
        };
        match node {
            Node::Leaf(value) if !value.is_finite() => {
                malformed(format!("leaf {at} has the value {value}"))
            }
            Node::Split { feature, .. } if feature as usize >= WIDTH => {
                malformed(format!("node {at} asks for feature {feature} of {WIDTH}"))
            }
            Node::Split { threshold, .. } if threshold.is_nan() => {
                malformed(format!("node {at} has a threshold that is not a number"))
            }
            Node::Split { left, right, .. } if left <= at || right <= at || left == right => {
                malformed(format!("node {at} has the children {left} and {right}"))
            }
            node => Ok(node),
        }
    }

    /// Offset plus scale times the sum over the leaves that the row comes to.
    #[inline]
    pub fn sum(&self, row: &Row) -> f64 {
        // Features beyond the schema's have been refused; the rest of the lane is for the mask.
        let mut features = [0.0; 16];
        features[..WIDTH].copy_from_slice(row);
        let mut total = 0.0;
        let mut groups = self.roots.chunks_exact(LANES);
        for group in &mut groups {
            let mut at: [u32; LANES] = std::array::from_fn(|lane| group[lane].0);
            for _ in 0..group[LANES - 1].1 {
                for place in &mut at {
                    *place = self.child(*place, &features);
                }
            }
            total += at.iter().map(|&place| self.values[place as usize]).sum::<f64>();
        }
        for &(root, depth) in groups.remainder() {
            let mut place = root;
            for _ in 0..depth {
                place = self.child(place, &features);
            }
            total += self.values[place as usize];
        }
        self.offset + self.scale * total
    }

    #[inline(always)]
    fn child(&self, place: u32, features: &[f32; 16]) -> u32 {
        let Packed { threshold, link } = self.nodes[place as usize];
        let feature = features[(link >> CHILD_BITS) as usize & 15];
        (link & (NODES_MAX as u32 - 1)) + u32::from(feature > threshold)
    }

    /// Comparisons per answer.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Number of trees.
    pub fn len(&self) -> usize {
        self.roots.len()
    }

    /// Never: a forest has a tree.
    pub fn is_empty(&self) -> bool {
        self.roots.is_empty()
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        self.nodes.capacity() * size_of::<Packed>()
            + self.values.capacity() * size_of::<f64>()
            + self.roots.capacity() * size_of::<(u32, u32)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn split(feature: u32, threshold: f64, left: u32, right: u32) -> Node {
        Node::Split { feature, threshold, left, right }
    }

    /// A walk as the training libraries do it.
    fn plain(nodes: &[Node], root: u32, row: &Row) -> f64 {
        let mut at = root;
        loop {
            match nodes[at as usize] {
                Node::Leaf(value) => return value,
                Node::Split { feature, threshold, left, right } => {
                    let is_left = f64::from(row[feature as usize]) <= threshold;
                    at = if is_left { left } else { right };
                }
            }
        }
    }

    fn grow(random: &mut Random, nodes: &mut Vec<Node>, depth: u32) -> u32 {
        let at = nodes.len() as u32;
        nodes.push(Node::Leaf(f64::from(random.below(1000)) / 7.0));
        if depth > 0 && random.below(5) > 0 {
            let (feature, threshold) = (random.below(WIDTH as u32), random.below(64));
            let left = grow(random, nodes, depth - 1);
            let right = grow(random, nodes, depth - 1);
            nodes[at as usize] = split(feature, f64::from(threshold) / 2.0 + 1e-9, left, right);
        }
        at
    }

    #[test]
    fn sums_equal_a_plain_walk() {
        let mut random = Random::new(5);
        for _ in 0..200 {
            let mut nodes = Vec::new();
            let count = 1 + random.below(30);
            let roots: Vec<u32> =
                (0..count).map(|_| grow(&mut random, &mut nodes, 1 + count % 9)).collect();
            let trees = Trees::new(&nodes, &roots, 0.5, 0.25).unwrap();
            for _ in 0..50 {
                let row: Row = std::array::from_fn(|_| random.below(64) as f32 / 2.0);
                let expected: f64 = roots.iter().map(|&root| plain(&nodes, root, &row)).sum();
                assert!((0.5 + 0.25 * expected - trees.sum(&row)).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn a_feature_at_the_threshold_goes_left() {
        for threshold in [1.0, 0.1, 1.0 - 1e-12, 1.0 + 1e-12] {
            let nodes = [split(0, threshold, 1, 2), Node::Leaf(1.0), Node::Leaf(2.0)];
            let trees = Trees::new(&nodes, &[0], 0.0, 1.0).unwrap();
            for value in [1.0f32, 1.0f32.next_up(), 1.0f32.next_down(), 0.1] {
                let mut row = Row::default();
                row[0] = value;
                assert_eq!(plain(&nodes, 0, &row), trees.sum(&row), "{value} <= {threshold}");
            }
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let leaf = Node::Leaf(0.0);
        let bad: [(&[Node], &[u32]); 7] = [
            (&[leaf], &[]),
            (&[leaf], &[1]),
            (&[split(0, 0.0, 0, 1), leaf], &[0]),
            (&[split(WIDTH as u32, 0.0, 1, 2), leaf, leaf], &[0]),
            (&[split(0, f64::NAN, 1, 2), leaf, leaf], &[0]),
            (&[split(0, 0.0, 1, 9), leaf, leaf], &[0]),
            (&[Node::Leaf(f64::NAN)], &[0]),
        ];
        for (nodes, roots) in bad {
            assert!(Trees::new(nodes, roots, 0.0, 1.0).is_err(), "{nodes:?}");
        }
        assert!(Trees::new(&[leaf], &[0], f64::INFINITY, 1.0).is_err());
    }

    #[test]
    fn a_shared_child_cannot_make_a_small_file_a_large_forest() {
        // A chain in which both children of every node lead to the same place doubles per level.
        let mut nodes: Vec<Node> = (0..60).map(|at| split(0, 0.0, at + 1, at + 2)).collect();
        nodes.extend([Node::Leaf(0.0), Node::Leaf(1.0)]);
        assert!(Trees::new(&nodes, &[0], 0.0, 1.0).is_err());
    }
}
