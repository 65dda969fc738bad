//! plasmagen.

pub mod artifact;
pub mod pki;
