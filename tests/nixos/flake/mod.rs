//! The flake, `lib.mkSite` and the netboot images in the real Nix, offline: nixpkgs and disko are stand-ins
//! (`tests/nix/stand-in`) around nixpkgs' own module system.

mod image;
mod kit;
mod ours;
mod site;
