//! Models of reuse: from an object's history and age to what is to be expected of it.

mod hazard;
pub mod predictor;
pub mod survival;
