//! The web root: what machines find there is whole, whatever happens while it is published.

mod access;
mod armed;
mod arming;
mod bundles;
mod changes;
mod clusters;
mod clusters_faults;
mod clusters_forged;
mod clusters_shared;
mod faults;
mod forged;
mod hostile;
pub(crate) mod kit;
mod loaders;
mod publications;
mod readers;
mod refused;
mod rollback;
mod roots;
mod signatures;
mod signers;
mod tampered;
