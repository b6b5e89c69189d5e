//! Layers of neurons: logistic and linear regression, multi-layer perceptrons.
//!
//! Features are standardised, then go through fully connected layers, in double precision as the
//! training library computes them.

use super::{Malformed, malformed};
use crate::model::features::{Row, WIDTH};

/// Widest layer, and most layers: what an answer in microseconds can afford.
const WIDTH_MAX: usize = 512;
const LAYERS_MAX: usize = 16;

/// What a neuron makes of its sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// The sum itself.
    Identity,
    /// The sum where positive, else 0.
    Relu,
    /// Hyperbolic tangent.
    Tanh,
    /// Logistic function.
    Logistic,
}

impl Activation {
    #[inline]
    fn apply(self, sum: f64) -> f64 {
        match self {
            Activation::Identity => sum,
            Activation::Relu => sum.max(0.0),
            Activation::Tanh => sum.tanh(),
            Activation::Logistic => 1.0 / (1.0 + (-sum).exp()),
        }
    }
}

/// One fully connected layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Weights, of shape (inputs, outputs), row by row.
    pub weights: Vec<f64>,
    /// One per output.
    pub biases: Vec<f64>,
}

/// See the module's head.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    mean: [f64; WIDTH],
    scale: [f64; WIDTH],
    layers: Vec<Layer>,
    hidden: Activation,
}

impl Network {
    /// A network of these layers, the last of one output. Features are taken as
    /// (feature - mean) / scale.
    pub fn new(
        mean: &[f64],
        scale: &[f64],
        layers: Vec<Layer>,
        hidden: Activation,
    ) -> Result<Self, Malformed> {
        let (Ok(mean), Ok(scale)) = (mean.try_into(), scale.try_into()) else {
            return malformed(format!(
                "{} means and {} scales for {WIDTH} features",
                mean.len(),
                scale.len()
            ));
        };
        let network = Network { mean, scale, layers, hidden };
        network.check()?;
        Ok(network)
    }

    fn check(&self) -> Result<(), Malformed> {
        if self.scale.contains(&0.0) {
            return malformed("a feature has the scale 0");
        }
        if self.layers.is_empty() || self.layers.len() > LAYERS_MAX {
            return malformed(format!("{} layers, not 1 to {LAYERS_MAX}", self.layers.len()));
        }
        let mut inputs = WIDTH;
        for (at, layer) in self.layers.iter().enumerate() {
            let outputs = layer.biases.len();
            if outputs == 0 || outputs > WIDTH_MAX {
                return malformed(format!(
                    "layer {at} has {outputs} neurons, not 1 to {WIDTH_MAX}"
                ));
            }
            if layer.weights.len() != inputs * outputs {
                return malformed(format!(
                    "layer {at} has {} weights for {inputs} inputs and {outputs} outputs",
                    layer.weights.len()
                ));
            }
            inputs = outputs;
        }
        if inputs != 1 {
            return malformed(format!("the last layer has {inputs} neurons, not 1"));
        }
        let mut numbers =
            self.mean.iter().chain(&self.scale).chain(
                self.layers.iter().flat_map(|layer| layer.weights.iter().chain(&layer.biases)),
            );
        match numbers.find(|number| !number.is_finite()) {
            Some(number) => malformed(format!("a weight is {number}")),
            None => Ok(()),
        }
    }

    /// The last neuron's sum.
    #[inline]
    pub fn sum(&self, row: &Row) -> f64 {
        let (mut inputs, mut outputs) = ([0.0; WIDTH_MAX], [0.0; WIDTH_MAX]);
        let mut width = WIDTH;
        for (at, &feature) in row.iter().enumerate() {
            inputs[at] = (f64::from(feature) - self.mean[at]) / self.scale[at];
        }
        for (at, layer) in self.layers.iter().enumerate() {
            let sums = &mut outputs[..layer.biases.len()];
            sums.copy_from_slice(&layer.biases);
            for (weights, &input) in layer.weights.chunks_exact(sums.len()).zip(&inputs[..width]) {
                for (sum, &weight) in sums.iter_mut().zip(weights) {
                    *sum += weight * input;
                }
            }
            if at + 1 < self.layers.len() {
                sums.iter_mut().for_each(|sum| *sum = self.hidden.apply(*sum));
            }
            width = sums.len();
            std::mem::swap(&mut inputs, &mut outputs);
        }
        inputs[0]
    }

    /// Multiplications per answer, and ten for each activation.
    pub fn steps(&self) -> u64 {
        let of = |layer: &Layer| layer.weights.len() as u64 / 2 + 10 * layer.biases.len() as u64;
        self.layers.iter().map(of).sum()
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        let numbers = |layer: &Layer| layer.weights.capacity() + layer.biases.capacity();
        self.layers.iter().map(numbers).sum::<usize>() * size_of::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(inputs: usize, outputs: usize, weight: f64) -> Layer {
        Layer { weights: vec![weight; inputs * outputs], biases: vec![0.5; outputs] }
    }

    const ONES: [f64; WIDTH] = [1.0; WIDTH];

    #[test]
    fn sums_go_through_the_layers() {
        let layers = vec![layer(WIDTH, 3, -0.25), layer(3, 1, 2.0)];
        let network = Network::new(&ONES, &[2.0; WIDTH], layers, Activation::Relu).unwrap();
        let row: Row = [0.0; WIDTH];
        // Each feature is (0 - 1) / 2, so a hidden neuron is 0.5 + WIDTH / 8.
        let hidden = 0.5 + WIDTH as f64 / 8.0;
        assert_eq!(0.5 + 3.0 * 2.0 * hidden, network.sum(&row));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let make = |layers| Network::new(&ONES, &ONES, layers, Activation::Tanh);
        assert!(make(vec![layer(WIDTH, 1, 1.0)]).is_ok());
        assert!(make(vec![]).is_err());
        assert!(make(vec![layer(WIDTH, 2, 1.0)]).is_err());
        assert!(make(vec![layer(WIDTH - 1, 1, 1.0)]).is_err());
        assert!(make(vec![layer(WIDTH, 1, f64::NAN)]).is_err());
        assert!(
            make(vec![layer(WIDTH, WIDTH_MAX + 1, 1.0), layer(WIDTH_MAX + 1, 1, 1.0)]).is_err()
        );
        assert!(make(vec![layer(WIDTH, 1, 1.0); LAYERS_MAX + 1]).is_err());
        let one = || vec![layer(WIDTH, 1, 1.0)];
        assert!(Network::new(&ONES[1..], &ONES, one(), Activation::Relu).is_err());
        assert!(Network::new(&ONES, &[0.0; WIDTH], one(), Activation::Relu).is_err());
    }
}
