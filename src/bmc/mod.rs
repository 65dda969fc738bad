//! Baseboard management controllers (BMCs): power, a boot from the network, and whether the machine is the one of the
//! inventory. The only room that speaks with machines over a network.
//!
//! ```text
//! reading    the state of a machine, and what every BMC can do, in the terms of no protocol
//! identity   whether the machine is the one of the inventory
//! action     what is done to a machine, step by step
//! access     how a BMC is reached: address, user, password, certificate
//! tls        TLS with a pinned certificate or a CA
//! tls_fault  why no connection came about
//! client     HTTPS requests with limits
//! redfish    BMCs that speak Redfish
//! ipmi       BMCs that speak IPMI, by the program ipmitool
//! ```
//!
//! A BMC is a computer with old software in a network of its own. Its answers are limited in size and time, and are believed
//! only after they were parsed. The password goes to the pinned certificate alone, and stands on no command line.

mod access;
mod action;
mod certificate;
mod client;
mod identity;
mod ipmi;
mod reading;
mod redfish;
mod tls;
mod tls_fault;

use anyhow::Result;

pub use access::Access;
pub use action::{Action, Expected, Outcome, act};
pub use certificate::look_at_certificate;
pub use identity::Identity;
pub use reading::{BootOverride, Controller, Power, Reading};
pub use tls::Trust;

use crate::model::{BmcProtocol, SerialNumber};

/// Makes the controller for the BMC of `access`, of a machine that is to have `serial`. Connects nowhere yet.
///
/// # Errors
/// When the trusted CA can't be used, or the password is longer than IPMI allows.
pub fn open(access: &Access, serial: Option<&SerialNumber>) -> Result<Box<dyn Controller>> {
    match access.protocol {
        BmcProtocol::Redfish => Ok(Box::new(redfish::Redfish::new(access, serial)?)),
        BmcProtocol::Ipmi => Ok(Box::new(ipmi::Ipmi::new(access)?)),
    }
}

/// Hands the terminal to the serial console of the machine of `access`, by IPMI whatever the protocol of the BMC, until the
/// user ends it. A session that somebody else has is ended first if `takes_over`. Returns whether the session ended well.
///
/// # Errors
/// When the BMC does not answer or refuses, or ipmitool is missing.
pub fn show_console(access: &Access, takes_over: bool) -> Result<bool> {
    ipmi::Ipmi::new(access)?.show_console(takes_over)
}
