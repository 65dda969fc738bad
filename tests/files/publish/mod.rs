//! The web root: what machines find there is whole, whatever happens while it is published.

mod armed;
mod bundles;
mod faults;
mod forged;
mod hostile;
mod kit;
mod loaders;
mod publications;
mod readers;
mod roots;
mod signatures;
mod signers;
mod tampered;
