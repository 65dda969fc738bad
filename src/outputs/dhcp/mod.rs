//! The files of the DHCP servers. This module computes the facts; each server's module writes them in that server's
//! terms.
//!
//! Each provisioning network is a subnet, whether the provisioner stands in the network or a relay does: a server takes
//! the subnet that the relay's address (giaddr) lies in. A shared network would let machines of one rack lease addresses
//! of another. Machines load from the provisioner's address in their network, and behind relays from the one in the home
//! network. Machines boot over IPv4, since the provisioner's address is an IPv4 address; IPv6 is for networks that
//! have both families.

mod boot_files;
pub(super) mod dnsmasq;
pub(super) mod isc;
pub(super) mod kea;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use serde::Serialize;

use crate::artifact::Artifact;
use crate::model::{
    BmcReservation, Cluster, DomainName, Family, HostName, Label, MacAddr, Network, ProvisionerInterface,
    Range, Reservation, Role, broadcast,
};

use boot_files::{ArchitectureLoader, BootFiles, ENTRIES, PlatformFiles, counted};

/// The time of a lease in seconds, unless a machine asks for another time.
const LEASE: u32 = 3600;

/// The longest time of a lease that a machine gets, in seconds.
const LONGEST_LEASE: u32 = 86_400;

/// The artifact of the configuration file `name` of a server.
fn artifact(name: &str, body: impl Into<Vec<u8>>) -> anyhow::Result<Artifact> {
    Artifact::new(format!("site/pxe/{name}"), body)
}

/// A provisioning network, reduced to one family of addresses.
struct ServedSubnet<'a, A: Family> {
    /// The name of the network.
    label: &'a Label,
    net: A::Subnet,
    /// The provisioner's interface in the network; networks without one are behind relays.
    interface: Option<&'a ProvisionerInterface>,
    pool: Option<Range<A>>,
    gateway: Option<A>,
    resolvers: Vec<A>,
    domain: Option<&'a DomainName>,
    /// The addresses that are reserved for nodes.
    hosts: Vec<ReservedHost<'a, A>>,
}

/// An address that is reserved for one of the NICs through which a node may boot, or for a BMC.
#[derive(Serialize)]
struct ReservedHost<'a, A> {
    name: Cow<'a, HostName>,
    /// The number of the NIC; none for the first one.
    number: Option<usize>,
    mac: MacAddr,
    /// Whether other NICs of the node have the same address reserved.
    is_shared: bool,
    /// The name of the node's platform; none for a BMC, which boots nothing.
    platform: Option<String>,
    address: A,
}

/// An IPv4 subnet as templates print it. Without a pool, only reserved addresses are leased.
#[derive(Serialize)]
struct Ipv4Subnet<'a> {
    label: &'a Label,
    network: Ipv4Addr,
    netmask: Ipv4Addr,
    broadcast: Option<IpAddr>,
    pool: Option<(Ipv4Addr, Ipv4Addr)>,
    gateway: Option<Ipv4Addr>,
    resolvers: Vec<Ipv4Addr>,
    domain: Option<&'a DomainName>,
    hosts: Vec<ReservedHost<'a, Ipv4Addr>>,
}

impl<'a> From<ServedSubnet<'a, Ipv4Addr>> for Ipv4Subnet<'a> {
    fn from(subnet: ServedSubnet<'a, Ipv4Addr>) -> Self {
        Self {
            label: subnet.label,
            network: subnet.net.network(),
            netmask: subnet.net.netmask(),
            broadcast: broadcast(IpNet::V4(subnet.net)),
            pool: subnet.pool.map(|pool| (pool.first, pool.last)),
            gateway: subnet.gateway,
            resolvers: subnet.resolvers,
            domain: subnet.domain,
            hosts: subnet.hosts,
        }
    }
}

/// The provisioning networks that have an IPv4 subnet.
fn subnets4(cluster: &Cluster) -> Vec<ServedSubnet<'_, Ipv4Addr>> {
    let v4 = |address: &IpAddr| if let IpAddr::V4(v4) = address { Some(*v4) } else { None };
    let parts = |network: &Network| Some((network.subnet?, network.pool, network.gateway));
    subnets(cluster, |reservation| reservation.address, v4, parts)
}

/// The provisioning networks that have an IPv6 subnet.
fn subnets6(cluster: &Cluster) -> Vec<ServedSubnet<'_, Ipv6Addr>> {
    let v6 = |address: &IpAddr| if let IpAddr::V6(v6) = address { Some(*v6) } else { None };
    let parts = |network: &Network| Some((network.subnet6?, network.pool6, network.gateway6));
    subnets(cluster, |reservation| reservation.address6, v6, parts)
}

/// The subnet, the pool and the gateway of a network.
type SubnetParts<A> = (<A as Family>::Subnet, Option<Range<A>>, Option<A>);

fn subnets<A: Family>(
    cluster: &Cluster,
    reserved: fn(&Reservation) -> Option<A>,
    of_family: fn(&IpAddr) -> Option<A>,
    parts: fn(&Network) -> Option<SubnetParts<A>>,
) -> Vec<ServedSubnet<'_, A>> {
    let mut hosts: BTreeMap<&Label, Vec<ReservedHost<A>>> = BTreeMap::new();
    for reservation in cluster.reservations() {
        if let Some(address) = reserved(&reservation) {
            let Reservation { name, macs, platform, network, .. } = reservation;
            let is_shared = macs.len() > 1;
            hosts.entry(network).or_default().extend(macs.into_iter().enumerate().map(|(index, mac)| {
                let (number, platform) = ((index > 0).then_some(index + 1), Some(platform.name()));
                ReservedHost { name: Cow::Borrowed(name), number, mac, is_shared, platform, address }
            }));
        }
    }
    for BmcReservation { name, mac, network, address } in cluster.bmc_reservations() {
        if let Some(address) = of_family(&address) {
            let (name, number, is_shared, platform) = (Cow::Owned(name), None, false, None);
            let host = ReservedHost { name, number, mac, is_shared, platform, address };
            hosts.entry(network).or_default().push(host);
        }
    }
    let subnet = |(label, network)| {
        let (net, pool, gateway) = parts(network)?;
        let resolvers = network.dns.iter().filter_map(of_family).collect();
        let hosts = hosts.remove(label).unwrap_or_default();
        let interface = cluster.provisioner.interface_in(label);
        let domain = network.domain.as_ref();
        Some(ServedSubnet { label, net, interface, pool, gateway, resolvers, domain, hosts })
    };
    cluster.networks_for(Role::Provisioning).filter_map(subnet).collect()
}
