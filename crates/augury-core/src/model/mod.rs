//! Models of reuse: from an object's history and age to what is to be expected of it.

pub mod survival;
