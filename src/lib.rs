//! plasmagen.

pub mod artifact;
