//! The program as a user runs it: every command, what it prints, what it leaves on disk and how it exits.

#![allow(missing_docs)]
// Clippy knows tests, not the functions that they share.
#![allow(clippy::unwrap_used)]

mod absences;
mod admin_keys;
mod ancestors;
mod arming;
mod backups;
mod backups_swept;
mod boot_signatures;
mod boot_signers;
mod boot_urls;
mod bundle;
mod certificates;
mod changing;
mod check;
mod clusters;
mod diff;
mod disk_names;
mod encrypted_disks;
mod explain;
mod faults;
mod formats;
mod former;
mod help;
mod host_keys;
mod hostile_files;
mod hostile_names;
mod init;
mod kit;
mod mounts;
mod named;
mod nearest;
mod node_edits;
mod other_files;
mod planted;
mod precommit;
mod publish;
mod quoted;
mod recompress;
mod refusals;
mod render;
mod renewal;
mod renewal_faults;
mod reservations;
mod revocations;
mod rotation;
mod schema;
mod sealing;
mod secrets;
mod shell;
mod show;
mod signing;
mod situations;
mod staging;
mod stale;
mod swept;
mod terminal;
mod trust;
mod vault_command;
mod vaults;
mod web_root;
mod whole;
