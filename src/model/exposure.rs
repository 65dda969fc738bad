//! Who may reach which port of a machine, and what it forwards: the runbook's port matrix, which every firewall is
//! written from.

mod forwarding;
mod provisioner;

use ipnet::IpNet;

use super::{Cluster, IfName, Interface, Label, Network, Node, Profile, Protocol, Role, Service};

pub use forwarding::{Forwarding, forwarding};
pub use provisioner::provisioner_openings;

/// A port that a machine opens.
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
    /// The subnet of the sender; with a length of zero, all of the family.
    pub subnet: IpNet,
    /// The device that such packets come in through, where the machine stands in that subnet itself.
    pub device: Option<IfName>,
}

/// What a firewall depends on: of a node, or of a node that its profile says everything of.
#[derive(Clone, Copy, Debug)]
pub struct Machine<'a> {
    /// What it runs.
    pub services: &'a [Service],
    /// Where it stands.
    pub interfaces: &'a [Interface],
}

impl<'a> From<&'a Node> for Machine<'a> {
    fn from(node: &'a Node) -> Self {
        Self { services: &node.services, interfaces: &node.interfaces }
    }
}

impl<'a> From<&'a Profile> for Machine<'a> {
    fn from(profile: &'a Profile) -> Self {
        Self { services: &profile.services, interfaces: &profile.interfaces }
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
fn subnets(cluster: &Cluster, roles: &[Role]) -> Vec<IpNet> {
    let any = |role: &Role| roles.contains(role);
    let networks = cluster.networks.values().filter(|network| network.roles.iter().any(any));
    networks.flat_map(Network::subnets).collect()
}

/// Every port that a node or a profile opens besides SSH, in the order of its services.
#[must_use]
pub fn openings<'a>(cluster: &Cluster, machine: impl Into<Machine<'a>>) -> Vec<Opening> {
    let machine = machine.into();
    let inside = sources(cluster, machine, &subnets(cluster, &[Role::Cluster]));
    let with_clients = sources(cluster, machine, &subnets(cluster, &[Role::Cluster, Role::Client]));
    let mut openings = Vec::new();
    for service in machine.services {
        for (what, port, protocol) in service.ports.all() {
            let sources = if service.ports.clients && what == "port" { &with_clients } else { &inside };
            let purpose =
                if what == "port" { service.name.to_string() } else { format!("{} {what}", service.name) };
            openings.push(Opening { purpose, port, protocol, sources: sources.clone() });
        }
    }
    for extra in &cluster.firewall {
        let (purpose, sources) = (extra.name.to_string(), sources(cluster, machine, &extra.from));
        openings.push(Opening { purpose, port: extra.port, protocol: extra.protocol, sources });
    }
    openings
}

fn sources(cluster: &Cluster, machine: Machine<'_>, subnets: &[IpNet]) -> Vec<Source> {
    let device = |subnet: &IpNet| {
        let stands_in = |name: &Label| {
            cluster.networks.get(name).is_some_and(|network| network.subnets().any(|s| s == *subnet))
        };
        machine
            .interfaces
            .iter()
            .find(|interface| interface.network.as_ref().is_some_and(stands_in))
            .map(|interface| interface.device.clone())
    };
    subnets.iter().map(|subnet| Source { subnet: *subnet, device: device(subnet) }).collect()
}
