//! Netboot images: what is packed is what was there, always as the same bytes, and every reader of initrds agrees.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod boot;
mod bundle;
mod kit;
mod netboot;
mod overlay;
mod readers;
mod same;
mod scan;
mod script;
