//! plasmagen.

pub mod artifact;
pub mod check;
pub mod cli;
pub mod diag;
pub mod inventory;
pub mod model;
pub mod outputs;
pub mod pki;
pub mod plan;
pub mod render;
pub mod resolve;
pub mod rules;
