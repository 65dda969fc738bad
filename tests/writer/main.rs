//! `nodes/` and `site/` on disk: whole or nothing, whatever happens.
//!
//! Tests that need a process (to kill it, to starve it of disk, to change its umask) run `examples/commit.rs`.

#![allow(missing_docs)]
// Clippy knows tests, not the functions that they share.
#![allow(clippy::unwrap_used)]

mod cache;
mod durable;
mod edits;
mod faults;
mod kit;
#[path = "../common/memory.rs"]
mod memory;
mod mounts;
mod runs;
mod trees;
