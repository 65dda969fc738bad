//! Which names the site has, what its addresses lead back to, and in which zones they stand.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;
use plasmagen::model::{Cluster, DomainName, Interface, Label, Node, ReverseZone, Role};

use crate::agreement::facts::Facts;

pub(crate) fn facts(cluster: &Cluster, facts: &mut Facts) {
    let domain = cluster.domain.as_str();
    // An address leads back to the name that it was given first.
    let mut owners = BTreeMap::<IpAddr, String>::new();
    for (name, address) in named(cluster) {
        owners.entry(address).or_insert(name);
    }
    for (address, name) in &owners {
        facts.add(name, "address record", address);
        let short = name.strip_suffix(domain).and_then(|rest| rest.strip_suffix('.'));
        short
            .filter(|label| !label.contains('.'))
            .into_iter()
            .for_each(|alias| facts.add(name, "alias", alias));
    }
    let mut servers: Vec<String> = cluster
        .dns
        .name_servers
        .iter()
        .map(|server| {
            server
                .as_str()
                .parse()
                .map_or_else(|_| server.to_string(), |address: IpAddr| owners[&address].clone())
        })
        .collect();
    if servers.is_empty() {
        servers.push(format!("boot.{domain}"));
    }
    let reverse = reverse_zones(cluster);
    for (address, name) in &owners {
        if reverse.iter().any(|(_, block)| block.contains(address)) {
            facts.add(address, "reverse record", name);
        }
    }
    let forward = forward_zones(cluster);
    for child in &forward {
        let above =
            |parent: &&String| child.strip_suffix(parent.as_str()).is_some_and(|rest| rest.ends_with('.'));
        if let Some(parent) = forward.iter().filter(above).max_by_key(|zone| zone.len()) {
            facts.add(parent, "delegation", child);
        }
    }
    let usual = format!("hostmaster@{domain}");
    let contact = cluster.dns.contact.as_ref().map_or(usual.as_str(), |contact| contact.as_str());
    let (user, host) = contact.split_once('@').unwrap();
    for zone in forward.iter().chain(reverse.keys()) {
        facts.add(zone, "zone", format!("{}.zone", zone.replace('/', "+")));
        servers.iter().for_each(|server| facts.add(zone, "name server", server));
        facts.add(zone, "primary", &servers[0]);
        // RFC 1035 section 5.3: dots in the user are quoted.
        facts.add(zone, "contact", format!("{}.{host}", user.replace('.', "\\.")));
        facts.add(zone, "TTL", cluster.dns.ttl.get());
    }
}

/// Every name with its addresses.
fn named(cluster: &Cluster) -> Vec<(String, IpAddr)> {
    let inside = |name: &dyn std::fmt::Display| format!("{name}.{}", cluster.domain);
    let mut all = vec![(inside(&"boot"), IpAddr::V4(cluster.provisioner.home.address))];
    // The network's domain, where the site has its zone or the cluster's zone holds it.
    let domain_of = |label: &Label| {
        let network = &cluster.networks[label];
        let below = |domain: &&DomainName| domain.as_str().ends_with(&format!(".{}", cluster.domain));
        let domain = network.domain.as_ref().filter(|domain| network.zone || below(domain));
        let domain = domain.filter(|domain| **domain != cluster.domain);
        domain.map_or_else(|| inside(label), ToString::to_string)
    };
    let others = cluster.provisioner.other_interfaces.iter();
    all.extend(others.map(|other| (format!("boot.{}", domain_of(&other.network)), other.address.into())));
    all.extend(cluster.vips.iter().map(|vip| (inside(&vip.name), vip.address)));
    for node in &cluster.nodes {
        let home = home(cluster, node).and_then(|interface| interface.network.as_ref());
        for interface in node.interfaces.iter().filter(|interface| interface.network.is_some()) {
            let network = interface.network.as_ref();
            let other = || format!("{}.{}", node.name, domain_of(network.unwrap()));
            let name = if network == home { inside(&node.name) } else { other() };
            all.extend(interface.addresses.iter().map(|address| (name.clone(), address.addr())));
        }
        all.extend(node.bmc.as_ref().map(|bmc| (inside(&format!("{}-bmc", node.name)), bmc.address)));
    }
    for (at, server) in cluster.dns.name_servers.iter().enumerate() {
        all.extend(
            server.as_str().parse().ok().map(|address: IpAddr| (inside(&format!("ns{}", at + 1)), address)),
        );
    }
    all
}

