//! Models of reuse: from an object's history and age to what is to be expected of it.

pub mod costs;
pub mod features;
mod hazard;
mod lanes;
pub mod lens;
pub mod predictor;
pub mod seasons;
pub mod survival;
