//! What is written for NixOS, evaluated by NixOS' module system; the modules of `profiles/`; the flake.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod changes;
mod configurations;
mod encrypted_disks;
mod first_boot;
mod first_boot_units;
mod flake;
mod model;
mod networkd;
mod profiles;
mod pxe_server;
mod restarts;
mod wipe_guard;
