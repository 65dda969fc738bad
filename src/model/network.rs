//! Networks and their roles.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};

use super::{DomainName, Range, ReverseZone};

/// The purpose of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// BMCs are reached here.
    Management,
    /// Machines boot (PXE) and are installed here.
    Provisioning,
    /// Raft and the services run here.
    Cluster,
    /// Clients use the services from here.
    Client,
}

impl Role {
    /// The name of the role in the inventory.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Management => "management",
            Self::Provisioning => "provisioning",
            Self::Cluster => "cluster",
            Self::Client => "client",
        }
    }
}

/// A network of the site.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Network {
    /// The purposes of the network.
    pub roles: Vec<Role>,
    /// The VLAN ID (IEEE 802.1Q).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlan: Option<u16>,
    /// The IPv4 subnet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet: Option<Ipv4Net>,
    /// The IPv6 subnet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet6: Option<Ipv6Net>,
    /// The address of the IPv4 router.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Ipv4Addr>,
    /// The address of the IPv6 router.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway6: Option<Ipv6Addr>,
    /// The DNS servers that machines in this network ask.
    pub dns: Vec<IpAddr>,
    /// The domain that DHCP hands out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<DomainName>,
    /// Whether the site has a zone for the domain.
    pub zone: bool,
    /// The zone of the names of the network's addresses, where that is not the zone of whole octets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reverse_zone: Option<ReverseZone>,
    /// The IPv4 addresses that DHCP leases to machines without a reservation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<Range<Ipv4Addr>>,
    /// The IPv6 addresses that DHCPv6 leases to machines without a reservation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool6: Option<Range<Ipv6Addr>>,
}

impl Network {
    /// Whether the network has `role`.
    #[must_use]
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// The subnets, IPv4 first.
    pub fn subnets(&self) -> impl Iterator<Item = IpNet> + use<> {
        self.subnet.map(IpNet::V4).into_iter().chain(self.subnet6.map(IpNet::V6))
    }
}
