//! The PXE server's NixOS module, and the `pxe-server.nix` that is rendered for it, read by NixOS' module system.

mod kit;
mod made;
mod options;
mod rendered;
