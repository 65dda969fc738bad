//! The three DHCP servers accept what is written for them, and each file, read back, says what the model says.
//!
//! How they answer machines is tested with live servers elsewhere.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../common/mod.rs"]
mod common;

mod dnsmasq;
mod extra;
mod facts;
mod isc;
mod kea;
mod servers;
mod sites;
