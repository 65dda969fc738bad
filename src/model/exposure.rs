//! Who may reach which port of a node: the runbook's port matrix, which every firewall is written from.

use ipnet::IpNet;

use super::{Cluster, IfName, Node, Protocol, Role};

/// A port that a node opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// What for: the service and its port, in words of the inventory.
    pub purpose: String,
    /// The port.
    pub port: u16,
    /// Its protocol.
    pub protocol: Protocol,
    /// Who may reach it.
    pub sources: Vec<Source>,
}

/// Where packets may come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The subnet of the sender.
    pub subnet: IpNet,
    /// The device that such packets come in through, where the node stands in that subnet itself.
    pub device: Option<IfName>,
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
fn subnets(cluster: &Cluster, roles: &[Role]) -> Vec<IpNet> {
    let any = |role: &Role| roles.contains(role);
    let networks = cluster.networks.values().filter(|network| network.roles.iter().any(any));
    networks.flat_map(super::Network::subnets).collect()
}

/// Every port that `node` opens besides SSH, in the order of its services.
#[must_use]
pub fn openings(cluster: &Cluster, node: &Node) -> Vec<Opening> {
    let inside = sources(cluster, node, &subnets(cluster, &[Role::Cluster]));
    let with_clients = sources(cluster, node, &subnets(cluster, &[Role::Cluster, Role::Client]));
    let mut openings = Vec::new();
    for service in &node.services {
        for (what, port, protocol) in service.ports.all() {
            let sources = if service.ports.clients && what == "port" { &with_clients } else { &inside };
            let purpose =
                if what == "port" { service.name.to_string() } else { format!("{} {what}", service.name) };
            openings.push(Opening { purpose, port, protocol, sources: sources.clone() });
        }
    }
    for extra in &cluster.firewall {
        let (purpose, sources) = (extra.name.to_string(), sources(cluster, node, &extra.from));
        openings.push(Opening { purpose, port: extra.port, protocol: extra.protocol, sources });
    }
    openings
}

fn sources(cluster: &Cluster, node: &Node, subnets: &[IpNet]) -> Vec<Source> {
    let device = |subnet: &IpNet| {
        let stands_in = |name: &super::Label| {
            cluster.networks.get(name).is_some_and(|network| network.subnets().any(|s| s == *subnet))
        };
        node.interfaces
            .iter()
            .find(|interface| interface.network.as_ref().is_some_and(stands_in))
            .map(|interface| interface.device.clone())
    };
    subnets.iter().map(|subnet| Source { subnet: *subnet, device: device(subnet) }).collect()
}
