//! The certificate that a BMC shows, before it is trusted.

use std::net::IpAddr;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::access::Access;
use super::client::Client;
use super::tls::Trust;
use crate::fs::Sha256Sum;
use crate::model::BmcProtocol;

/// Asks the BMC of `node` at `address` for its certificate, and returns the SHA-256 of the certificate. The connection ends
/// there: nothing is sent.
///
/// # Errors
/// When nothing answers at the address, or the BMC's TLS is too old.
pub fn look_at_certificate(node: &str, address: IpAddr) -> Result<Sha256Sum> {
    let access = Access {
        node: node.to_owned(),
        address,
        protocol: BmcProtocol::Redfish,
        user: String::new(),
        password: String::new().into(),
        password_path: PathBuf::new(),
        trust: Trust::Nothing,
    };
    let client = Client::new(&access)?;
    client.look().context("the certificate of the BMC could not be read")
}
