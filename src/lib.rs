//! plasmagen.

pub mod artifact;
pub mod render;
