//! `dnsmasq.conf`: DHCP and TFTP by dnsmasq, without its DNS (dnsmasq(8)).
//!
//! It leases IPv6 only in networks of which the provisioner's interface has an address, and behind relays: dnsmasq needs
//! one that the inventory does not give it, such as the one that the router's advertisements lead to.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::Serialize;

use crate::artifact::Artifact;
use crate::model::{
    AbsPath, Cluster, DhcpServer, DomainName, HTTP_CLIENT, HostName, IPXE_CLASS, IfName, MacAddr, Reservation,
};
use crate::outputs::{Emit, Output, template};
use crate::plan::Plan;
use crate::render::Renderer;

use super::{Choice, Facts, Subnet};

pub(in crate::outputs) const OUTPUT: Output = Output {
    name: "dnsmasq.conf",
    about: "leases, reservations, boot files and TFTP for dnsmasq",
    template: Some(template!("dnsmasq.dnsmasq.j2")),
    emit: Emit::Site(emit),
};

#[derive(Serialize)]
struct Context<'a> {
    address: Ipv4Addr,
    interface: &'a IfName,
    tftp_root: String,
    lease: u32,
    /// How many leases there can be: dnsmasq's own limit is 1,000.
    leases: u64,
    ipxe_class: &'static str,
    http_client: &'static str,
    /// What iPXE loads.
    script: String,
    loaders: Vec<Loads>,
    /// What firmware of another architecture loads.
    default: &'static str,
    subnets: Vec<Range<'a>>,
    subnets6: Vec<Range6<'a>>,
    hosts: Vec<Host<'a>>,
    /// The user's own additions: a file on the provisioner.
    extra: Option<&'a AbsPath>,
}

/// What firmware of one architecture loads.
#[derive(Serialize)]
struct Loads {
    tag: String,
    architecture: u16,
    file: String,
    http: bool,
    about: &'static str,
}

/// A provisioning network's IPv4.
#[derive(Serialize)]
struct Range<'a> {
    tag: String,
    #[serde(flatten)]
    facts: Facts<'a>,
}

/// A provisioning network's IPv6.
#[derive(Serialize)]
struct Range6<'a> {
    tag: String,
    network: Ipv6Addr,
    length: u8,
    pool: Option<(Ipv6Addr, Ipv6Addr)>,
    resolvers: Vec<Ipv6Addr>,
    domain: Option<&'a DomainName>,
}

/// What is kept for a node.
#[derive(Serialize)]
struct Host<'a> {
    mac: MacAddr,
    address: Option<Ipv4Addr>,
    address6: Option<Ipv6Addr>,
    name: &'a HostName,
}

fn emit(plan: &Plan, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let cluster = &plan.cluster;
    let own = &cluster.provisioner;
    let boot = super::boot(cluster);
    let context = Context {
        address: own.address,
        interface: &own.interface,
        tftp_root: format!("{}/tftp", own.web_root),
        lease: super::LEASE,
        leases: leases(cluster),
        ipxe_class: IPXE_CLASS,
        http_client: HTTP_CLIENT,
        script: boot.script,
        loaders: boot.loaders.into_iter().map(loads).collect(),
        default: boot.default,
        subnets: super::subnets4(cluster).iter().map(range).collect(),
        subnets6: super::subnets6(cluster).iter().map(range6).collect(),
        hosts: cluster.reservations().map(host).collect(),
        extra: own.extra.get(&DhcpServer::Dnsmasq),
    };
    let text = renderer.render("dnsmasq.dnsmasq.j2", &context)?;
    Ok(vec![Artifact::new("site/pxe/dnsmasq.conf", text)?])
}

/// What is kept, and what pools have; of a pool of IPv6 no more than an IPv4 network could have.
fn leases(cluster: &Cluster) -> u64 {
    const MOST: u128 = 1 << 16;
    let kept = |own: Reservation<'_>| u64::from(own.address.is_some()) + u64::from(own.address6.is_some());
    let size = |first: u128, last: u128| u64::try_from((last - first).min(MOST - 1) + 1).unwrap_or(0);
    let v4 = |own: &Subnet<'_, Ipv4Addr>| {
        own.pool.map(|own| size(own.first.to_bits().into(), own.last.to_bits().into()))
    };
    let v6 = |own: &Subnet<'_, Ipv6Addr>| own.pool.map(|own| size(own.first.to_bits(), own.last.to_bits()));
    cluster.reservations().map(kept).sum::<u64>()
        + super::subnets4(cluster).iter().filter_map(v4).sum::<u64>()
        + super::subnets6(cluster).iter().filter_map(v6).sum::<u64>()
}

fn loads(own: Choice) -> Loads {
    Loads {
        tag: format!("arch/{:04x}", own.architecture),
        architecture: own.architecture,
        file: own.file,
        http: own.http,
        about: own.about,
    }
}

/// The tag of a network. dnsmasq also tags by the name of an interface, which can hold no `/`.
fn tag(label: &crate::model::Label) -> String {
    format!("network/{label}")
}

fn range<'a>(own: &Subnet<'a, Ipv4Addr>) -> Range<'a> {
    Range { tag: tag(own.label), facts: Facts::of(own) }
}

fn range6<'a>(own: &Subnet<'a, Ipv6Addr>) -> Range6<'a> {
    Range6 {
        tag: tag(own.label),
        network: own.net.network(),
        length: own.net.prefix_len(),
        pool: own.pool.map(|pool| (pool.first, pool.last)),
        resolvers: own.resolvers.clone(),
        domain: own.domain,
    }
}

fn host(own: Reservation<'_>) -> Host<'_> {
    Host { mac: own.mac, address: own.address, address6: own.address6, name: own.name }
}
