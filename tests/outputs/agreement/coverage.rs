//! What the random inventories are made of, so that the proof does not become hollow.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use plasmagen::model::{
    Cluster, DhcpServer, Firmware, Network, Node, ProvisionerInterface, ReverseZone, Role, System,
};

use crate::agreement::tree::Tree;

/// Fails unless each feature is there in three inventories of a hundred at least, and no two inventories are the same.
pub(crate) fn assert_all(trees: &[Tree]) {
    let mut counts = BTreeMap::<&str, usize>::new();
    for tree in trees {
        for (feature, has) in features(&tree.cluster) {
            *counts.entry(feature).or_default() += usize::from(has);
        }
    }
    let rare: Vec<_> = counts.iter().filter(|(_, count)| *count * 100 < trees.len() * 3).collect();
    assert!(rare.is_empty(), "random inventories hardly have these: {rare:?} of {counts:#?}");
    let different: BTreeSet<&str> = trees.iter().map(|tree| tree.inventory.as_str()).collect();
    assert_eq!(different.len(), trees.len());
}

fn features(cluster: &Cluster) -> Vec<(&'static str, bool)> {
    let mut found = of_networks(cluster);
    found.extend(of_nodes(cluster));
    found.extend(of_settings(cluster));
    found
}

fn of_networks(cluster: &Cluster) -> Vec<(&'static str, bool)> {
    let any = |is: &dyn Fn(&Network) -> bool| cluster.networks.values().any(is);
    let racks = cluster.networks_for(Role::Provisioning).count();
    let boots = |is: &dyn Fn(&Network) -> bool| {
        cluster.networks_for(Role::Provisioning).any(|(_, network)| is(network))
    };
    let length = |length: u8| any(&|network| network.subnet.is_some_and(|net| net.prefix_len() == length));
    vec![
        ("one provisioning network", racks == 1),
        ("two provisioning networks", racks == 2),
        ("three provisioning networks", racks == 3),
        ("a single segment", cluster.networks.len() == 1),
        ("a pool", boots(&|network| network.pool.is_some())),
        ("no pool", boots(&|network| network.pool.is_none())),
        ("an IPv6 pool", boots(&|network| network.pool6.is_some())),
        ("no IPv6 pool", boots(&|network| network.subnet6.is_some() && network.pool6.is_none())),
        ("no gateway", boots(&|network| network.gateway.is_none())),
        (
            "resolvers of both families",
            boots(&|network| {
                network.dns.iter().any(IpAddr::is_ipv6) && network.dns.iter().any(IpAddr::is_ipv4)
            }),
        ),
        ("no resolver", boots(&|network| network.dns.is_empty())),
        ("a domain", boots(&|network| network.domain.is_some())),
        ("management", any(&|network| network.is(Role::Management))),
        ("clients", any(&|network| network.is(Role::Client))),
        ("two cluster networks", cluster.networks_for(Role::Cluster).count() > 1),
        ("IPv4 alone", !any(&|network| network.subnet6.is_some())),
        ("both families", any(&|network| network.subnet6.is_some() && network.subnet.is_some())),
        ("IPv6 alone", any(&|network| network.subnet.is_none())),
        ("a domain without a zone", any(&|network| network.domain.is_some() && !network.zone)),
        (
            "a delegated reverse zone",
            any(&|network| matches!(network.reverse_zone, Some(ReverseZone::Delegated(_)))),
        ),
        ("no reverse zone", any(&|network| network.reverse_zone == Some(ReverseZone::None))),
        ("a /16", length(16)),
        ("a /21", length(21)),
        ("a /22", length(22)),
        ("a /25", length(25)),
        ("a /28", length(28)),
    ]
}

