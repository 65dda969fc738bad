//! `dnsmasq.conf`: leases, reservations, boot files and TFTP for dnsmasq, without its DNS (dnsmasq(8)).
//!
//! dnsmasq leases IPv6 only in networks in which the provisioner's interface has an IPv6 address, and behind relays. The
//! inventory gives the provisioner no IPv6 address; the interface may have one from router advertisements.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::Serialize;

use crate::artifact::Artifact;
use crate::model::{
    AbsPath, BmcReservation, Cluster, DhcpServer, DomainName, HostName, IfName, Label, MacAddr, Range,
    Reservation,
};
use crate::outputs::{Emit, Output};
use crate::plan::Plan;
use crate::render::{Renderer, Template, template};

use super::{ArchitectureLoader, BootFiles, Ipv4Subnet, ServedSubnet};

const SERVER: DhcpServer = DhcpServer::Dnsmasq;
const TEMPLATE: Template = template!("dnsmasq.dnsmasq.j2");

pub(in crate::outputs) const OUTPUT: Output =
    Output { name: SERVER.facts().config, templates: &[TEMPLATE], emit: Emit::Site(emit) };

#[derive(Serialize)]
struct Context<'a> {
    address: Ipv4Addr,
    interfaces: Vec<&'a IfName>,
    tftp_root: String,
    lease: u32,
    /// The largest number of leases at one time; dnsmasq's default is 1,000.
    leases: u64,
    #[serde(flatten)]
    boot: BootFiles,
    /// The files that firmware loads, by architecture: dnsmasq takes the last line that fits.
    preferred_last: Vec<ArchitectureLoader>,
    /// The boot files at the provisioner's interfaces in further networks.
    others: Vec<OtherFiles<'a>>,
    subnets: Vec<Ipv4Subnet<'a>>,
    subnets6: Vec<Ipv6Subnet<'a>>,
    hosts: Vec<HostLine<'a>>,
    /// The user's additions: a file on the provisioner.
    extra: Option<&'a AbsPath>,
}

/// The boot files for machines in the network of another interface of the provisioner than the home interface.
#[derive(Serialize)]
struct OtherFiles<'a> {
    network: &'a Label,
    address: Ipv4Addr,
    #[serde(flatten)]
    boot: BootFiles,
    preferred_last: Vec<ArchitectureLoader>,
}

/// The IPv6 subnet of a provisioning network.
#[derive(Serialize)]
struct Ipv6Subnet<'a> {
    label: &'a Label,
    network: Ipv6Addr,
    length: u8,
    pool: Option<(Ipv6Addr, Ipv6Addr)>,
    resolvers: Vec<Ipv6Addr>,
    domain: Option<&'a DomainName>,
}

/// The addresses that are reserved for a node or a BMC: dnsmasq takes both families on one line.
#[derive(Serialize)]
struct HostLine<'a> {
    /// The NICs that may boot. With several on one line, dnsmasq gives the address to the NIC that asked last.
    macs: Vec<MacAddr>,
    /// The name of the node's platform; none for a BMC, which boots nothing.
    platform: Option<String>,
    address: Option<Ipv4Addr>,
    address6: Option<Ipv6Addr>,
    name: Cow<'a, HostName>,
}

fn emit(plan: &Plan, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let cluster = &plan.cluster;
    let provisioner = &cluster.provisioner;
    let (subnets, subnets6) = (super::subnets4(cluster), super::subnets6(cluster));
    let boot = BootFiles::new(cluster, &provisioner.home);
    let others = provisioner.other_interfaces.iter().map(|interface| {
        let boot = BootFiles::new(cluster, interface);
        let (network, address) = (&interface.network, interface.address);
        OtherFiles { network, address, preferred_last: prefer_last(&boot), boot }
    });
    let context = Context {
        address: provisioner.home.address,
        interfaces: provisioner.interfaces().map(|interface| &interface.name).collect(),
        tftp_root: provisioner.tftp_root(),
        lease: super::LEASE,
        leases: count_leases(cluster, &subnets, &subnets6),
        preferred_last: prefer_last(&boot),
        boot,
        others: others.collect(),
        subnets: subnets.into_iter().map(Into::into).collect(),
        subnets6: subnets6.into_iter().map(Into::into).collect(),
        hosts: cluster
            .reservations()
            .map(HostLine::from)
            .chain(cluster.bmc_reservations().map(HostLine::from))
            .collect(),
        extra: provisioner.extra.get(&SERVER),
    };
    Ok(vec![super::artifact(SERVER.facts().config, renderer.render(TEMPLATE.name, &context)?)?])
}

/// The files that firmware loads, in the order in which dnsmasq prefers the last one.
fn prefer_last(boot: &BootFiles) -> Vec<ArchitectureLoader> {
    boot.loaders.iter().rev().cloned().collect()
}

/// The number of reserved addresses and of addresses in pools. A pool of IPv6 counts as many as an IPv4 network can have.
fn count_leases(
    cluster: &Cluster,
    subnets: &[ServedSubnet<'_, Ipv4Addr>],
    subnets6: &[ServedSubnet<'_, Ipv6Addr>],
) -> u64 {
    const MOST: u128 = 1 << 16;
    let size = |first: u128, last: u128| u64::try_from((last - first).min(MOST - 1) + 1).unwrap_or(0);
    let size4 = |pool: Range<Ipv4Addr>| size(pool.first.to_bits().into(), pool.last.to_bits().into());
    let size6 = |pool: Range<Ipv6Addr>| size(pool.first.to_bits(), pool.last.to_bits());
    let reserved = |reservation: Reservation<'_>| {
        u64::from(reservation.address.is_some()) + u64::from(reservation.address6.is_some())
    };
    cluster.reservations().map(reserved).sum::<u64>()
        + cluster.bmc_reservations().map(|_| 1).sum::<u64>()
        + subnets.iter().filter_map(|subnet| subnet.pool).map(size4).sum::<u64>()
        + subnets6.iter().filter_map(|subnet| subnet.pool).map(size6).sum::<u64>()
}

impl<'a> From<ServedSubnet<'a, Ipv6Addr>> for Ipv6Subnet<'a> {
    fn from(subnet: ServedSubnet<'a, Ipv6Addr>) -> Self {
        Self {
            label: subnet.label,
            network: subnet.net.network(),
            length: subnet.net.prefix_len(),
            pool: subnet.pool.map(|pool| (pool.first, pool.last)),
            resolvers: subnet.resolvers,
            domain: subnet.domain,
        }
    }
}

impl<'a> From<Reservation<'a>> for HostLine<'a> {
    fn from(reservation: Reservation<'a>) -> Self {
        let Reservation { name, macs, platform, address, address6, .. } = reservation;
        Self { macs, platform: Some(platform.name()), address, address6, name: Cow::Borrowed(name) }
    }
}

impl<'a> From<BmcReservation<'a>> for HostLine<'a> {
    fn from(reservation: BmcReservation<'a>) -> Self {
        let (address, address6) = match reservation.address {
            IpAddr::V4(v4) => (Some(v4), None),
            IpAddr::V6(v6) => (None, Some(v6)),
        };
        Self {
            macs: vec![reservation.mac],
            platform: None,
            address,
            address6,
            name: Cow::Owned(reservation.name),
        }
    }
}
