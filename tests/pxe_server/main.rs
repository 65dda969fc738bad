//! The PXE server's NixOS module, and the `pxe-server.nix` that is rendered for it, read by NixOS' module system.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../common/mod.rs"]
mod common;
mod kit;
mod made;
#[path = "../common/nix.rs"]
mod nix;
mod options;
mod rendered;
