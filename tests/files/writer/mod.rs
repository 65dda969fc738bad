//! `nodes/` and `site/` on disk: whole or nothing, whatever happens.
//!
//! Tests that need a process (to kill it, to starve it of disk, to change its umask) run `examples/commit.rs`.

// Clippy knows tests, not the functions that they share.
mod cache;
mod durable;
mod edits;
mod faults;
mod kit;
mod mounts;
mod runs;
mod trees;
