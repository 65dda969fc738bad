//! Who is sent to whom for names, the time and with logs: worked out sender by sender, from the routes of each.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;
use plasmagen::model::service::KNOWN;
use plasmagen::model::{Cluster, Node, Role};

/// A question that goes to a machine of the site: where to, what, from where, and what for.
pub(crate) type Question = (IpAddr, &'static str, IpNet, &'static str);

/// The subnet that a node's packets to `target` come from: that of the link, or of the default route.
fn sender(cluster: &Cluster, node: &Node, target: IpAddr) -> Option<IpNet> {
    let nets = |name| {
        let network = &cluster.networks[name];
        [network.subnet.map(IpNet::V4), network.subnet6.map(IpNet::V6)].into_iter().flatten()
    };
    // The kernel's routes come with the addresses.
    let routes = node.interfaces.iter().flat_map(|interface| &interface.addresses).map(IpNet::trunc);
    let on_link = routes.into_iter().find(|net| net.contains(&target));
    let of_family = |net: &IpNet| net.addr().is_ipv4() == target.is_ipv4();
    on_link.or_else(|| nets(node.home.as_ref()?).find(of_family))
}

/// The addresses that a server's word means.
fn meant(cluster: &Cluster, word: &str) -> Vec<IpAddr> {
    if let Ok(address) = word.parse() {
        return vec![address];
    }
    let mut all = Vec::new();
    all.extend(
        (word == format!("boot.{}", cluster.domain)).then_some(IpAddr::V4(cluster.provisioner.home.address)),
    );
    for vip in &cluster.vips {
        all.extend((word == format!("{}.{}", vip.name, cluster.domain)).then_some(vip.address));
    }
    for node in cluster.nodes.iter().filter(|node| word == format!("{}.{}", node.name, cluster.domain)) {
        let home = node.interfaces.iter().find(|interface| interface.network == node.home);
        all.extend(home.into_iter().flat_map(|interface| &interface.addresses).map(IpNet::addr));
    }
    all
}

/// All questions of nodes, and those of machines that boot.
pub(crate) fn questions(cluster: &Cluster) -> BTreeSet<Question> {
    let mut all = BTreeSet::new();
    let mut ask = |target: IpAddr, subnet: Option<IpNet>, packets: &[&'static str], what| {
        all.extend(
            subnet.into_iter().flat_map(|subnet| packets.iter().map(move |p| (target, *p, subnet, what))),
        );
    };
    for node in &cluster.nodes {
        for resolver in &node.resolvers {
            ask(*resolver, sender(cluster, node, *resolver), &["tcp 53", "udp 53"], "resolver");
        }
        for target in cluster.ntp.iter().flat_map(|server| meant(cluster, server.as_str())) {
            ask(target, sender(cluster, node, target), &["udp 123"], "time server");
        }
        for target in cluster.log_forward.iter().flat_map(|server| meant(cluster, server.as_str())) {
            ask(target, sender(cluster, node, target), &["tcp 514"], "log host");
        }
    }
    for network in cluster.networks.values().filter(|network| network.roles.contains(&Role::Provisioning)) {
        for resolver in &network.dns {
            let subnet = if resolver.is_ipv4() {
                network.subnet.map(IpNet::V4)
            } else {
                network.subnet6.map(IpNet::V6)
            };
            ask(*resolver, subnet, &["tcp 53", "udp 53"], "resolver");
        }
    }
    all
}

/// Whether `node` answers at `target`.
pub(crate) fn answers(cluster: &Cluster, node: &Node, target: IpAddr) -> bool {
    let runs = |node: &Node, name: &str| node.services.iter().any(|service| service.name.as_str() == name);
    let mut addresses = node.interfaces.iter().flat_map(|interface| &interface.addresses);
    addresses.any(|net| net.addr() == target)
        || cluster.vips.iter().filter(|vip| vip.address == target).any(|vip| {
            let name = vip.name.as_str();
            let is_service = KNOWN.contains(&name) || cluster.nodes.iter().any(|node| runs(node, name));
            runs(node, name) || !is_service
        })
}
