//! Netboot images: what is packed is what was there, always as the same bytes, and every reader of initrds agrees.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod boot;
mod bundle;
#[path = "../common/bzimage.rs"]
mod bzimage;
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/ipxe.rs"]
mod ipxe;
mod kit;
mod overlay;
mod readers;
mod same;
mod scan;
mod script;