fn of_nodes(cluster: &Cluster) -> Vec<(&'static str, bool)> {
    let any = |is: &dyn Fn(&Node) -> bool| cluster.nodes.iter().any(is);
    let interface =
        |is: &dyn Fn(&plasmagen::model::Interface) -> bool| any(&|node| node.interfaces.iter().any(is));
    vec![
        ("three nodes", cluster.nodes.len() == 3),
        ("nine nodes", cluster.nodes.len() == 9),
        ("a tagged VLAN", interface(&|interface| interface.vlan.is_some())),
        ("a bond", interface(&|interface| interface.bond.is_some())),
        ("a tagged bond", interface(&|interface| interface.bond.is_some() && interface.vlan.is_some())),
        ("an MTU", interface(&|interface| interface.mtu.is_some())),
        ("a bound name", interface(&|interface| interface.mac.is_some())),
        ("booting through a bond", any(&|node| node.boot_interface.as_str() == "bond0")),
        ("64-bit ARM", any(&|node| node.system == System::Aarch64)),
        ("BIOS", any(&|node| node.firmware == Firmware::Bios)),
        ("a BMC", any(&|node| node.bmc.is_some())),
        ("a profile of the user's", any(&|node| ["storage", "edge-2"].contains(&node.profile.as_str()))),
        ("a worker", any(&|node| node.profile.as_str() == "worker")),
        ("a service of the user's", any(&|node| node.service("archive").is_some())),
        (
            "another port",
            any(&|node| node.service("chainfire").is_some_and(|service| service.ports.port != 2379)),
        ),
        ("a long name", any(&|node| node.name.as_str().len() > 30)),
        ("a bond that boots through each member", any(&|node| node.boot_macs().len() > 1)),
        ("voters beside others", any(&|node| node.voter) && any(&|node| !node.voter)),
    ]
}

/// The number of networks whose router is the provisioner.
fn count_routed(cluster: &Cluster) -> usize {
    let is_router = |interface: &&ProvisionerInterface| {
        cluster.networks[&interface.network].gateway == Some(interface.address)
    };
    cluster.provisioner.interfaces().filter(is_router).count()
}

fn of_settings(cluster: &Cluster) -> Vec<(&'static str, bool)> {
    let (provisioner, dns) = (&cluster.provisioner, &cluster.dns);
    vec![
        ("virtual addresses", cluster.vips.iter().any(|vip| vip.address.is_ipv4())),
        ("virtual IPv6 addresses", cluster.vips.iter().any(|vip| vip.address.is_ipv6())),
        ("no virtual address", cluster.vips.is_empty()),
        ("a formed cluster", cluster.formed),
        ("one voter", cluster.bootstrap.len() == 1),
        ("five voters", cluster.bootstrap.len() == 5),
        ("ssh_from", cluster.ssh_from.is_some()),
        ("no ssh_from", cluster.ssh_from.is_none()),
        ("open ports", !cluster.firewall.is_empty()),
        ("name servers", !dns.name_servers.is_empty()),
        ("name servers by address", dns.name_servers.iter().any(|server| server.address().is_some())),
        ("a contact", dns.contact.is_some()),
        ("a TTL", dns.ttl.get() != 3600),
        ("a provisioner with one interface", provisioner.other_interfaces.is_empty()),
        ("a provisioner with two interfaces", provisioner.other_interfaces.len() == 1),
        ("a provisioner with three interfaces", provisioner.other_interfaces.len() == 2),
        ("a provisioner that is the router", count_routed(cluster) == 1),
        ("a provisioner that is the router of two networks", count_routed(cluster) > 1),
        ("a provisioner that masquerades", provisioner.nat),
        ("another port for HTTP", provisioner.http_port != 8080),
        ("another web root", provisioner.web_root.as_str() != "/var/lib/pxe-boot"),
        ("Kea", provisioner.dhcp == DhcpServer::Kea),
        ("dhcpd", provisioner.dhcp == DhcpServer::Isc),
        ("dnsmasq", provisioner.dhcp == DhcpServer::Dnsmasq),
        ("an addition to Kea", provisioner.extra.contains_key(&DhcpServer::Kea)),
        ("an addition to dhcpd", provisioner.extra.contains_key(&DhcpServer::Isc)),
        ("an addition to dnsmasq", provisioner.extra.contains_key(&DhcpServer::Dnsmasq)),
        ("time servers", !cluster.ntp.is_empty()),
    ]
}
