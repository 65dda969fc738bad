//! The files of the DHCP servers. This module computes the facts; each server's module writes them in that server's
//! terms.
//!
//! Each provisioning network is a subnet, whether the provisioner stands in the network or a relay does: a server takes
//! the subnet that the relay's address (giaddr) lies in. A shared network would let machines of one rack lease addresses
//! of another. Machines boot over IPv4, since the provisioner's address is an IPv4 address; IPv6 is for networks that
//! have both families.

pub(super) mod dnsmasq;
pub(super) mod isc;
pub(super) mod kea;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use serde::Serialize;

use crate::artifact::Artifact;
use crate::model::{
    Cluster, DEFAULT_LOADER, DomainName, Family, HTTP_CLIENT, HostName, IPXE_CLASS, LOADERS, Label, Loader,
    MacAddr, Network, Range, Reservation, Role, TFTP_DIR, broadcast,
};

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
    /// Whether the provisioner stands in the network; the other networks are behind relays.
    is_local: bool,
    pool: Option<Range<A>>,
    gateway: Option<A>,
    resolvers: Vec<A>,
    domain: Option<&'a DomainName>,
    /// The addresses that are reserved for nodes.
    hosts: Vec<ReservedHost<'a, A>>,
}

/// An address that is reserved for a node.
#[derive(Serialize)]
struct ReservedHost<'a, A> {
    name: &'a HostName,
    mac: MacAddr,
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
            let Reservation { name, mac, network, .. } = reservation;
            hosts.entry(network).or_default().push(ReservedHost { name, mac, address });
        }
    }
    let subnet = |(label, network)| {
        let (net, pool, gateway) = parts(network)?;
        let resolvers = network.dns.iter().filter_map(of_family).collect();
        let hosts = hosts.remove(label).unwrap_or_default();
        let is_local = *label == cluster.provisioner.network;
        let domain = network.domain.as_ref();
        Some(ServedSubnet { label, net, is_local, pool, gateway, resolvers, domain, hosts })
    };
    cluster.networks_for(Role::Provisioning).filter_map(subnet).collect()
}

/// The files that machines load when they boot.
#[derive(Serialize)]
struct BootFiles {
    /// The user class that iPXE sends.
    ipxe_class: &'static str,
    /// The vendor class that firmware sends and expects when it boots over HTTP.
    http_client: &'static str,
    /// The URL of the script that iPXE runs.
    script: String,
    /// The files that firmware loads, by architecture.
    loaders: Vec<ArchitectureLoader>,
    /// The file that firmware of any other architecture loads.
    default: &'static str,
}

/// The file that firmware of one architecture loads.
#[derive(Serialize)]
struct ArchitectureLoader {
    /// The value of DHCP option 93.
    architecture: u16,
    /// The value in four hexadecimal digits.
    hex: String,
    /// The value in two bytes, as dhcpd compares data: `= 7` never matches.
    bytes: String,
    /// A file in the TFTP root, or a URL.
    file: String,
    /// Whether `file` is a URL, and the firmware expects the vendor class `HTTPClient`.
    http: bool,
    /// The kind of machine, for comments.
    about: &'static str,
}

impl BootFiles {
    fn new(cluster: &Cluster) -> Self {
        let base = cluster.provisioner.base_url();
        let loaders = |loader: &Loader| {
            let Loader { architectures, file, http, about } = *loader;
            let file = if http { format!("{base}/{TFTP_DIR}/{file}") } else { file.to_owned() };
            architectures.iter().map(move |&architecture| {
                let [high, low] = architecture.to_be_bytes();
                ArchitectureLoader {
                    architecture,
                    hex: format!("{architecture:04x}"),
                    bytes: format!("{high:02x}:{low:02x}"),
                    file: file.clone(),
                    http,
                    about,
                }
            })
        };
        Self {
            ipxe_class: IPXE_CLASS,
            http_client: HTTP_CLIENT,
            script: format!("{base}/ipxe/boot.ipxe"),
            loaders: LOADERS.iter().flat_map(loaders).collect(),
            default: DEFAULT_LOADER,
        }
    }
}
