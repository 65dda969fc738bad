//! DHCP, whichever server the provisioner runs: the facts, which every server's file is written from.
//!
//! Each provisioning network is a subnet of its own, the provisioner's and those behind relays alike: a server takes the
//! one that the relay's address (giaddr) lies in, and a shared network would let machines of one rack lease addresses of
//! another. Machines boot over IPv4, since that is what the provisioner's address is; IPv6 is for networks that have
//! both.

pub(super) mod dnsmasq;
pub(super) mod isc;
mod kea;
pub(super) mod kea4;
pub(super) mod kea6;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use serde::Serialize;

use crate::model::{
    Cluster, DEFAULT_LOADER, DomainName, Family, HostName, LOADERS, Label, Loader, MacAddr, Network, Range,
    Reservation, Role, broadcast,
};

/// How long a lease lasts unless a machine asks for another time, in seconds.
const LEASE: u32 = 3600;

/// The longest lease that a machine gets, in seconds.
const LONGEST_LEASE: u32 = 86_400;

/// A provisioning network as machines of one family of addresses see it.
struct Subnet<'a, A: Family> {
    /// The network's name.
    label: &'a Label,
    net: A::Subnet,
    /// Whether the provisioner stands in it; the others are behind relays.
    own: bool,
    pool: Option<Range<A>>,
    gateway: Option<A>,
    resolvers: Vec<A>,
    domain: Option<&'a DomainName>,
    /// What is kept in it.
    hosts: Vec<Host<'a, A>>,
}

/// An address that is kept for a node.
#[derive(Serialize)]
struct Host<'a, A> {
    name: &'a HostName,
    mac: MacAddr,
    address: A,
}

/// What a template says of a provisioning network's IPv4. Without a pool, only what is kept is leased.
#[derive(Serialize)]
struct Facts<'a> {
    network: Ipv4Addr,
    netmask: Ipv4Addr,
    broadcast: Option<IpAddr>,
    pool: Option<(Ipv4Addr, Ipv4Addr)>,
    gateway: Option<Ipv4Addr>,
    resolvers: Vec<Ipv4Addr>,
    domain: Option<&'a DomainName>,
}

impl<'a> Facts<'a> {
    fn of(own: &Subnet<'a, Ipv4Addr>) -> Self {
        Self {
            network: own.net.network(),
            netmask: own.net.netmask(),
            broadcast: broadcast(IpNet::V4(own.net)),
            pool: own.pool.map(|pool| (pool.first, pool.last)),
            gateway: own.gateway,
            resolvers: own.resolvers.clone(),
            domain: own.domain,
        }
    }
}

/// The provisioning networks with IPv4.
fn subnets4(cluster: &Cluster) -> Vec<Subnet<'_, Ipv4Addr>> {
    let v4 = |address: &IpAddr| if let IpAddr::V4(own) = address { Some(*own) } else { None };
    subnets(cluster, |own| own.address, v4, |own| Some((own.subnet?, own.pool, own.gateway)))
}

/// The provisioning networks with IPv6.
fn subnets6(cluster: &Cluster) -> Vec<Subnet<'_, Ipv6Addr>> {
    let v6 = |address: &IpAddr| if let IpAddr::V6(own) = address { Some(*own) } else { None };
    subnets(cluster, |own| own.address6, v6, |own| Some((own.subnet6?, own.pool6, own.gateway6)))
}

/// The subnet, pool and gateway of a network.
type Parts<A> = (<A as Family>::Subnet, Option<Range<A>>, Option<A>);

fn subnets<A: Family>(
    cluster: &Cluster,
    kept: fn(&Reservation) -> Option<A>,
    of_family: fn(&IpAddr) -> Option<A>,
    parts: fn(&Network) -> Option<Parts<A>>,
) -> Vec<Subnet<'_, A>> {
    let mut hosts: BTreeMap<&Label, Vec<Host<A>>> = BTreeMap::new();
    for own in cluster.reservations() {
        if let Some(address) = kept(&own) {
            hosts.entry(own.network).or_default().push(Host { name: own.name, mac: own.mac, address });
        }
    }
    let subnet = |(label, network)| {
        let (net, pool, gateway) = parts(network)?;
        let resolvers = network.dns.iter().filter_map(of_family).collect();
        let hosts = hosts.remove(label).unwrap_or_default();
        let own = *label == cluster.provisioner.network;
        Some(Subnet { label, net, own, pool, gateway, resolvers, domain: network.domain.as_ref(), hosts })
    };
    cluster.networks_for(Role::Provisioning).filter_map(subnet).collect()
}

/// What a machine loads.
struct Boot {
    /// The URL of the script that iPXE runs.
    script: String,
    /// What firmware loads, by its architecture.
    loaders: Vec<Choice>,
    /// What firmware of any other architecture loads.
    default: &'static str,
}

/// What firmware of one architecture loads.
struct Choice {
    /// DHCP option 93.
    architecture: u16,
    /// A file in the TFTP root, or a URL.
    file: String,
    /// Whether it is a URL, and the firmware wants its vendor class back.
    http: bool,
    about: &'static str,
}

fn boot(cluster: &Cluster) -> Boot {
    let base = cluster.provisioner.base_url();
    let choices = |loader: &Loader| {
        let Loader { architectures, file, http, about } = *loader;
        let file = if http { format!("{base}/tftp/{file}") } else { file.to_owned() };
        architectures.iter().map(move |&architecture| Choice {
            architecture,
            file: file.clone(),
            http,
            about,
        })
    };
    Boot {
        script: format!("{base}/ipxe/boot.ipxe"),
        loaders: LOADERS.iter().flat_map(choices).collect(),
        default: DEFAULT_LOADER,
    }
}
