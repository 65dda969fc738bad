//! `plasmagen lab`: the reference boots in QEMU behind each DHCP server, behind a relay, unarmed, unknown and tampered
//! with; a bundle of the user's boots until SSH answers; what is missing is named; and whenever it is killed, nothing of
//! it stays.

mod boots;
mod bundles;
mod kit;
mod leaves;
mod refuses;
