//! The addresses of nodes, the provisioner and gateways.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use crate::diag::{Diagnostic, Report, Span};
use crate::model::service::FLASHDNS;
use crate::model::{broadcast, family, is_network_address};
use crate::resolve::{Draft, NetworkEntry};

use super::claims::{Claim, bmcs, hosts, provisioner, vips};

/// Reports every claim for which `wrong` has something to say about its network.
fn check_each_in_network<'a>(
    claims: impl Iterator<Item = Claim<'a>>,
    report: &mut Report,
    wrong: impl Fn(&Claim<'_>, &NetworkEntry) -> Option<Diagnostic>,
) {
    for claim in claims {
        report.push_some(claim.network.and_then(|network| wrong(&claim, network)));
    }
}

/// An address lies in the subnet of its network.
pub(in crate::rules) fn c01(draft: &Draft<'_>, report: &mut Report) {
    // A node's loopback address is G07's.
    let reachable = |claim: &Claim<'_>| !claim.address.is_loopback() && !claim.address.is_unspecified();
    let claims = hosts(draft).filter(reachable).chain(provisioner(draft));
    check_each_in_network(claims, report, |claim, network| {
        let Some(subnet) = network.value.subnet_for(claim.address) else {
            if network.value.may_have_family(claim.address) {
                return None;
            }
            let (family, key) = family(claim.address);
            let message =
                format!("`{}` has no {family} subnet that {} could lie in", network.key, claim.address);
            let fault =
                Diagnostic::error("PG-C01", claim.span, message).related(&network.span, "this network");
            return Some(fault.help(format!("add `{key}` to the network, or drop the address")));
        };
        if subnet.contains(&claim.address) {
            return None;
        }
        let message = format!("{} is outside {subnet}, the subnet of `{}`", claim.address, network.key);
        let fault = Diagnostic::error("PG-C01", claim.span, message).related(&network.span, "this network");
        Some(fault.help(format!("give {} an address in {subnet}", claim.owner)))
    });
}

/// An address is not that of the network itself.
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
        Some(fault.help("take another address of the subnet"))
    });
}

/// An address is not the broadcast address.
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
        Some(fault.help("take another address of the subnet"))
    });
}

/// An address is not a gateway's.
pub(in crate::rules) fn c04(draft: &Draft<'_>, report: &mut Report) {
    let gateways: HashMap<IpAddr, &Span> =
        draft.networks.values().flat_map(|network| network.value.gateways()).collect();
    for claim in hosts(draft).chain(provisioner(draft)).chain(bmcs(draft)).chain(vips(draft)) {
        let fault = gateways.get(&claim.address).map(|gateway| {
            let fault =
                Diagnostic::error("PG-C04", claim.span, format!("{} is a gateway's address", claim.address));
            fault.related(gateway, "the gateway").help(format!("give {} another address", claim.owner))
        });
        report.push_some(fault);
    }
}

/// A node's address is not the provisioner's, a resolver's, a time server's or a virtual one; nor is a BMC's, of which
/// E01 knows the provisioner and the virtual ones.
pub(in crate::rules) fn c05(draft: &Draft<'_>, report: &mut Report) {
    let mut servers = HashMap::<IpAddr, (&str, &Span)>::new();
    // The cluster's own name service answers on the nodes that run it.
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
    let provisioner = provisioner(draft);
    servers.extend(
        provisioner
            .iter()
            .map(|provisioner| (provisioner.address, ("the provisioner's address", provisioner.span))),
    );
    // A resolver that is a gateway as well is C04's.
    for (gateway, _) in draft.networks.values().flat_map(|network| network.value.gateways()) {
        servers.remove(&gateway);
    }
    let known_to_e01: HashSet<IpAddr> =
        provisioner.iter().chain(&vips(draft).collect::<Vec<_>>()).map(|claim| claim.address).collect();
    let bmcs = bmcs(draft).filter(|bmc| !known_to_e01.contains(&bmc.address));
    for claim in hosts(draft).chain(bmcs) {
        let fault = servers.get(&claim.address).map(|(what, span)| {
            let fault = Diagnostic::error("PG-C05", claim.span, format!("{} is {what}", claim.address));
            fault.related(span, "first used here").help(format!("give {} another address", claim.owner))
        });
        report.push_some(fault);
    }
}

/// An address belongs to one interface of one node, and a virtual address to one name. Node and virtual address are
/// C05's.
pub(in crate::rules) fn c06(draft: &Draft<'_>, report: &mut Report) {
    for node in &draft.nodes {
        let mut seen = HashMap::new();
        for interface in &node.interfaces {
            let (Some(network), Some(name)) = (interface.network, interface.network_name) else { continue };
            if let Some(first) = seen.insert(&network.key, &name.span) {
                let message = format!("two interfaces stand in `{}`, and so have one address", network.key);
                let fault = Diagnostic::error("PG-C06", &name.span, message).related(first, "the other one");
                report.push(fault.help("make a bond of the two, or give one of them another network"));
            }
        }
    }
    check_unique(hosts(draft), report);
    check_unique(provisioner(draft).into_iter().chain(vips(draft)), report);
}

/// The second owner of an address is reported, and the first shown.
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
            format!("{} belongs to {} already", claim.address, first.owner),
        );
        report.push(
            fault
                .related(first.span, "first used here")
                .help(format!("give {} another address", claim.owner)),
        );
    }
}

/// A gateway lies in its network's subnet, and is neither the network nor everybody.
pub(in crate::rules) fn c10(draft: &Draft<'_>, report: &mut Report) {
    for network in draft.networks.values() {
        for (gateway, span) in network.value.gateways() {
            let Some(subnet) = network.value.subnet_for(gateway) else {
                if !network.value.may_have_family(gateway) {
                    let (family, key) = family(gateway);
                    let message =
                        format!("`{}` has no {family} subnet that its gateway could lie in", network.key);
                    let fault = Diagnostic::error("PG-C10", span, message);
                    report.push(fault.help(format!("add `{key}` to the network, or drop the gateway")));
                }
                continue;
            };
            let message = if !subnet.contains(&gateway) {
                format!("{gateway} is outside {subnet}, the subnet of `{}`", network.key)
            } else if is_network_address(subnet, gateway) || broadcast(subnet) == Some(gateway) {
                format!("{gateway} is no host's address in {subnet}")
            } else {
                continue;
            };
            let fault = Diagnostic::error("PG-C10", span, message);
            report.push(fault.help("write the router's address in this subnet"));
        }
    }
}
