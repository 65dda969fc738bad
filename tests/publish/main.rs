//! The web root: what machines find there is whole, whatever happens while it is published.

#![allow(missing_docs)]
// Clippy knows tests, not the functions that they share.
#![allow(clippy::unwrap_used)]

mod armed;
mod bundles;
mod faults;
mod hostile;
#[allow(dead_code, reason = "what a bundle needs of it")]
#[path = "../image/kit.rs"]
mod image;
mod kit;
mod loaders;
mod readers;
mod roots;
mod signers;
mod tampered;
