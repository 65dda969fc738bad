//! Chapter C: the addresses of nodes, the provisioner and gateways.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use crate::diag::{Diagnostic, Report, Span};
use crate::inventory::NodeTable;
use crate::model::service::FLASHDNS;
use crate::model::{broadcast, family, is_network_address};
use crate::resolve::{Draft, DraftNode, NetworkEntry};

use super::claims::{Claim, bmcs, hosts, provisioner, vips};

/// Reports every claim in which `wrong` finds a fault, given the network of the claim.
fn check_each_in_network<'a>(
    claims: impl Iterator<Item = Claim<'a>>,
    report: &mut Report,
    wrong: impl Fn(&Claim<'_>, &NetworkEntry) -> Option<Diagnostic>,
) {
    for claim in claims {
        report.push_some(claim.network.and_then(|network| wrong(&claim, network)));
    }
}

/// C01: an address lies in the subnet of its network.
pub(in crate::rules) fn c01(draft: &Draft<'_>, report: &mut Report) {
    // G07 reports a loopback address of a node.
    let reachable = |claim: &Claim<'_>| !claim.address.is_loopback() && !claim.address.is_unspecified();
    let claims = hosts(draft).filter(reachable).chain(provisioner(draft));
    check_each_in_network(claims, report, |claim, network| {
        let Some(subnet) = network.value.subnet_for(claim.address) else {
            if network.value.may_have_family(claim.address) {
                return None;
            }
            let (family, key) = family(claim.address);
            let message = format!("`{}` has no {family} subnet for {}", network.key, claim.address);
            let fault =
                Diagnostic::error("PG-C01", claim.span, message).related(&network.span, "this network");
            return Some(fault.help(format!("add `{key}` to the network, or remove the address")));
        };
        if subnet.contains(&claim.address) {
            return None;
        }
        let message = format!("{} is outside {subnet}, the subnet of `{}`", claim.address, network.key);
        let fault = Diagnostic::error("PG-C01", claim.span, message).related(&network.span, "this network");
        Some(fault.help(format!("give {} an address in {subnet}", claim.owner)))
    });
}

/// C02: an address is not that of the network itself.
pub(in crate::rules) fn c02(draft: &Draft<'_>, report: &mut Report) {
    let claims = hosts(draft).chain(provisioner(draft)).chain(vips(draft));
    check_each_in_network(claims, report, |claim, network| {
        let subnet =
            network.value.subnet_for(claim.address).filter(|net| is_network_address(*net, claim.address))?;
        let fault = Diagnostic::error(
            "PG-C02",
            claim.span,
            format!("{} is the address of the network {subnet} itself", claim.address),
        );
        Some(fault.help("write another address of the subnet"))
    });
}

/// C03: an address is not the broadcast address.
pub(in crate::rules) fn c03(draft: &Draft<'_>, report: &mut Report) {
    let claims = hosts(draft).chain(provisioner(draft)).chain(vips(draft));
    check_each_in_network(claims, report, |claim, network| {
        let subnet =
            network.value.subnet_for(claim.address).filter(|net| broadcast(*net) == Some(claim.address))?;
        let fault = Diagnostic::error(
            "PG-C03",
            claim.span,
            format!("{} is the broadcast address of {subnet}", claim.address),
        );
        Some(fault.help("write another address of the subnet"))
    });
}

/// C04: the address of a node, a BMC or a virtual address is not a gateway's. The provisioner may be the router of its
/// networks; C10 sees to it that a gateway lies in its network's subnet.
pub(in crate::rules) fn c04(draft: &Draft<'_>, report: &mut Report) {
    let gateways: HashMap<IpAddr, &Span> =
        draft.networks.values().flat_map(|network| network.value.gateways()).collect();
    for claim in hosts(draft).chain(bmcs(draft)).chain(vips(draft)) {
        let fault = gateways.get(&claim.address).map(|gateway| {
            let fault =
                Diagnostic::error("PG-C04", claim.span, format!("{} is a gateway's address", claim.address));
            fault.related(gateway, "the gateway").help(format!("give {} another address", claim.owner))
        });
        report.push_some(fault);
    }
}

/// C05: the address of a node or BMC is not that of the provisioner, a resolver or a time server, and not a virtual
/// address. E01 compares BMCs with the provisioner and the virtual addresses.
pub(in crate::rules) fn c05(draft: &Draft<'_>, report: &mut Report) {
    let mut servers = HashMap::<IpAddr, (&str, &Span)>::new();
    // The name service of the cluster answers on the nodes that run it.
    let name_servers = draft.nodes.iter().filter(|node| node.runs(FLASHDNS));
    let name_server_addresses: HashSet<IpAddr> =
        name_servers.flat_map(|node| &node.addresses).map(|address| address.address).collect();
    let resolvers = draft.networks.values().flat_map(|network| network.value.resolvers());
    for (address, span) in resolvers.filter(|server| !name_server_addresses.contains(&server.0)) {
        servers.insert(address, ("a resolver's address", span));
    }
    for server in draft.inventory.ntp.servers.iter().flat_map(|list| &list.value) {
        let address = server.value.as_ref().and_then(|host| host.as_str().parse::<IpAddr>().ok());
        servers.extend(address.map(|address| (address, ("a time server's address", &server.span))));
    }
    servers.extend(draft.vips().map(|vip| (vip.address, ("a virtual address", vip.span))));
    servers.extend(
        provisioner(draft)
            .map(|provisioner| (provisioner.address, ("the provisioner's address", provisioner.span))),
    );
    // C04 reports an address of a resolver that is a gateway as well.
    for (gateway, _) in draft.networks.values().flat_map(|network| network.value.gateways()) {
        servers.remove(&gateway);
    }
    let known_to_e01: HashSet<IpAddr> =
        provisioner(draft).chain(vips(draft)).map(|claim| claim.address).collect();
    let bmcs = bmcs(draft).filter(|bmc| !known_to_e01.contains(&bmc.address));
    for claim in hosts(draft).chain(bmcs) {
        let fault = servers.get(&claim.address).map(|(what, span)| {
            let fault = Diagnostic::error("PG-C05", claim.span, format!("{} is {what}", claim.address));
            fault.related(span, "first used here").help(format!("give {} another address", claim.owner))
        });
        report.push_some(fault);
    }
}

