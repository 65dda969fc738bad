//! `profiles/` by itself: machines of a few lines, evaluated by NixOS' module system.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../common/nix.rs"]
mod nix;

mod check;
mod exposure;
mod firewall;
mod kit;
mod machine;
mod modes;
mod order;
mod secrets;
mod services;
