//! plasmagen.

pub mod artifact;
pub mod write;
