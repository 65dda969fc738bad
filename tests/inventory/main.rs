//! From an inventory to diagnostics and files: all that can be said without any program but plasmagen.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod accepted;
mod acknowledge;
mod by_construction;
mod catalogue;
mod change;
mod circles;
mod edits;
mod faults;
mod golden;
mod hosts;
mod imports;
mod moved;
mod mutated_edits;
mod node_edits;
mod node_table;
mod panics;
mod reference;
mod rejects;
mod rooms;
mod shell;
mod show;
mod sites;
mod slips;
mod source;
mod templates;
mod typos;
mod words;
