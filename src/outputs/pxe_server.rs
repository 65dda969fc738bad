//! `pxe-server.nix`: the PXE server as a NixOS module, which sets the options of `profiles/pxe-server`.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use serde::Serialize;

use crate::artifact::Artifact;
use crate::model::{
    AbsPath, Cluster, DomainName, Firmware, HostName, IfName, MacAddr, Network, Node, ProvisionerInterface,
    Role, System, broadcast, is_gateway,
};
use crate::plan::Plan;
use crate::render::{Renderer, Template, template};

use super::{Emit, Output};

const TEMPLATE: Template = template!("pxe-server.nix.j2");

pub(super) const OUTPUT: Output =
    Output { name: "pxe-server.nix", templates: &[TEMPLATE], emit: Emit::Site(emit) };

#[derive(Serialize)]
struct Context<'a> {
    interface: &'a IfName,
    address: Ipv4Addr,
    /// The interfaces in further provisioning networks.
    others: &'a [ProvisionerInterface],
    http_port: u16,
    web_root: &'a AbsPath,
    /// The systems of the machines that boot, unless they are the default of the module.
    systems: Vec<&'static str>,
    /// The DHCP server of the inventory, where NixOS does not have that server.
    absent: Option<&'static str>,
    backend: Option<&'static str>,
    config_file: String,
    config_file6: Option<String>,
    subnet: Option<SubnetOptions>,
    pool: Option<(Ipv4Addr, Ipv4Addr)>,
    gateway: Option<Ipv4Addr>,
    /// Whether the provisioner is the gateway of a network.
    is_gateway: bool,
    resolvers: Vec<Ipv4Addr>,
    domain: Option<&'a DomainName>,
    nodes: Vec<NodeOptions<'a>>,
}

/// The subnet of the network in which the provisioner stands.
#[derive(Serialize)]
struct SubnetOptions {
    network: Ipv4Addr,
    netmask: Ipv4Addr,
    broadcast: Option<IpAddr>,
}

/// The options `nodes.<mac>`.
#[derive(Serialize)]
struct NodeOptions<'a> {
    mac: MacAddr,
    /// The name of the netboot image.
    profile: String,
    name: &'a HostName,
    address: Option<Ipv4Addr>,
    /// The addresses of the other NICs that may boot.
    other_macs: Vec<MacAddr>,
    system: &'static str,
    /// The firmware, unless it is UEFI, the module's default.
    firmware: Option<&'static str>,
}

fn emit(plan: &Plan, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let cluster = &plan.cluster;
    let provisioner = &cluster.provisioner;
    let network = cluster.networks.get(&provisioner.home.network);
    let subnet = network.and_then(|network| network.subnet);
    let server = provisioner.dhcp.on_nixos();
    let facts = server.facts();
    let context = Context {
        interface: &provisioner.home.name,
        address: provisioner.home.address,
        others: &provisioner.other_interfaces,
        http_port: provisioner.http_port,
        web_root: &provisioner.web_root,
        systems: list_systems(cluster),
        absent: (server != provisioner.dhcp).then_some(provisioner.dhcp.as_str()),
        backend: facts.backend,
        config_file: format!("./{}", facts.config),
        config_file6: facts.config6.filter(|_| has_ipv6(cluster)).map(|file| format!("./{file}")),
        subnet: subnet.map(|subnet| SubnetOptions {
            network: subnet.network(),
            netmask: subnet.netmask(),
            broadcast: broadcast(IpNet::V4(subnet)),
        }),
        pool: network.and_then(|network| network.pool).map(|pool| (pool.first, pool.last)),
        gateway: network.and_then(|network| network.gateway),
        is_gateway: is_gateway(cluster),
        resolvers: network.map(list_resolvers).unwrap_or_default(),
        domain: network.and_then(|network| network.domain.as_ref()),
        nodes: cluster.nodes.iter().map(node_options).collect(),
    };
    let text = renderer.render(TEMPLATE.name, &context)?;
    Ok(vec![Artifact::new("site/pxe/pxe-server.nix", text)?])
}

fn node_options(node: &Node) -> NodeOptions<'_> {
    let address = node.reservation().and_then(|reservation| reservation.address);
    NodeOptions {
        mac: node.mac,
        profile: node.image(),
        name: &node.name,
        address,
        other_macs: node.boot_macs().split_off(1),
        system: node.system.as_str(),
        firmware: (node.firmware != Firmware::Uefi).then(|| node.firmware.as_str()),
    }
}

/// Lists the IPv4 resolvers of `network`.
fn list_resolvers(network: &Network) -> Vec<Ipv4Addr> {
    let v4 = |address: &IpAddr| if let IpAddr::V4(address) = address { Some(*address) } else { None };
    network.dns.iter().filter_map(v4).collect()
}

/// Whether a provisioning network has an IPv6 subnet, so that there is a configuration for DHCPv6.
fn has_ipv6(cluster: &Cluster) -> bool {
    cluster.networks_for(Role::Provisioning).any(|(_, network)| network.subnet6.is_some())
}

/// Lists the systems of the nodes, and of those of other clusters whose reservations the provisioner has. The list is empty where
/// all have the system that the module expects.
fn list_systems(cluster: &Cluster) -> Vec<&'static str> {
    let foreign = || cluster.foreign_reservations.iter().map(|reservation| reservation.platform.system);
    let is_booted = |system: &System| {
        cluster.nodes.iter().map(|node| node.system).chain(foreign()).any(|one| one == *system)
    };
    let found: Vec<_> = [System::X86_64, System::Aarch64].into_iter().filter(is_booted).collect();
    if found == [System::X86_64] { Vec::new() } else { found.into_iter().map(System::as_str).collect() }
}
