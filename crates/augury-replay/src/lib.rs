//! The laboratory of augury: traces in, miss ratios out.
pub mod synthetic;
pub mod trace;
