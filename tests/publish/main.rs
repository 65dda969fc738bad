//! The web root: what machines find there is whole, whatever happens while it is published.

#![allow(missing_docs)]
// Clippy knows tests, not the functions that they share.
#![allow(clippy::unwrap_used)]

mod armed;
mod bundles;
#[path = "../common/bzimage.rs"]
mod bzimage;
mod faults;
mod hostile;
mod kit;
mod loaders;
#[path = "../common/memory.rs"]
mod memory;
mod readers;
mod roots;
mod signatures;
mod signers;
mod tampered;
