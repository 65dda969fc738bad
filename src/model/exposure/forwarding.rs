//! The packets that a node forwards: those of tenants, except into the networks where machines are installed and
//! switched off, and to the ports that the cluster's nodes open to each other.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::openings::{ExposedMachine, name_port, subnets};
use crate::model::service::FOR_TENANTS;
use crate::model::{Cluster, ControlPort, OpenOn, Protocol, Role, Traffic};

/// The treatment of packets that reach a node and are addressed to another machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forwarding {
    /// The node drops them: none of its services forwards packets.
    Nothing,
    /// The node forwards them, unless they start one of these connections.
    AllBut(Vec<RefusedConnection>),
}

/// Connections that are not forwarded: those into a subnet, or to one port there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedConnection {
    /// The subnet of the receiver.
    pub subnet: IpNet,
    /// The receiver's port; `None` for every packet.
    pub port: Option<ControlPort>,
}

/// The packets that a node, or a node of a profile, forwards.
///
/// The inventory does not know tenants' addresses, so the destination decides: tenants have no business in the
/// management networks (BMCs) and the provisioning networks (an unauthenticated boot server), nor at the ports that nodes
/// open to the cluster's networks. The nodes themselves cannot tell: a masqueraded packet of a tenant has the address of the
/// node that forwarded the packet. Packets that machines of the cluster send themselves are not forwarded, and so not
/// concerned.
#[must_use]
pub fn forwarding<'a>(cluster: &Cluster, machine: impl Into<ExposedMachine<'a>>) -> Forwarding {
    let services = machine.into().services;
    if !services.iter().any(|service| FOR_TENANTS.contains(&service.name.as_str())) {
        return Forwarding::Nothing;
    }
    let shut = subnets(cluster, &[Role::Management, Role::Provisioning]);
    let mut refused: Vec<_> =
        shut.iter().map(|subnet| RefusedConnection { subnet: *subnet, port: None }).collect();
    for subnet in subnets(cluster, &[Role::Cluster]).into_iter().filter(|subnet| !shut.contains(subnet)) {
        let to_port = |port: &ControlPort| RefusedConnection { subnet, port: Some(port.clone()) };
        refused.extend(cluster.control_ports.iter().map(to_port));
    }
    Forwarding::AllBut(refused)
}

/// Lists the ports that the nodes of `cluster`, and nodes of its profiles, open to the cluster's networks and not to clients,
/// sorted by number.
#[must_use]
pub fn control_ports(cluster: &Cluster) -> Vec<ControlPort> {
    let (inside, clients) = (subnets(cluster, &[Role::Cluster]), subnets(cluster, &[Role::Client]));
    let mut purposes = BTreeMap::from([(Traffic::port(Protocol::Tcp, 22), "ssh".to_owned())]);
    let mut for_clients = Vec::new();
    let nodes = cluster.nodes.iter().map(|node| &node.services);
    for service in nodes.chain(cluster.profiles.iter().map(|profile| &profile.services)).flatten() {
        for (key, port, protocol) in service.ports.all() {
            let traffic = Traffic::port(protocol, port);
            if service.ports.clients && key == "port" {
                for_clients.push(traffic);
            } else {
                purposes.entry(traffic).or_insert_with(|| name_port(service, key));
            }
        }
    }
    for extra in cluster.firewall.iter().filter(|extra| extra.on != OpenOn::Provisioner) {
        // An opening for every packet names no port that tenants could be kept from.
        let Some(traffic) = extra.traffic().filter(|traffic| *traffic != Traffic::Any) else { continue };
        if extra.from.iter().any(|from| from.prefix_len() == 0 || overlaps(from, &clients)) {
            for_clients.push(traffic);
        } else if extra.from.iter().any(|from| overlaps(from, &inside)) {
            purposes.entry(traffic).or_insert_with(|| extra.name.to_string());
        }
    }
    for reference in &cluster.references {
        for traffic in reference.traffic {
            purposes.entry(*traffic).or_insert_with(|| reference.purpose.to_owned());
        }
    }
    for_clients.iter().for_each(|port| drop(purposes.remove(port)));
    purposes.into_iter().map(|(traffic, purpose)| ControlPort { purpose, traffic }).collect()
}

/// Whether `subnet` has addresses in common with one of `others`.
fn overlaps(subnet: &IpNet, others: &[IpNet]) -> bool {
    others.iter().any(|other| other.contains(subnet) || subnet.contains(other))
}
