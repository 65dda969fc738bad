//! `nodes/` and `site/` on disk: whole or nothing, whatever happens.
//!
//! Tests that need a process (to kill it, to let its disk run full, to change its umask) start the one of `driver`.

mod cache;
mod driver;
mod durable;
mod edits;
mod faults;
pub(crate) mod kit;
mod mounts;
mod runs;
mod trees;
