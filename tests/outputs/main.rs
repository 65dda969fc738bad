//! What is written for other programs, read back by them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod agreement;
mod consumers;
mod dhcp;
mod dialects;
mod dns;
mod firewalls;
mod hostile;
mod layouts;
