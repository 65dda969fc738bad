//! The names that an inventory means, worked out apart from the program's own way.

use std::collections::BTreeMap;
use std::net::IpAddr;

use plasmagen::model::{Cluster, Label, Node, ReverseZone, Role};

/// The name of each address.
pub(crate) fn names(cluster: &Cluster) -> BTreeMap<IpAddr, String> {
    let domain = &cluster.domain;
    let mut names = BTreeMap::new();
    let mut add = |address: IpAddr, name: String| {
        assert_eq!(names.insert(address, format!("{name}.")), None, "{address} has two names");
    };
    add(cluster.provisioner.home.address.into(), format!("boot.{domain}"));
    for other in &cluster.provisioner.other_interfaces {
        let network = &cluster.networks[&other.network];
        let zone = network.domain.as_ref().filter(|below| *below != domain && network.zone);
        let below = zone.map_or(format!("{}.{domain}", other.network), ToString::to_string);
        add(other.address.into(), format!("boot.{below}"));
    }
    for vip in &cluster.vips {
        add(vip.address, format!("{}.{domain}", vip.name));
    }
    for node in &cluster.nodes {
        let home = home(cluster, node);
        for (label, address) in addresses(node) {
            let network = cluster.networks.get(label).unwrap();
            let network_domain =
                network.domain.as_ref().filter(|network_domain| *network_domain != domain && network.zone);
            add(
                address,
                match network_domain {
                    _ if label == home => format!("{}.{domain}", node.name),
                    Some(network_domain) => format!("{}.{network_domain}", node.name),
                    None => format!("{}.{label}.{domain}", node.name),
                },
            );
        }
        if let Some(bmc) = &node.bmc {
            add(bmc.address, format!("{}-bmc.{domain}", node.name));
        }
    }
    names
}

fn addresses(node: &Node) -> impl Iterator<Item = (&Label, IpAddr)> {
    node.interfaces.iter().flat_map(|interface| {
        interface.addresses.iter().map(|address| (interface.network.as_ref().unwrap(), address.addr()))
    })
}

/// The cluster network that the node's gateway is in, else its only one.
fn home<'n>(cluster: &Cluster, node: &'n Node) -> &'n Label {
    let gateway = node.gateway.map(IpAddr::V4).or(node.gateway6.map(IpAddr::V6));
    let mut inside = addresses(node).map(|(label, _)| label).filter(|&label| {
        let network = cluster.networks.get(label).unwrap();
        network.is(Role::Cluster)
            && gateway.is_none_or(|gateway| network.subnets().any(|net| net.contains(&gateway)))
    });
    inside.next().unwrap()
}

/// The name that `address` is looked up by: of the network with a delegated zone, else of the whole tree. None where
/// somebody else has the zone.
pub(crate) fn pointer(cluster: &Cluster, address: IpAddr) -> Option<String> {
    let mut networks = cluster.networks.values();
    let network = networks.find(|network| network.subnets().any(|net| net.contains(&address)))?;
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            match &network.reverse_zone {
                Some(ReverseZone::Delegated(zone)) => Some(format!("{d}.{}.", zone.as_str())),
                Some(ReverseZone::None) => None,
                None => Some(format!("{d}.{c}.{b}.{a}.in-addr.arpa.")),
            }
        }
        IpAddr::V6(v6) => {
            let digits = format!("{:032x}", v6.to_bits());
            Some(digits.chars().rev().map(|digit| format!("{digit}.")).collect::<String>() + "ip6.arpa.")
        }
    }
}