/// The interface where a node is reached: that in the cluster network with a gateway, else in the first.
pub(crate) fn home<'a>(cluster: &Cluster, node: &'a Node) -> Option<&'a Interface> {
    let network = |interface: &Interface| interface.network.as_ref().map(|name| &cluster.networks[name]);
    let meets = |interface: &&Interface| {
        network(interface).is_some_and(|network| network.roles.contains(&Role::Cluster))
    };
    let routed = |interface: &&Interface| {
        network(interface).is_some_and(|network| network.gateway.is_some() || network.gateway6.is_some())
    };
    let all = || node.interfaces.iter().filter(meets);
    all().find(routed).or_else(|| all().next())
}

/// The cluster's domain, and those of networks that lie outside of it.
fn forward_zones(cluster: &Cluster) -> BTreeSet<String> {
    let domain = cluster.domain.as_str();
    let outside = |other: &&str| *other != domain && !other.ends_with(&format!(".{domain}"));
    let with_zone = cluster.networks.values().filter(|network| network.zone);
    let others = with_zone.filter_map(|network| network.domain.as_ref()).map(DomainName::as_str);
    others.filter(outside).chain([domain]).map(str::to_owned).collect()
}

/// The zones below `in-addr.arpa` and `ip6.arpa`, each with the addresses that stand in it. They end at octets and at
/// nibbles.
fn reverse_zones(cluster: &Cluster) -> BTreeMap<String, IpNet> {
    let mut zones = BTreeMap::new();
    for network in cluster.networks.values() {
        match (network.subnet, &network.reverse_zone) {
            (Some(subnet), Some(ReverseZone::Delegated(zone))) => {
                zones.insert(zone.to_string(), IpNet::V4(subnet));
            }
            (Some(subnet), None) => insert_octets(subnet, &mut zones),
            _ => {}
        }
        if let Some(subnet) = network.subnet6 {
            insert_nibbles(subnet, &mut zones);
        }
    }
    zones
}

fn insert_octets(subnet: ipnet::Ipv4Net, zones: &mut BTreeMap<String, IpNet>) {
    let octets = usize::from(subnet.prefix_len().div_ceil(8).min(3));
    let length = u8::try_from(octets * 8).unwrap();
    let outer = ipnet::Ipv4Net::new(subnet.addr(), length.min(subnet.prefix_len())).unwrap().trunc();
    for block in outer.subnets(length).unwrap() {
        let labels: Vec<String> = block.addr().octets()[..octets].iter().rev().map(u8::to_string).collect();
        zones.insert(format!("{}.in-addr.arpa", labels.join(".")), IpNet::V4(block));
    }
}

fn insert_nibbles(subnet: ipnet::Ipv6Net, zones: &mut BTreeMap<String, IpNet>) {
    let nibbles = usize::from(subnet.prefix_len().div_ceil(4).min(31));
    let length = u8::try_from(nibbles * 4).unwrap();
    let outer = ipnet::Ipv6Net::new(subnet.addr(), length.min(subnet.prefix_len())).unwrap().trunc();
    for block in outer.subnets(length).unwrap() {
        let digits = format!("{:032x}", u128::from(block.addr()));
        let labels: Vec<String> = digits[..nibbles].chars().rev().map(String::from).collect();
        zones.insert(format!("{}.ip6.arpa", labels.join(".")), IpNet::V6(block));
    }
}
