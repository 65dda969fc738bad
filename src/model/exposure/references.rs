//! The machines that the inventory sends others to: for names, for the time, with their logs. A firewall between the two
//! must let the question in.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::model::service::known;
use crate::model::{Cluster, Network, Node, Protocol, Reference, Role, Server, Traffic};

/// The port of DNS (RFC 1035 section 4.2).
pub(super) const DNS: [Traffic; 2] = [Traffic::port(Protocol::Tcp, 53), Traffic::port(Protocol::Udp, 53)];

/// The port of NTP (RFC 5905 section 7.2).
const NTP: [Traffic; 1] = [Traffic::port(Protocol::Udp, 123)];

/// The port that nodes send their logs to, by syslog over TCP.
const SYSLOG: [Traffic; 1] = [Traffic::port(Protocol::Tcp, 514)];

/// Lists the resolvers, time servers and log hosts of `cluster` that are machines of the site, with the subnets of those who
/// are sent there.
#[must_use]
pub fn list_references(cluster: &Cluster) -> Vec<Reference> {
    let mut references = Vec::new();
    let mut add = |purpose, address: IpAddr, traffic, senders: BTreeSet<IpNet>| {
        if is_of_site(cluster, address) && !senders.is_empty() {
            let senders = senders.into_iter().collect();
            references.push(Reference { purpose, address, traffic, senders });
        }
    };
    let resolvers: BTreeSet<IpAddr> =
        cluster.networks.values().flat_map(|network| &network.dns).copied().collect();
    for resolver in resolvers {
        add("resolver", resolver, &DNS, list_askers(cluster, resolver));
    }
    for address in cluster.ntp.iter().flat_map(|server| find_addresses(cluster, server)) {
        add("time server", address, &NTP, list_node_senders(&cluster.nodes, cluster, address));
    }
    for address in cluster.log_forward.iter().flat_map(|server| find_addresses(cluster, server)) {
        add("log host", address, &SYSLOG, list_node_senders(&cluster.nodes, cluster, address));
    }
    references
}

/// Whether `address` is that of the provisioner, a node or a virtual address.
fn is_of_site(cluster: &Cluster, address: IpAddr) -> bool {
    IpAddr::V4(cluster.provisioner.address) == address
        || cluster.vips.iter().any(|vip| vip.address == address)
        || cluster.nodes.iter().any(|node| node.addresses().any(|assigned| assigned == address))
}

/// Finds the addresses of a server: the one that is written, or those of a name of the site.
fn find_addresses(cluster: &Cluster, server: &Server) -> Vec<IpAddr> {
    if let Some(address) = server.address() {
        return vec![address];
    }
    let name = server.as_str();
    let vips = cluster.vips.iter().filter(|vip| name == format!("{}.{}", vip.name, cluster.domain));
    let nodes = cluster.nodes.iter().filter(|node| node.fqdn.as_str() == name);
    let of_node = nodes.filter_map(Node::home_interface).flat_map(|home| &home.addresses).map(IpNet::addr);
    vips.map(|vip| vip.address).chain(of_node).collect()
}

/// Lists the subnets from which machines ask the resolver `address`: those of nodes whose home network names the resolver,
/// and the provisioning networks where DHCP names it.
fn list_askers(cluster: &Cluster, address: IpAddr) -> BTreeSet<IpNet> {
    let names = |network: &Network| network.dns.contains(&address);
    let leased = cluster.networks_for(Role::Provisioning).filter(|(_, network)| names(network));
    let mut askers: BTreeSet<IpNet> =
        leased.filter_map(|(_, network)| find_subnet(network, address)).collect();
    let sent = cluster
        .nodes
        .iter()
        .filter(|node| node.home.as_ref().and_then(|home| cluster.networks.get(home)).is_some_and(names));
    askers.extend(list_node_senders(sent, cluster, address));
    askers
}

/// Lists the subnets from which `nodes` send packets to `address`: the network that both are connected to, else the home
/// network, through whose gateway the packets go.
fn list_node_senders<'a>(
    nodes: impl IntoIterator<Item = &'a Node>,
    cluster: &Cluster,
    address: IpAddr,
) -> BTreeSet<IpNet> {
    let subnet = |node: &Node| {
        let mut attached =
            node.interfaces.iter().filter_map(|interface| cluster.networks.get(interface.network.as_ref()?));
        let shared = attached.find_map(|network| network.subnets().find(|subnet| subnet.contains(&address)));
        shared.or_else(|| find_subnet(cluster.networks.get(node.home.as_ref()?)?, address))
    };
    nodes.into_iter().filter_map(subnet).collect()
}

/// The subnet of `network` that has the family of `address`.
fn find_subnet(network: &Network, address: IpAddr) -> Option<IpNet> {
    network.subnets().find(|subnet| subnet.addr().is_ipv4() == address.is_ipv4())
}

/// Whether `node` answers at `address`: the address is the node's, or virtual and named after a service. A service's virtual
/// address moves between the nodes that run the service, any other between all nodes.
pub(super) fn answers_at(cluster: &Cluster, node: &Node, address: IpAddr) -> bool {
    let is_service =
        |name: &str| known(name).is_some() || cluster.nodes.iter().any(|node| node.service(name).is_some());
    let holds = |name: &str| node.service(name).is_some() || !is_service(name);
    node.addresses().any(|assigned| assigned == address)
        || cluster.vips.iter().any(|vip| vip.address == address && holds(vip.name.as_str()))
}
