//! `dhcpd.conf`: ISC DHCP, for those who still run it (dhcpd.conf(5)).

use std::net::{IpAddr, Ipv4Addr};

use serde::Serialize;

use crate::artifact::Artifact;
use crate::model::{DhcpServer, DomainName, HostName, MacAddr, Network, Reservation, Role};
use crate::plan::Plan;
use crate::render::Renderer;

use super::{Emit, Output, template};

pub(super) const OUTPUT: Output = Output {
    name: "dhcpd.conf",
    about: "leases, reservations and boot files for ISC DHCP",
    template: Some(template!("dhcpd.dhcp.j2")),
    emit: Emit::Site(emit),
};

#[derive(Serialize)]
struct Context<'a> {
    next_server: Ipv4Addr,
    /// What iPXE loads.
    script: String,
    /// What UEFI loads over HTTP.
    efi_url: String,
    efi_arm_url: String,
    subnets: Vec<Subnet<'a>>,
    hosts: Vec<Host<'a>>,
    /// The user's own additions: a file on the provisioner.
    extra: Option<&'a str>,
}

/// A provisioning network: the provisioner's own, or one whose gateway relays.
#[derive(Serialize)]
struct Subnet<'a> {
    network: Ipv4Addr,
    netmask: Ipv4Addr,
    broadcast: Ipv4Addr,
    pool: Option<(Ipv4Addr, Ipv4Addr)>,
    gateway: Option<Ipv4Addr>,
    resolvers: Vec<Ipv4Addr>,
    domain: Option<&'a DomainName>,
}

/// A reservation.
#[derive(Serialize)]
struct Host<'a> {
    name: &'a HostName,
    mac: MacAddr,
    address: Ipv4Addr,
}

fn host<'a>(own: &Reservation<'a>) -> Option<Host<'a>> {
    Some(Host { name: own.name, mac: own.mac, address: own.address? })
}

fn emit(plan: &Plan, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let cluster = &plan.cluster;
    let base = cluster.provisioner.base_url();
    let context = Context {
        next_server: cluster.provisioner.address,
        script: format!("{base}/ipxe/boot.ipxe"),
        efi_url: format!("{base}/tftp/ipxe.efi"),
        efi_arm_url: format!("{base}/tftp/ipxe-arm64.efi"),
        subnets: cluster.networks_for(Role::Provisioning).filter_map(|(_, own)| subnet(own)).collect(),
        hosts: cluster.reservations().filter_map(|own| host(&own)).collect(),
        extra: cluster.provisioner.extra.get(&DhcpServer::Isc).map(crate::model::AbsPath::as_str),
    };
    Ok(vec![Artifact::new("site/pxe/dhcpd.conf", renderer.render("dhcpd.dhcp.j2", &context)?)?])
}

fn subnet(network: &Network) -> Option<Subnet<'_>> {
    let subnet = network.subnet?;
    let v4 = |address: &IpAddr| match address {
        IpAddr::V4(address) => Some(*address),
        IpAddr::V6(_) => None,
    };
    Some(Subnet {
        network: subnet.network(),
        netmask: subnet.netmask(),
        broadcast: subnet.broadcast(),
        pool: network.pool.map(|pool| (pool.first, pool.last)),
        gateway: network.gateway,
        resolvers: network.dns.iter().filter_map(v4).collect(),
        domain: network.domain.as_ref(),
    })
}
