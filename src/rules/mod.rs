//! The invariants: what must be true of an inventory before anything is written from it.
//!
//! A file per theme, a function per rule, one table of all rules. To add a rule: its function in the file of its
//! theme, its row in `table.rs`, its page in `docs/rules/`, and `tests/rejects/<code>.toml`.

mod access;
mod acknowledgements;
mod addresses;
mod authorities;
mod bonds;
mod certificates;
mod committed;
mod dates;
mod derived;
mod disk_names;
mod disks;
mod files;
mod foreign_zones;
mod former;
mod former_disks;
mod links;
mod loading;
mod macs;
mod members;
mod mtu;
mod names;
mod permit;
mod ports;
mod quorum;
mod references;
mod revoked;
mod rule;
mod run;
mod table;
mod unused;
mod vault;
mod vlans;
mod zones;

pub use addresses::TakenAddresses;
pub use committed::{Committed, CommittedFiles};
pub use former_disks::keep_labels;
pub use rule::{Enforcement, Rule};
pub use run::{check, check_certificates};
pub use table::{RULES, find};
