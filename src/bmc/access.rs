//! How a BMC is reached: its address, the user and the password.

use std::net::IpAddr;
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::tls::Trust;
use crate::model::BmcProtocol;

/// How the BMC of a node is reached. There is no `Debug`: the password must not be printed.
pub struct Access {
    /// The name of the node.
    pub node: String,
    /// The address of the BMC.
    pub address: IpAddr,
    /// The protocol that the BMC speaks.
    pub protocol: BmcProtocol,
    /// The user to log in as.
    pub user: String,
    /// The password of the user.
    pub password: Zeroizing<String>,
    /// The file of the password, which `ipmitool` reads.
    pub password_path: PathBuf,
    /// The certificate that the BMC must show; IPMI has none.
    pub trust: Trust,
}
