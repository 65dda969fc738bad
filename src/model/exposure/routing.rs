//! The packets that the provisioner forwards as the gateway of networks.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use serde::Serialize;

use super::openings::{Opening, PacketSource, openings, ssh_sources, subnets};
use super::provisioner::sources;
use super::references::may_hold;
use crate::model::{Cluster, IfName, Node, Protocol, ProvisionerInterface, Role, Traffic};

/// The packets that the provisioner forwards, besides those of connections that exist already: only IPv4, since the
/// provisioner has no IPv6 address that could be a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routing {
    /// The networks whose gateway the provisioner is. Their machines are sent here, and may open connections to any address
    /// outside of `networks` and [`bmcs`](Self::bmcs).
    pub networks: Vec<RoutedNetwork>,
    /// The provisioner's addresses in the inventory: machines in `networks` reach the provisioner by no other address.
    pub addresses: Vec<Ipv4Addr>,
    /// Connections into these networks: those that the nodes there let in.
    pub inward: Vec<ForwardedConnection>,
    /// The networks of BMCs, into which nothing is forwarded, besides `networks`.
    pub bmcs: Vec<IpNet>,
    /// Where the provisioner masquerades what leaves the networks: the destinations that see the senders' addresses
    /// nevertheless, since machines there let packets in by the senders' addresses. `None`: nothing is masqueraded.
    pub unmasked: Option<Vec<IpNet>>,
}

/// A network whose gateway is the provisioner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoutedNetwork {
    /// The IPv4 subnet.
    pub subnet: IpNet,
    /// The provisioner's address in the network.
    pub gateway: Ipv4Addr,
    /// The provisioner's network interface in the network.
    pub device: IfName,
}

/// A connection that the provisioner forwards into one of its networks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardedConnection {
    /// The senders.
    pub source: PacketSource,
    /// The nodes that let the packets in: some of their addresses, as a subnet.
    pub to: IpNet,
    /// The provisioner's network interface in the nodes' network.
    pub device: IfName,
    /// The packets.
    pub traffic: Traffic,
    /// The purpose: the service and its port, in words of the inventory.
    pub purpose: String,
}

/// The packets that the provisioner of `cluster` forwards. `None` where the provisioner is the gateway of no network.
///
/// Packets come in where the nodes of the networks let them in themselves, so that the gateway opens no port of theirs to
/// others.
#[must_use]
pub fn provisioner_routing(cluster: &Cluster) -> Option<Routing> {
    let networks = list_routed_networks(cluster);
    if networks.is_empty() {
        return None;
    }
    let inward = networks.iter().flat_map(|network| list_inward(cluster, network)).collect();
    let is_v4 = |subnet: &IpNet| subnet.addr().is_ipv4();
    let is_routed = |subnet: &IpNet| networks.iter().any(|network| network.subnet == *subnet);
    let bmcs: BTreeSet<_> = subnets(cluster, &[Role::Management]).into_iter().filter(is_v4).collect();
    let bmcs = bmcs.into_iter().filter(|subnet| !is_routed(subnet)).collect();
    let unmasked = cluster.provisioner.nat.then(|| {
        // Nodes, and the provisioner's services, tell senders apart by their subnets.
        let with_nodes = cluster.nodes.iter().flat_map(|node| &node.interfaces);
        let with_nodes = with_nodes.flat_map(|interface| &interface.addresses).map(IpNet::trunc);
        let asking = subnets(cluster, &[Role::Cluster, Role::Provisioning]);
        let all: BTreeSet<_> = with_nodes.chain(asking).filter(is_v4).collect();
        all.into_iter().collect()
    });
    let addresses = cluster.provisioner.interfaces().map(|interface| interface.address).collect();
    Some(Routing { networks, addresses, inward, bmcs, unmasked })
}

/// Whether the provisioner is the gateway of a network.
#[must_use]
pub fn is_gateway(cluster: &Cluster) -> bool {
    !list_routed_networks(cluster).is_empty()
}

/// Lists the networks whose gateway is the provisioner.
fn list_routed_networks(cluster: &Cluster) -> Vec<RoutedNetwork> {
    let to_routed = |interface: &ProvisionerInterface| {
        let network = cluster.networks.get(&interface.network)?;
        let subnet = network.subnet.filter(|_| network.gateway == Some(interface.address))?;
        let (gateway, device) = (interface.address, interface.name.clone());
        Some(RoutedNetwork { subnet: IpNet::V4(subnet), gateway, device })
    };
    cluster.provisioner.interfaces().filter_map(to_routed).collect()
}

/// Lists the connections from outside of `network` that its nodes let in, each once, and to the nodes that do so.
fn list_inward(cluster: &Cluster, network: &RoutedNetwork) -> Vec<ForwardedConnection> {
    let ssh = Opening {
        purpose: "ssh".to_owned(),
        traffic: Traffic::port(Protocol::Tcp, 22),
        sources: sources(cluster, &ssh_sources(cluster)),
    };
    let mut inward: Vec<(Opening, PacketSource, Vec<IpNet>)> = Vec::new();
    let mut seen = BTreeMap::new();
    for node in &cluster.nodes {
        let addresses = list_addresses(cluster, node, network);
        if addresses.is_empty() {
            continue;
        }
        for opening in std::iter::once(ssh.clone()).chain(openings(cluster, node)) {
            let senders: Vec<IpNet> = opening.sources.iter().map(|source| source.subnet).collect();
            // The nodes' interfaces are not the provisioner's.
            for source in sources(cluster, &senders) {
                if source.subnet.addr().is_ipv6() || network.subnet.contains(&source.subnet) {
                    continue;
                }
                let at = *seen.entry((opening.traffic, source.subnet)).or_insert(inward.len());
                if at == inward.len() {
                    inward.push((opening.clone(), source, Vec::new()));
                }
                inward[at].2.extend(&addresses);
            }
        }
    }
    let connections = inward.into_iter().flat_map(|(opening, source, receivers)| {
        let Opening { purpose, traffic, .. } = opening;
        let device = &network.device;
        IpNet::aggregate(&receivers).into_iter().map(move |to| ForwardedConnection {
            source: source.clone(),
            to,
            device: device.clone(),
            traffic,
            purpose: purpose.clone(),
        })
    });
    connections.collect()
}

/// Lists the addresses in `network` at which `node` is reached: the node's, and the virtual ones that the node may hold.
fn list_addresses(cluster: &Cluster, node: &Node, network: &RoutedNetwork) -> Vec<IpNet> {
    let is_there = |address: &IpAddr| network.subnet.contains(address);
    let mut addresses: Vec<IpAddr> = node.addresses().filter(is_there).collect();
    if !addresses.is_empty() {
        let vips = cluster.vips.iter().map(|vip| vip.address).filter(is_there);
        addresses.extend(vips.filter(|vip| may_hold(cluster, node, *vip)));
    }
    addresses.into_iter().map(IpNet::from).collect()
}
