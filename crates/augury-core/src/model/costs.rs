//! What misses cost: how much dearer than usual it is to load an object of a namespace.
//!
//! A ranking says how many hits an object is worth for the room that it takes; times the cost of a
//! miss that is what its misses would take. Costs are few and coarse (powers of two, as the caller
//! measures them), so that noise in them does not reorder objects.

use std::sync::Arc;

use crate::history::{History, NAMESPACES_MAX};

/// Factor above and below 1 that a cost is held to.
const MOST: f32 = 16.0;

/// Relative costs by the place of the namespace; places that it does not have cost 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Costs(Arc<[f32]>);

impl Costs {
    /// Costs by place, each relative to the mean. Held to a sixteenth up to sixteen, and to 1
    /// where it is no number; those beyond the number of places are left out.
    pub fn new(relative: impl IntoIterator<Item = f32>) -> Self {
        let held = |cost: f32| if cost.is_nan() { 1.0 } else { cost.clamp(1.0 / MOST, MOST) };
        Costs(relative.into_iter().take(NAMESPACES_MAX).map(held).collect())
    }

    /// A score times the cost of the object's namespace. Scores below 0 (an age, negated) come
    /// nearer to it where misses are dearer.
    #[inline]
    pub fn weigh(&self, score: f32, history: &History) -> f32 {
        let cost = self.0.get(usize::from(history.namespace())).copied().unwrap_or(1.0);
        if score < 0.0 { score / cost } else { score * cost }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dearer_ranks_higher_whatever_the_sign() {
        let costs = Costs::new([1.0, 4.0, f32::NAN, 1e9]);
        let mut history = History::first(0, 1);
        let scores = |history: &History| [2.0, -8.0].map(|score| costs.weigh(score, history));
        assert_eq!([2.0, -8.0], scores(&history));
        for (place, expected) in [(1, [8.0, -2.0]), (2, [2.0, -8.0]), (3, [32.0, -0.5])] {
            history.set_namespace(place);
            assert_eq!(expected, scores(&history), "place {place}");
        }
        history.set_namespace(4);
        assert_eq!([2.0, -8.0], scores(&history));
    }
}
