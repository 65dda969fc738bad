//! `pxe-server.nix`: the options of the NixOS module in `profiles/pxe-server`, filled in.

use std::net::{IpAddr, Ipv4Addr};

use serde::Serialize;

use crate::artifact::Artifact;
use crate::model::{
    AbsPath, Cluster, DomainName, HostName, IfName, MacAddr, Network, Node, Role, System, broadcast,
};
use crate::plan::Plan;
use crate::render::Renderer;

use super::{Emit, Output, template};

pub(super) const OUTPUT: Output = Output {
    name: "pxe-server.nix",
    about: "the PXE server as a NixOS module",
    template: Some(template!("pxe-server.nix.j2")),
    emit: Emit::Site(emit),
};

#[derive(Serialize)]
struct Context<'a> {
    interface: &'a IfName,
    address: Ipv4Addr,
    http_port: u16,
    web_root: &'a AbsPath,
    /// The kinds of machines that boot, unless they are the module's default.
    systems: Vec<&'static str>,
    /// The DHCP server of the inventory, where NixOS does not have that server.
    absent: Option<&'static str>,
    backend: Option<&'static str>,
    config_file: String,
    config_file6: Option<String>,
    subnet: Option<Subnet>,
    pool: Option<(Ipv4Addr, Ipv4Addr)>,
    gateway: Option<Ipv4Addr>,
    resolvers: Vec<Ipv4Addr>,
    domain: Option<&'a DomainName>,
    nodes: Vec<Machine<'a>>,
}

/// The provisioner's own network.
#[derive(Serialize)]
struct Subnet {
    network: Ipv4Addr,
    netmask: Ipv4Addr,
    /// None for a /31, which has no broadcast address.
    broadcast: Option<IpAddr>,
}

#[derive(Serialize)]
struct Machine<'a> {
    mac: MacAddr,
    /// Its netboot image: the profile's base.
    profile: &'static str,
    name: &'a HostName,
    address: Option<Ipv4Addr>,
}

fn emit(plan: &Plan, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let cluster = &plan.cluster;
    let provisioner = &cluster.provisioner;
    let network = cluster.networks.get(&provisioner.network);
    let subnet = network.and_then(|network| network.subnet);
    let server = provisioner.dhcp.on_nixos();
    let facts = server.facts();
    let context = Context {
        interface: &provisioner.interface,
        address: provisioner.address,
        http_port: provisioner.http_port,
        web_root: &provisioner.web_root,
        systems: systems(cluster),
        absent: (server != provisioner.dhcp).then_some(provisioner.dhcp.as_str()),
        backend: facts.backend,
        config_file: format!("./{}", facts.config),
        config_file6: facts.config6.filter(|_| has_ipv6(cluster)).map(|file| format!("./{file}")),
        subnet: subnet.map(|subnet| Subnet {
            network: subnet.network(),
            netmask: subnet.netmask(),
            broadcast: broadcast(subnet.into()),
        }),
        pool: network.and_then(|network| network.pool).map(|pool| (pool.first, pool.last)),
        gateway: network.and_then(|network| network.gateway),
        resolvers: network.map(resolvers).unwrap_or_default(),
        domain: network.and_then(|network| network.domain.as_ref()),
        nodes: cluster.nodes.iter().map(machine).collect(),
    };
    let text = renderer.render("pxe-server.nix.j2", &context)?;
    Ok(vec![Artifact::new("site/pxe/pxe-server.nix", text)?])
}

fn machine(node: &Node) -> Machine<'_> {
    let address = node.reservation().and_then(|own| own.address);
    Machine { mac: node.mac, profile: node.base.as_str(), name: &node.name, address }
}

fn resolvers(network: &Network) -> Vec<Ipv4Addr> {
    let v4 = |address: &IpAddr| if let IpAddr::V4(address) = address { Some(*address) } else { None };
    network.dns.iter().filter_map(v4).collect()
}

/// Whether DHCPv6 has something to say.
fn has_ipv6(cluster: &Cluster) -> bool {
    cluster.networks_for(Role::Provisioning).any(|(_, network)| network.subnet6.is_some())
}

/// The kinds of machines among the nodes; none where all are what the module expects.
fn systems(cluster: &Cluster) -> Vec<&'static str> {
    let all = [System::X86_64, System::Aarch64];
    let booted = |system: &System| cluster.nodes.iter().any(|node| node.system == *system);
    let found: Vec<_> = all.into_iter().filter(booted).collect();
    if found == [System::X86_64] { Vec::new() } else { found.into_iter().map(System::as_str).collect() }
}
