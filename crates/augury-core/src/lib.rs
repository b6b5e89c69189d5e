//! The engine of augury.
pub mod request;
