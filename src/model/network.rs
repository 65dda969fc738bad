//! Networks, and what they are for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::Serialize;

use super::{DomainName, Range, ReverseZone};

/// What a network is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// BMCs.
    Management,
    /// PXE boot and installation.
    Provisioning,
    /// Raft and services.
    Cluster,
    /// Those who use the services.
    Client,
}

/// A network.
#[derive(Clone, Debug, Serialize)]
pub struct Network {
    /// What it is for.
    pub roles: Vec<Role>,
    /// Its VLAN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlan: Option<u16>,
    /// Its IPv4 subnet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet: Option<Ipv4Net>,
    /// Its IPv6 subnet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet6: Option<Ipv6Net>,
    /// Its IPv4 router.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Ipv4Addr>,
    /// Its IPv6 router.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway6: Option<Ipv6Addr>,
    /// Its resolvers.
    pub dns: Vec<IpAddr>,
    /// The domain that DHCP hands out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<DomainName>,
    /// The zone of its IPv4 addresses, where that is no /24's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reverse_zone: Option<ReverseZone>,
    /// What DHCP leases to machines without a reservation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<Range<Ipv4Addr>>,
    /// The same for IPv6.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool6: Option<Range<Ipv6Addr>>,
}

impl Network {
    /// Whether it is for `role`.
    #[must_use]
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Its subnets, IPv4 first.
    pub fn subnets(&self) -> impl Iterator<Item = IpNet> + use<> {
        self.subnet.map(IpNet::V4).into_iter().chain(self.subnet6.map(IpNet::V6))
    }
}
