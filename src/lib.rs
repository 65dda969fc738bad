//! plasmagen.

pub mod artifact;
pub mod diag;
pub mod model;
