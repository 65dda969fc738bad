//! The machines that the inventory sends others to: for names, for the time, with their logs. A firewall between the two
//! must let the question in.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use crate::model::dns::SiteNames;
use crate::model::service::known;
use crate::model::{
    Cluster, HostName, Network, Node, Protocol, Reference, Role, Server, Traffic, VirtualHolder,
};

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
    // Few inventories write a server by its name. Rule B11 refuses names that are too long for a zone.
    let names = LazyCell::new(|| cluster.names().unwrap_or_default());
    let mut add = |purpose, address: IpAddr, traffic, senders: BTreeSet<IpNet>| {
        if is_of_site(cluster, address) && !senders.is_empty() {
            let senders = senders.into_iter().collect();
            let holder = cluster.virtual_holders.get(&address).cloned();
            references.push(Reference { purpose, address, holder, traffic, senders });
        }
    };
    let resolvers: BTreeSet<IpAddr> =
        cluster.networks.values().flat_map(|network| &network.dns).copied().collect();
    for resolver in resolvers {
        add("resolver", resolver, &DNS, list_askers(cluster, resolver));
    }
    for address in cluster.ntp.iter().flat_map(|server| find_addresses(&names, server)) {
        add("time server", address, &NTP, list_node_senders(&cluster.nodes, cluster, address));
    }
    for address in cluster.log_forward.iter().flat_map(|server| find_addresses(&names, server)) {
        add("log host", address, &SYSLOG, list_node_senders(&cluster.nodes, cluster, address));
    }
    references
}

/// Whether `address` is that of the provisioner, a node or a virtual address.
fn is_of_site(cluster: &Cluster, address: IpAddr) -> bool {
    cluster.provisioner.has_address(address)
        || cluster.vips.iter().any(|vip| vip.address == address)
        || cluster.nodes.iter().any(|node| node.addresses().any(|assigned| assigned == address))
}

/// Finds the addresses of a server: the one that is written, or those that the site's zones have for the name.
fn find_addresses(names: &LazyCell<SiteNames, impl FnOnce() -> SiteNames>, server: &Server) -> Vec<IpAddr> {
    if let Some(address) = server.address() {
        return vec![address];
    }
    let found = names.hosts.iter().find(|(host, _)| host.as_str() == server.as_str());
    found.map(|(_, addresses)| addresses.clone()).unwrap_or_default()
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
        // A link without an address of the node's sends nothing.
        let mut attached =
            node.interfaces.iter().flat_map(|interface| &interface.addresses).map(IpNet::trunc);
        attached
            .find(|subnet| subnet.contains(&address))
            .or_else(|| find_subnet(cluster.networks.get(node.home.as_ref()?)?, address))
    };
    nodes.into_iter().filter_map(subnet).collect()
}

/// The subnet of `network` that has the family of `address`.
fn find_subnet(network: &Network, address: IpAddr) -> Option<IpNet> {
    network.subnets().find(|subnet| subnet.addr().is_ipv4() == address.is_ipv4())
}

/// Lists who may hold each virtual address of `cluster`: the nodes that run the service of that name, or all nodes where no
/// service has the name.
#[must_use]
pub fn list_holders(cluster: &Cluster) -> BTreeMap<IpAddr, VirtualHolder> {
    let is_service =
        |name: &str| known(name).is_some() || cluster.nodes.iter().any(|node| node.service(name).is_some());
    let holder = |name: &HostName| match is_service(name.as_str()) {
        true => VirtualHolder::NodesWith(name.clone()),
        false => VirtualHolder::AnyNode,
    };
    cluster.vips.iter().map(|vip| (vip.address, holder(&vip.name))).collect()
}

/// Whether `node` is the one that `reference` names: it has the address, or may hold the virtual one.
pub(super) fn answers_to(node: &Node, reference: &Reference) -> bool {
    node.addresses().any(|assigned| assigned == reference.address)
        || reference.holder.as_ref().is_some_and(|holder| is_holder(node, holder))
}

/// Whether `node` may hold the virtual address `address`: the node runs the service of that name, or no service has the name.
#[must_use]
pub fn may_hold(cluster: &Cluster, node: &Node, address: IpAddr) -> bool {
    cluster.virtual_holders.get(&address).is_some_and(|holder| is_holder(node, holder))
}

fn is_holder(node: &Node, holder: &VirtualHolder) -> bool {
    match holder {
        VirtualHolder::NodesWith(service) => node.service(service.as_str()).is_some(),
        VirtualHolder::AnyNode => true,
    }
}
