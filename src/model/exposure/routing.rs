//! The packets that the provisioner forwards as the gateway of networks.

use std::collections::BTreeSet;

use ipnet::IpNet;

use super::openings::{Opening, PacketSource, openings, ssh_sources, subnets};
use super::provisioner::sources;
use crate::model::{Cluster, IfName, Node, Protocol, ProvisionerInterface, Role, Traffic};

/// The packets that the provisioner forwards, besides those of connections that exist already: only IPv4, since the
/// provisioner has no IPv6 address that could be a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routing {
    /// The networks whose gateway the provisioner is. Their machines are sent here, and may open connections to any address
    /// outside of [`closed`](Self::closed).
    pub networks: Vec<RoutedNetwork>,
    /// Connections into these networks: those that the nodes there let in.
    pub inward: Vec<ForwardedConnection>,
    /// The subnets into which nothing else is forwarded: those of `networks`, and those of BMCs.
    pub closed: Vec<IpNet>,
    /// Where the provisioner masquerades what leaves the networks: the destinations that see the senders' addresses
    /// nevertheless. They know the way back, or their firewalls let packets in by the senders' addresses. `None`: nothing is
    /// masqueraded.
    pub unmasked: Option<Vec<IpNet>>,
}

/// A network whose gateway is the provisioner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutedNetwork {
    /// The IPv4 subnet.
    pub subnet: IpNet,
    /// The provisioner's network interface in the network.
    pub device: IfName,
}

/// A connection that the provisioner forwards into one of its networks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardedConnection {
    /// The senders.
    pub source: PacketSource,
    /// The network of the receiver.
    pub to: RoutedNetwork,
    /// The packets.
    pub traffic: Traffic,
    /// The purpose: the service and its port, in words of the inventory.
    pub purpose: String,
}

/// The packets that the provisioner of `cluster` forwards. `None` where the provisioner is the gateway of no network.
///
/// What comes in is what the nodes of the networks let in themselves, so that the gateway opens no port of theirs to others.
#[must_use]
pub fn provisioner_routing(cluster: &Cluster) -> Option<Routing> {
    let networks = list_routed_networks(cluster);
    if networks.is_empty() {
        return None;
    }
    let inward = networks.iter().flat_map(|network| list_inward(cluster, network)).collect();
    let is_v4 = |subnet: &IpNet| subnet.addr().is_ipv4();
    let routed = || networks.iter().map(|network| network.subnet);
    let with_routed = |role| -> Vec<IpNet> {
        let all: BTreeSet<_> = subnets(cluster, &[role]).into_iter().filter(is_v4).chain(routed()).collect();
        all.into_iter().collect()
    };
    let closed = with_routed(Role::Management);
    let unmasked = cluster.provisioner.nat.then(|| with_routed(Role::Cluster));
    Some(Routing { networks, inward, closed, unmasked })
}

/// Lists the networks whose gateway is the provisioner.
fn list_routed_networks(cluster: &Cluster) -> Vec<RoutedNetwork> {
    let to_routed = |interface: &ProvisionerInterface| {
        let network = cluster.networks.get(&interface.network)?;
        let subnet = network.subnet.filter(|_| network.gateway == Some(interface.address))?;
        Some(RoutedNetwork { subnet: IpNet::V4(subnet), device: interface.name.clone() })
    };
    cluster.provisioner.interfaces().filter_map(to_routed).collect()
}

/// Lists the connections from outside of `network` that its nodes let in, each once.
fn list_inward(cluster: &Cluster, network: &RoutedNetwork) -> Vec<ForwardedConnection> {
    let is_there = |node: &&Node| node.addresses().any(|address| network.subnet.contains(&address));
    let ssh = Opening {
        purpose: "ssh".to_owned(),
        traffic: Traffic::port(Protocol::Tcp, 22),
        sources: sources(cluster, &ssh_sources(cluster)),
    };
    let nodes: Vec<&Node> = cluster.nodes.iter().filter(is_there).collect();
    let ssh = (!nodes.is_empty()).then_some(ssh);
    let of_nodes = nodes.into_iter().flat_map(|node| openings(cluster, node));
    let mut seen = BTreeSet::new();
    let mut inward = Vec::new();
    for Opening { purpose, traffic, sources: senders } in ssh.into_iter().chain(of_nodes) {
        let senders: Vec<IpNet> = senders.into_iter().map(|source| source.subnet).collect();
        // The nodes' interfaces are not the provisioner's.
        for source in sources(cluster, &senders) {
            let is_outside = source.subnet.addr().is_ipv4() && !network.subnet.contains(&source.subnet);
            if is_outside && seen.insert((traffic, source.subnet)) {
                let (to, purpose) = (network.clone(), purpose.clone());
                inward.push(ForwardedConnection { source, to, traffic, purpose });
            }
        }
    }
    inward
}