/// C06: an address belongs to one interface of one node, and a virtual address to one name. C05 compares nodes with
/// virtual addresses.
pub(in crate::rules) fn c06(draft: &Draft<'_>, report: &mut Report) {
    for node in &draft.nodes {
        let mut seen = HashMap::new();
        for interface in &node.interfaces {
            let (Some(network), Some(name)) = (interface.network, interface.network_name) else { continue };
            if let Some(first) = seen.insert(&network.key, &name.written.span) {
                let message = format!("two interfaces are in `{}`, and get one address", network.key);
                let fault =
                    Diagnostic::error("PG-C06", &name.span, message).related(first, "the other interface");
                report.push(
                    fault.help("make a bond of the two interfaces, or put one of them in another network"),
                );
            }
        }
    }
    check_unique(hosts(draft), report);
    check_unique(provisioner(draft).chain(vips(draft)), report);
}

/// Reports the second owner of an address, and shows the first.
fn check_unique<'a>(claims: impl Iterator<Item = Claim<'a>>, report: &mut Report) {
    let mut seen = HashMap::<IpAddr, Claim<'_>>::new();
    for claim in claims {
        let Some(first) = seen.get(&claim.address) else {
            seen.insert(claim.address, claim);
            continue;
        };
        let fault = Diagnostic::error(
            "PG-C06",
            claim.span,
            format!("{} already belongs to {}", claim.address, first.owner),
        );
        report.push(
            fault
                .related(first.span, "first used here")
                .help(format!("give {} another address", claim.owner)),
        );
    }
}

/// C10: a gateway lies in its network's subnet, is neither the network nor the broadcast address, and is on a link of
/// every machine that takes its default route from there.
pub(in crate::rules) fn c10(draft: &Draft<'_>, report: &mut Report) {
    for network in draft.networks.values() {
        for (gateway, span) in network.value.gateways() {
            report.push_some(find_gateway_fault(network, gateway, span));
        }
    }
    for node in &draft.nodes {
        for network in node.cluster_networks() {
            for fault in find_unreachable_gateways(node, network) {
                report.push(fault);
            }
        }
    }
}

/// Finds what is wrong with the gateway of a network.
fn find_gateway_fault(network: &NetworkEntry, gateway: IpAddr, span: &Span) -> Option<Diagnostic> {
    let Some(subnet) = network.value.subnet_for(gateway) else {
        if network.value.may_have_family(gateway) {
            return None;
        }
        let (family, key) = family(gateway);
        let message = format!("`{}` has no {family} subnet for its gateway", network.key);
        let help = format!("add `{key}` to the network, or remove the gateway");
        return Some(Diagnostic::error("PG-C10", span, message).help(help));
    };
    let message = if !subnet.contains(&gateway) {
        format!("{gateway} is outside {subnet}, the subnet of `{}`", network.key)
    } else if is_network_address(subnet, gateway) || broadcast(subnet) == Some(gateway) {
        format!("{gateway} is the network or the broadcast address of {subnet}")
    } else {
        return None;
    };
    Some(Diagnostic::error("PG-C10", span, message).help("write the router's address in this subnet"))
}

/// Finds the gateways of `network` that `node` cannot reach, since the node has an address there of the other family
/// only. G07 and C18 report a node without any address.
fn find_unreachable_gateways<'a>(node: &DraftNode<'a>, network: &'a NetworkEntry) -> Vec<Diagnostic> {
    let NodeTable { addresses, addresses6, .. } = &node.entry.value;
    let may_have4 = !addresses.is_whole() || addresses.iter().any(|entry| entry.key == network.key);
    let may_have6 = !addresses6.is_whole() || addresses6.iter().any(|entry| entry.key == network.key);
    let unreachable = |gateway: &(IpAddr, _)| {
        let may_have_same = if gateway.0.is_ipv4() { may_have4 } else { may_have6 };
        let has_other =
            node.addresses_in(network).any(|address| address.address.is_ipv4() != gateway.0.is_ipv4());
        has_other && !may_have_same && network.value.subnet_for(gateway.0).is_some()
    };
    let make_fault = |(gateway, span): (IpAddr, &Span)| {
        let (family, prefix, suffix) =
            if gateway.is_ipv4() { ("IPv4", "address", "") } else { ("IPv6", "address6", "6") };
        let message = format!(
            "`{}` has no {family} address in `{}`, whose gateway {gateway} is its default route",
            node.entry.key, network.key
        );
        let fault = Diagnostic::error("PG-C10", &node.entry.span, message).related(span, "the gateway");
        fault.help(format!(
            "add `{prefix}.{} = \"…\"`, or remove `gateway{suffix}` from the network",
            network.key
        ))
    };
    network.value.gateways().filter(unreachable).map(make_fault).collect()
}
