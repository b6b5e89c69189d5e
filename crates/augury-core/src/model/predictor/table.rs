//! One value per cell of binned features: what a slow model is distilled into, and how the
//! survival, frequency and seasonal estimators are served.
//!
//! A look-up takes one comparison per edge of each axis, some nanoseconds whatever the model.

use super::{Malformed, malformed};
use crate::model::features::{Row, WIDTH};

/// Most cells, and most edges of an axis.
const CELLS_MAX: usize = 1 << 22;
const EDGES_MAX: usize = 255;

/// A feature and where its bins begin: bin `i` holds what is at or above `edges[i - 1]` and below
/// `edges[i]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// Which feature.
    pub feature: usize,
    /// Ascending.
    pub edges: Vec<f32>,
}

/// See the module's head.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    axes: Vec<Axis>,
    /// The last axis varies fastest.
    values: Vec<f32>,
}

impl Table {
    /// A table over these axes.
    pub fn new(axes: Vec<Axis>, values: Vec<f32>) -> Result<Self, Malformed> {
        let mut cells = 1usize;
        for Axis { feature, edges } in &axes {
            if *feature >= WIDTH {
                return malformed(format!("an axis of feature {feature} of {WIDTH}"));
            }
            if edges.is_empty() || edges.len() > EDGES_MAX {
                return malformed(format!(
                    "an axis of {} edges, not 1 to {EDGES_MAX}",
                    edges.len()
                ));
            }
            let is_ascending = edges.windows(2).all(|pair| pair[0] < pair[1]);
            if !is_ascending || !edges.iter().all(|edge| edge.is_finite()) {
                return malformed(format!("the edges of feature {feature} do not ascend"));
            }
            cells = cells.saturating_mul(edges.len() + 1);
        }
        if axes.is_empty() || axes.len() > WIDTH || cells > CELLS_MAX || cells != values.len() {
            return malformed(format!(
                "{} values for {} axes of {cells} cells, at most {CELLS_MAX}",
                values.len(),
                axes.len()
            ));
        }
        if let Some(value) = values.iter().find(|value| !value.is_finite()) {
            return malformed(format!("a cell has the value {value}"));
        }
        Ok(Table { axes, values })
    }

    /// The value of the row's cell.
    #[inline]
    pub fn value(&self, row: &Row) -> f64 {
        let mut cell = 0;
        for Axis { feature, edges } in &self.axes {
            let value = row[*feature];
            let bin = edges.partition_point(|&edge| edge <= value);
            cell = cell * (edges.len() + 1) + bin;
        }
        f64::from(self.values[cell])
    }

    /// Comparisons per answer.
    pub fn steps(&self) -> u64 {
        self.axes.iter().map(|axis| 2 + u64::from(axis.edges.len().ilog2())).sum()
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        let edges: usize = self.axes.iter().map(|axis| axis.edges.capacity()).sum();
        (self.values.capacity() + edges) * size_of::<f32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(feature: usize, edges: &[f32]) -> Axis {
        Axis { feature, edges: edges.to_vec() }
    }

    #[test]
    fn a_row_finds_its_cell() {
        let axes = vec![axis(0, &[1.0, 2.0]), axis(2, &[0.0])];
        let table = Table::new(axes, vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        for (first, third, expected) in
            [(0.5, -1.0, 0.0), (0.5, 0.0, 1.0), (1.0, -1.0, 2.0), (1.9, 7.0, 3.0), (2.0, 0.0, 5.0)]
        {
            let mut row = Row::default();
            (row[0], row[2]) = (first, third);
            assert_eq!(expected, table.value(&row));
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert!(Table::new(vec![], vec![]).is_err());
        assert!(Table::new(vec![], vec![1.0]).is_err());
        assert!(Table::new(vec![axis(0, &[])], vec![1.0]).is_err());
        assert!(Table::new(vec![axis(WIDTH, &[0.0])], vec![1.0, 2.0]).is_err());
        assert!(Table::new(vec![axis(0, &[1.0, 1.0])], vec![1.0; 3]).is_err());
        assert!(Table::new(vec![axis(0, &[f32::NAN])], vec![1.0; 2]).is_err());
        assert!(Table::new(vec![axis(0, &[0.0])], vec![1.0; 3]).is_err());
        assert!(Table::new(vec![axis(0, &[0.0])], vec![1.0, f32::NAN]).is_err());
        let wide: Vec<f32> = (0..255).map(|edge| edge as f32).collect();
        assert!(Table::new(vec![axis(0, &wide); 9], vec![1.0; 3]).is_err());
    }
}
