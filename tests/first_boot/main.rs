//! First-boot automation: its programs run against services that speak over TLS with certificates that plasmagen issued.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod answers;
mod configurations;
mod documented;
mod existing;
mod forming;
mod interrupted;
mod joining;
mod kit;
#[path = "../common/nix.rs"]
mod nix;
mod outcome;
mod trust;
mod units;
mod waiting;
