//! Real servers on the rendered files, in network namespaces of their own, and clients that speak to them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::disallowed_methods, reason = "the rules of the program's rooms are not those of its tests")]

#[path = "../common/mod.rs"]
mod common;

mod boot;
mod cases;
mod dhcp;
mod dhcp6;
mod dns;
mod lab;
mod scale;
mod servers;
