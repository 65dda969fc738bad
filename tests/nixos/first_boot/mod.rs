//! First-boot automation: its programs run against services that speak over TLS with certificates that plasmagen issued.

mod answers;
mod configurations;
mod documented;
mod existing;
mod forming;
mod interrupted;
mod joining;
mod kit;
mod outcome;
mod trust;
mod units;
mod waiting;
