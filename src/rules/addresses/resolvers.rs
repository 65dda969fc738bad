//! Chapter C: the default route (C11), and the resolvers (C15).

use std::net::IpAddr;

use crate::diag::{Diagnostic, Report};
use crate::inventory::known;
use crate::model::Role;
use crate::resolve::{Draft, DraftNode, NetworkEntry};

/// How many resolvers a network may have: hosts ask the first three (resolv.conf(5)), and eight fit into an option
/// of DHCP (RFC 2132) and a line of dnsmasq.conf.
const RESOLVERS: usize = 8;

/// C15: the network that nodes take their default route and their resolvers from has resolvers, the nodes reach them,
/// and no node asks only itself. `[ntp]` has time servers.
pub(in crate::rules) fn c15(draft: &Draft<'_>, report: &mut Report) {
    for node in &draft.nodes {
        let Some(network) = node.home() else { continue };
        if network.value.dns.is_none() || known(&network.value.dns).is_some_and(Vec::is_empty) {
            let message = format!("the network `{}` has no resolvers for its nodes", network.key);
            let fault = Diagnostic::error("PG-C15", &network.span, message);
            report.push(fault.help("add `dns = [\"…\"]` to the network"));
        }
        for (resolver, span) in network.value.resolvers() {
            if !reaches(node, resolver) {
                let message = format!("the nodes in `{}` have no route to {resolver}", network.key);
                let fault = Diagnostic::error("PG-C15", span, message).related(&network.span, "this network");
                report.push(
                    fault.help(
                        "add the network's `gateway`, or name a resolver in one of the nodes' networks",
                    ),
                );
            }
        }
        let mut resolvers = network.value.resolvers().peekable();
        let is_node_address = |address| node.addresses.iter().any(|assigned| assigned.address == address);
        if let Some((_, span)) =
            resolvers.peek().copied().filter(|_| resolvers.all(|resolver| is_node_address(resolver.0)))
        {
            let message = format!("`{}` has no resolver but itself", node.entry.key);
            let fault = Diagnostic::error("PG-C15", span, message).related(&node.entry.span, "this node");
            report.push(
                fault.help("name a second resolver: a node cannot resolve names by itself while it starts"),
            );
        }
    }
    for network in draft.networks.values() {
        let many = known(&network.value.dns).is_some_and(|resolvers| resolvers.len() > RESOLVERS);
        if let Some(dns) = network.value.dns.as_ref().filter(|_| many) {
            let fault = Diagnostic::error(
                "PG-C15",
                &dns.span,
                "these are more resolvers than a DHCP option can hold",
            );
            report.push(fault.help(format!("name at most {RESOLVERS}: hosts ask the first three")));
        }
    }
    let ntp = &draft.inventory.ntp;
    if let Some(servers) = ntp.servers.as_ref().filter(|servers| servers.value.is_empty()) {
        let fault = Diagnostic::error("PG-C15", &servers.span, "the list of time servers is empty");
        report.push(fault.help("name a time server, or remove `[ntp]`: NixOS has default servers"));
    }
}

/// Whether `address` is on a link of `node`, or behind its default gateway. A faulty gateway or subnet counts as one
/// that reaches the address.
fn reaches(node: &DraftNode<'_>, address: IpAddr) -> bool {
    let routed = node.cluster_networks().any(|network| has_gateway(network, address.is_ipv4()));
    let links = node.interfaces.iter().filter_map(|interface| interface.network);
    routed || links.into_iter().any(|network| network.value.may_hold(address))
}

/// Whether `network` has a gateway of that address family, sound or not.
fn has_gateway(network: &NetworkEntry, ipv4: bool) -> bool {
    if ipv4 { network.value.gateway.is_some() } else { network.value.gateway6.is_some() }
}

/// C11: a node has at most one default route of each address family: only one of its cluster networks has a gateway.
pub(in crate::rules) fn c11(draft: &Draft<'_>, report: &mut Report) {
    for node in &draft.nodes {
        for (ipv4, key) in [(true, "gateway"), (false, "gateway6")] {
            let connected = node
                .interfaces_for(Role::Cluster)
                .filter_map(|interface| Some((interface.network?, interface.network_name?)));
            let mut routed = connected.filter(|connection| has_gateway(connection.0, ipv4));
            let Some((first, _)) = routed.next() else { continue };
            for (second, name) in routed.filter(|connection| connection.0.key != first.key) {
                let message = format!(
                    "both `{}` and `{}` have a `{key}`: either could be the default route",
                    first.key, second.key
                );
                let fault = Diagnostic::error("PG-C11", &name.span, message);
                report.push(fault.related(&first.span, "the first network").help(format!(
                    "leave `{key}` out of all cluster networks of a node but one: machines on the link need no gateway"
                )));
            }
        }
    }
}
