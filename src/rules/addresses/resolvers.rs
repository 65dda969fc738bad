//! Rule C15: names are resolved.

use std::net::IpAddr;

use crate::diag::{Diagnostic, Report};
use crate::inventory::known;
use crate::model::Role;
use crate::resolve::{Draft, DraftNode, NetworkEntry};

/// A network that nodes take their default route and their resolvers from has resolvers, which they reach; none asks
/// itself alone. Time servers are there where `[ntp]` is.
pub(in crate::rules) fn c15(draft: &Draft<'_>, report: &mut Report) {
    for node in &draft.nodes {
        let Some(network) = node.interface_for(Role::Cluster).and_then(|own| own.network) else { continue };
        if network.value.dns.is_none() || known(&network.value.dns).is_some_and(Vec::is_empty) {
            let message = format!("nothing says whom the nodes in `{}` ask for names", network.key);
            let fault = Diagnostic::error("PG-C15", &network.span, message);
            report.push(fault.help("add `dns = [\"…\"]` to the network"));
        }
        for (resolver, span) in network.value.resolvers() {
            if !reaches(node, network, resolver) {
                let message = format!("the nodes in `{}` have no route to {resolver}", network.key);
                let fault = Diagnostic::error("PG-C15", span, message).related(&network.span, "this network");
                report.push(
                    fault.help("add the network's `gateway`, or name a server in one of their networks"),
                );
            }
        }
        let mut resolvers = network.value.resolvers().peekable();
        let own = |address| node.addresses.iter().any(|own| own.address == address);
        if let Some((_, span)) =
            resolvers.peek().copied().filter(|_| resolvers.all(|resolver| own(resolver.0)))
        {
            let message = format!("`{}` asks nobody but itself for names", node.entry.key);
            let fault = Diagnostic::error("PG-C15", span, message).related(&node.entry.span, "this node");
            report.push(fault.help("name a second server: this one cannot resolve anything while it starts"));
        }
    }
    let ntp = &draft.inventory.ntp;
    if let Some(servers) = ntp.servers.as_ref().filter(|servers| servers.value.is_empty()) {
        let fault = Diagnostic::error("PG-C15", &servers.span, "there is no time server in the list");
        report.push(fault.help("name one, or remove `[ntp]`: NixOS has servers of its own"));
    }
}

/// Whether `address` is on a link of `node`, or behind its default gateway; where a gateway or a subnet is faulty, it may
/// be.
fn reaches(node: &DraftNode<'_>, home: &NetworkEntry, address: IpAddr) -> bool {
    let routed = if address.is_ipv4() { home.value.gateway.is_some() } else { home.value.gateway6.is_some() };
    let links = node.interfaces.iter().filter_map(|own| own.network);
    routed || links.into_iter().any(|own| own.value.may_hold(address))
}
