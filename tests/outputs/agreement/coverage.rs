//! What the random inventories are made of, so that the proof does not become hollow.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use plasmagen::model::{Cluster, DhcpServer, Firmware, Network, Node, Role, System};

use crate::agreement::tree::Tree;

/// Fails unless each feature is there in three inventories of a hundred at least, and no two inventories are the same.
pub(crate) fn assert_all(trees: &[Tree]) {
    let mut counts = BTreeMap::<&str, usize>::new();
    for tree in trees {
        for (feature, has) in features(&tree.cluster) {
            *counts.entry(feature).or_default() += usize::from(has);
        }
    }
    let rare: Vec<_> = counts.iter().filter(|own| own.1 * 100 < trees.len() * 3).collect();
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
    let boots = |is: &dyn Fn(&Network) -> bool| cluster.networks_for(Role::Provisioning).any(|own| is(own.1));
    let length = |length: u8| any(&|own| own.subnet.is_some_and(|net| net.prefix_len() == length));
    vec![
        ("one provisioning network", racks == 1),
        ("two provisioning networks", racks == 2),
        ("three provisioning networks", racks == 3),
        ("a single segment", cluster.networks.len() == 1),
        ("a pool", boots(&|own| own.pool.is_some())),
        ("no pool", boots(&|own| own.pool.is_none())),
        ("an IPv6 pool", boots(&|own| own.pool6.is_some())),
        ("no IPv6 pool", boots(&|own| own.subnet6.is_some() && own.pool6.is_none())),
        ("no gateway", boots(&|own| own.gateway.is_none())),
        (
            "resolvers of both families",
            boots(&|own| own.dns.iter().any(IpAddr::is_ipv6) && own.dns.iter().any(IpAddr::is_ipv4)),
        ),
        ("no resolver", boots(&|own| own.dns.is_empty())),
        ("a domain", boots(&|own| own.domain.is_some())),
        ("management", any(&|own| own.is(Role::Management))),
        ("clients", any(&|own| own.is(Role::Client))),
        ("two cluster networks", cluster.networks_for(Role::Cluster).count() > 1),
        ("IPv4 alone", !any(&|own| own.subnet6.is_some())),
        ("both families", any(&|own| own.subnet6.is_some() && own.subnet.is_some())),
        ("IPv6 alone", any(&|own| own.subnet.is_none())),
        ("a delegated reverse zone", any(&|own| own.reverse_zone.is_some())),
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
        ("a tagged VLAN", interface(&|own| own.vlan.is_some())),
        ("a bond", interface(&|own| own.bond.is_some())),
        ("a tagged bond", interface(&|own| own.bond.is_some() && own.vlan.is_some())),
        ("an MTU", interface(&|own| own.mtu.is_some())),
        ("a bound name", interface(&|own| own.mac.is_some())),
        ("booting through a bond", any(&|node| node.boot_interface.as_str() == "bond0")),
        ("64-bit ARM", any(&|node| node.system == System::Aarch64)),
        ("BIOS", any(&|node| node.firmware == Firmware::Bios)),
        ("a BMC", any(&|node| node.bmc.is_some())),
        ("a profile of the user's", any(&|node| ["storage", "edge-2"].contains(&node.profile.as_str()))),
        ("a worker", any(&|node| node.profile.as_str() == "worker")),
        ("a service of the user's", any(&|node| node.service("archive").is_some())),
        ("another port", any(&|node| node.service("chainfire").is_some_and(|own| own.ports.port != 2379))),
        ("a long name", any(&|node| node.name.as_str().len() > 30)),
        ("voters beside others", any(&|node| node.voter) && any(&|node| !node.voter)),
    ]
}

fn of_settings(cluster: &Cluster) -> Vec<(&'static str, bool)> {
    let (own, dns) = (&cluster.provisioner, &cluster.dns);
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
        ("name servers by address", dns.name_servers.iter().any(|own| own.address().is_some())),
        ("a contact", dns.contact.is_some()),
        ("a TTL", dns.ttl.get() != 3600),
        ("another port for HTTP", own.http_port != 8080),
        ("another web root", own.web_root.as_str() != "/var/lib/pxe-boot"),
        ("Kea", own.dhcp == DhcpServer::Kea),
        ("dhcpd", own.dhcp == DhcpServer::Isc),
        ("dnsmasq", own.dhcp == DhcpServer::Dnsmasq),
        ("an addition to Kea", own.extra.contains_key(&DhcpServer::Kea)),
        ("an addition to dhcpd", own.extra.contains_key(&DhcpServer::Isc)),
        ("an addition to dnsmasq", own.extra.contains_key(&DhcpServer::Dnsmasq)),
        ("time servers", !cluster.ntp.is_empty()),
    ]
}
