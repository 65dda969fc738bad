//! The provisioner, and its interfaces in the provisioning networks.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

use super::{AbsPath, DhcpServer, IfName, Label, RelPath};

/// The directory of the web root that is the TFTP root.
pub const TFTP_DIR: &str = "tftp";

/// The provisioner: the PXE, DHCP, TFTP and HTTP server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Provisioner {
    /// The interface in the provisioner's home network. Machines behind DHCP relays load from its address.
    #[serde(flatten)]
    pub home: ProvisionerInterface,
    /// The interfaces in further provisioning networks, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_interfaces: Vec<ProvisionerInterface>,
    /// Whether the provisioner masquerades what leaves the networks whose gateway it is.
    pub nat: bool,
    /// The TCP port that nginx listens on.
    pub http_port: u16,
    /// The DHCP server that the provisioner runs.
    pub dhcp: DhcpServer,
    /// The directory that nginx serves as `/boot/`.
    pub web_root: AbsPath,
    /// Files on the provisioner that the configuration of a DHCP server includes, by server.
    pub extra: BTreeMap<DhcpServer, AbsPath>,
    /// Files with the reservations of other clusters that the provisioner serves, too.
    pub reservations: Vec<RelPath>,
}

/// A network interface of the provisioner in a provisioning network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvisionerInterface {
    /// The provisioning network that the interface is connected to.
    pub network: Label,
    /// The provisioner's address in that network.
    pub address: Ipv4Addr,
    /// The name of the interface.
    #[serde(rename = "interface")]
    pub name: IfName,
}

impl Provisioner {
    /// All interfaces, the one in the home network first. Each is in another network.
    pub fn interfaces(&self) -> impl Iterator<Item = &ProvisionerInterface> {
        std::iter::once(&self.home).chain(&self.other_interfaces)
    }

    /// The interface in `network`, if the provisioner stands in that network.
    #[must_use]
    pub fn interface_in(&self, network: &Label) -> Option<&ProvisionerInterface> {
        self.interfaces().find(|interface| interface.network == *network)
    }

    /// The interface that machines in `network` load from: the one in that network, and the home interface for networks
    /// behind relays.
    #[must_use]
    pub fn interface_for(&self, network: &Label) -> &ProvisionerInterface {
        self.interface_in(network).unwrap_or(&self.home)
    }

    /// Whether `address` is one of the provisioner's addresses.
    #[must_use]
    pub fn has_address(&self, address: IpAddr) -> bool {
        self.interfaces().any(|interface| IpAddr::V4(interface.address) == address)
    }

    /// The address that servers listen at which take one address, or do not start while one of theirs is missing: the home
    /// address, or with several interfaces any address. The firewall says who may ask.
    #[must_use]
    pub fn listening_address(&self) -> Ipv4Addr {
        if self.other_interfaces.is_empty() { self.home.address } else { Ipv4Addr::UNSPECIFIED }
    }

    /// The URL of the web root at the address of `interface`, without a final slash.
    #[must_use]
    pub fn base_url(&self, interface: &ProvisionerInterface) -> String {
        format!("http://{}:{}/boot", interface.address, self.http_port)
    }

    /// The TFTP root: the directory of the web root that firmware loads iPXE from.
    #[must_use]
    pub fn tftp_root(&self) -> String {
        format!("{}/{TFTP_DIR}", self.web_root)
    }
}
