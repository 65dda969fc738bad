//! Baseboard management controllers.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{UserName, VaultFile};

/// The baseboard management controller of a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bmc {
    /// The BMC's address in a management network.
    pub address: IpAddr,
    /// The user to log in as.
    pub user: UserName,
    /// The file in the vault that holds the user's password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<VaultFile>,
    /// The protocol that the BMC speaks.
    pub protocol: BmcProtocol,
}

/// A protocol of baseboard management controllers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BmcProtocol {
    /// DMTF Redfish.
    Redfish,
    /// IPMI 2.0 over LAN.
    Ipmi,
}

impl BmcProtocol {
    /// The name of the protocol in the inventory.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Redfish => "redfish",
            Self::Ipmi => "ipmi",
        }
    }
}
