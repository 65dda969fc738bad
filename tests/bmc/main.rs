//! BMCs: programs that stand in for them, and what `plasmagen power` does with each.

#![allow(missing_docs)]
// Clippy knows tests, not the functions that they share.
#![allow(clippy::unwrap_used)]

mod bench;
mod ipmi;
mod others;
mod redfish;
mod refusals;
mod trust;
