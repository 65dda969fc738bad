//! Chapters C and E: addresses, and who claims them.

mod bmc;
mod claims;
mod holders;
mod hosts;
mod ranges;
mod resolvers;
mod routing;
mod subnets;
mod taken;

pub(super) use bmc::{e01, e02, e05, e06};
pub(super) use claims::network_finder;
pub(super) use hosts::{c01, c02, c03, c04, c05, c06, c10};
pub(super) use ranges::{c12, c13, c14, c17, c19};
pub(super) use resolvers::{c11, c15};
pub(super) use routing::c20;
pub(super) use subnets::{c07, c09};
pub use taken::TakenAddresses;
