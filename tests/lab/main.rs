//! `plasmagen lab`: the reference boots in QEMU behind each DHCP server, behind a relay, unarmed, unknown and tampered
//! with; a bundle of the user's boots until SSH answers; what is missing is named; and whenever it is killed, nothing of
//! it stays.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::disallowed_methods, reason = "the rules of the program's rooms are not those of its tests")]

#[path = "../common/mod.rs"]
mod common;

mod boots;
mod bundles;
mod kit;
mod leaves;
mod refuses;
