//! The laboratory of augury: traces in, miss ratios out.
pub mod curve;
pub mod dataset;
pub mod demands;
pub mod explain;
pub mod freshness;
pub mod inspect;
pub mod replay;
pub mod session;
pub mod synthetic;
pub mod trace;
