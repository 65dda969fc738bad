//! The packets that nodes let in.

use ipnet::IpNet;

use super::references::answers_to;
use crate::model::{
    Cluster, IfName, Interface, Label, Network, Node, OpenOn, Profile, Reference, Role, Service, Traffic,
};

/// Packets that a machine lets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The purpose: the service and its port, in words of the inventory.
    pub purpose: String,
    /// The packets.
    pub traffic: Traffic,
    /// The senders of the packets.
    pub sources: Vec<PacketSource>,
}

/// A group of senders: a subnet, and the device that its packets come in through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PacketSource {
    /// The subnet of the sender; with a length of zero, all addresses of the family.
    pub subnet: IpNet,
    /// The device that such packets come in through, where the machine is connected to that subnet itself.
    pub device: Option<IfName>,
}

/// The facts that a firewall depends on: those of a node, or of a profile's node that adds nothing to the profile.
#[derive(Clone, Copy, Debug)]
pub struct ExposedMachine<'a> {
    /// The services that the machine runs.
    pub services: &'a [Service],
    /// The machine's network interfaces.
    pub interfaces: &'a [Interface],
    /// The node, or the profile whose nodes are meant.
    pub nodes: WhichNodes<'a>,
}

/// One node, or the nodes of a profile.
#[derive(Clone, Copy, Debug)]
pub enum WhichNodes<'a> {
    /// The node.
    One(&'a Node),
    /// The nodes of the profile with this name.
    OfProfile(&'a Label),
}

impl<'a> From<&'a Node> for ExposedMachine<'a> {
    fn from(node: &'a Node) -> Self {
        Self { services: &node.services, interfaces: &node.interfaces, nodes: WhichNodes::One(node) }
    }
}

impl<'a> From<&'a Profile> for ExposedMachine<'a> {
    fn from(profile: &'a Profile) -> Self {
        let nodes = WhichNodes::OfProfile(&profile.name);
        Self { services: &profile.services, interfaces: &profile.interfaces, nodes }
    }
}

impl WhichNodes<'_> {
    /// Whether the node, or a node of the profile, is the one that `reference` names.
    fn answer_to(self, cluster: &Cluster, reference: &Reference) -> bool {
        match self {
            Self::One(node) => answers_to(node, reference),
            Self::OfProfile(profile) => {
                let mut nodes = cluster.nodes.iter().filter(|node| node.profile == *profile);
                nodes.any(|node| answers_to(node, reference))
            }
        }
    }
}

/// The subnets that SSH is open to: those that the inventory names, else the management, provisioning and cluster
/// networks.
#[must_use]
pub fn ssh_sources(cluster: &Cluster) -> Vec<IpNet> {
    cluster
        .ssh_from
        .clone()
        .unwrap_or_else(|| subnets(cluster, &[Role::Management, Role::Provisioning, Role::Cluster]))
}

/// The subnets of all networks that have one of `roles`.
pub(super) fn subnets(cluster: &Cluster, roles: &[Role]) -> Vec<IpNet> {
    let any = |role: &Role| roles.contains(role);
    let networks = cluster.networks.values().filter(|network| network.roles.iter().any(any));
    networks.flat_map(Network::subnets).collect()
}

/// Everything that a node or a profile lets in besides SSH: its services in order, the machines that the inventory sends to
/// it, and what `[firewall]` adds.
#[must_use]
pub fn openings<'a>(cluster: &Cluster, machine: impl Into<ExposedMachine<'a>>) -> Vec<Opening> {
    let machine = machine.into();
    let inside = sources(cluster, machine, &subnets(cluster, &[Role::Cluster]));
    let with_clients = sources(cluster, machine, &subnets(cluster, &[Role::Cluster, Role::Client]));
    let mut openings = Vec::new();
    for service in machine.services {
        for (key, port, protocol) in service.ports.all() {
            let sources = if service.ports.clients && key == "port" { &with_clients } else { &inside };
            let purpose = name_port(service, key);
            let traffic = Traffic::port(protocol, port);
            openings.push(Opening { purpose, traffic, sources: sources.clone() });
        }
    }
    for reference in cluster.references.iter().filter(|reference| machine.nodes.answer_to(cluster, reference))
    {
        let mut sources = sources(cluster, machine, &reference.senders);
        // A question to an address in another network is routed, and comes in where its router is.
        for source in sources.iter_mut().filter(|source| !source.subnet.contains(&reference.address)) {
            source.device = None;
        }
        openings.extend(reference.traffic.iter().map(|traffic| Opening {
            purpose: reference.purpose.to_owned(),
            traffic: *traffic,
            sources: sources.clone(),
        }));
    }
    for extra in cluster.firewall.iter().filter(|extra| extra.on != OpenOn::Provisioner) {
        let sources = sources(cluster, machine, &extra.from);
        let purpose = extra.name.to_string();
        openings.extend(extra.traffic().map(|traffic| Opening { purpose, traffic, sources }));
    }
    openings
}

/// Names the port `key` of `service` in words of the inventory.
pub(super) fn name_port(service: &Service, key: &str) -> String {
    if key == "port" { service.name.to_string() } else { format!("{} {key}", service.name) }
}

fn sources(cluster: &Cluster, machine: ExposedMachine<'_>, subnets: &[IpNet]) -> Vec<PacketSource> {
    let device = |subnet: &IpNet| {
        let has_subnet = |name: &Label| {
            cluster.networks.get(name).is_some_and(|network| network.subnets().any(|other| other == *subnet))
        };
        machine
            .interfaces
            .iter()
            .find(|interface| interface.network.as_ref().is_some_and(has_subnet))
            .map(|interface| interface.device.clone())
    };
    subnets.iter().map(|subnet| PacketSource { subnet: *subnet, device: device(subnet) }).collect()
}
