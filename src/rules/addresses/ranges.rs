//! Pools, and the ranges of profiles and virtual addresses.

use std::net::IpAddr;

use crate::diag::{Diagnostic, Report};
use crate::model::Role;
use crate::resolve::{Draft, NetworkEntry};

use super::{bmcs, hosts, provisioner, vips};

/// A pool lies in its subnet, is in order, and leaves out gateways, resolvers, the provisioner and other pools.
pub(in crate::rules) fn c12(draft: &Draft<'_>, report: &mut Report) {
    let mut servers: Vec<(IpAddr, &str)> = draft
        .networks
        .values()
        .flat_map(|own| own.value.gateways())
        .map(|own| (own.0, "the gateway"))
        .collect();
    servers.extend(provisioner(draft).map(|own| (own.address, "the provisioner")));
    let mut pools = Vec::new();
    for network in draft.networks.values() {
        let resolvers =
            network.value.dns.iter().flat_map(|list| &list.value).map(|own| (own.value, "a resolver"));
        for (pool, span) in network.value.pools() {
            let inside =
                |address| network.value.subnet_for(address).is_some_and(|net| net.contains(&address));
            let known = network.value.subnet_for(pool.first).is_some();
            if pool.first > pool.last {
                let fault =
                    Diagnostic::error("PG-C12", span, format!("the pool {pool} ends before it begins"));
                report.push(fault.help(format!("write `{}-{}`", pool.last, pool.first)));
            } else if known && !(inside(pool.first) && inside(pool.last)) {
                let fault = Diagnostic::error(
                    "PG-C12",
                    span,
                    format!("the pool {pool} leaves the subnet of `{}`", network.key),
                );
                report.push(
                    fault.related(&network.span, "this network").help("write two addresses of the subnet"),
                );
            } else if let Some((address, what)) =
                servers.iter().copied().chain(resolvers.clone()).find(|own| pool.contains(&own.0))
            {
                let fault =
                    Diagnostic::error("PG-C12", span, format!("the pool {pool} holds {address}, {what}"));
                report.push(fault.help("begin the pool after it, or end it before"));
            }
            pools.push((pool, span));
        }
    }
    pools.sort_by_key(|(pool, _)| pool.first);
    for pair in pools.windows(2).filter(|pair| pair[1].0.first <= pair[0].0.last) {
        let fault =
            Diagnostic::error("PG-C12", pair[1].1, format!("the pool {} overlaps {}", pair[1].0, pair[0].0));
        report.push(fault.related(pair[0].1, "the other pool").help("let each address be in one pool"));
    }
}

/// What has an address of its own is outside every pool.
pub(in crate::rules) fn c13(draft: &Draft<'_>, report: &mut Report) {
    let pools: Vec<_> = draft.networks.values().flat_map(|network| network.value.pools()).collect();
    for claim in hosts(draft).chain(bmcs(draft)).chain(vips(draft)) {
        if let Some((pool, span)) = pools.iter().find(|(pool, _)| pool.contains(&claim.address)) {
            let fault =
                Diagnostic::error("PG-C13", claim.span, format!("{} lies in the pool {pool}", claim.address));
            report.push(
                fault.related(span, "the pool").help(format!("give {} an address outside it", claim.owner)),
            );
        }
    }
}

/// A virtual address lies in a cluster network, and in its range where there is one.
pub(in crate::rules) fn c17(draft: &Draft<'_>, report: &mut Report) {
    for vip in draft.vips() {
        let inside = |own: &&&NetworkEntry| {
            own.value.subnet_for(vip.address).is_some_and(|net| net.contains(&vip.address))
        };
        let Some(network) = draft.networks.values().filter(|own| own.value.is(Role::Cluster)).find(inside)
        else {
            let fault =
                Diagnostic::error("PG-C17", vip.span, format!("{} is in no cluster network", vip.address));
            report.push(fault.help("take an address of a network with the role \"cluster\""));
            continue;
        };
        let mut ranges = network
            .value
            .ranges()
            .filter(|own| own.0 == "vip" && own.1.first.is_ipv4() == vip.address.is_ipv4())
            .peekable();
        let Some((_, range, span)) = ranges.peek().cloned() else { continue };
        if !ranges.any(|own| own.1.contains(&vip.address)) {
            let fault = Diagnostic::error("PG-C17", vip.span, format!("{} is outside {range}", vip.address));
            report.push(
                fault.related(span, "the range of virtual addresses").help("take an address of the range"),
            );
        }
    }
}

/// A node's address is outside the ranges of other profiles.
pub(in crate::rules) fn c19(draft: &Draft<'_>, report: &mut Report) {
    for node in draft.nodes.iter().filter(|node| node.profile.is_some()) {
        for own in &node.addresses {
            let Some(network) = own.network else { continue };
            let inside: Vec<_> =
                network.value.ranges().filter(|range| range.1.contains(&own.address)).collect();
            let profile = node.profile.map_or("", |profile| profile.key.as_str());
            if inside.iter().any(|range| range.0 == profile) {
                continue;
            }
            if let Some((other, range, span)) = inside.first() {
                let message = format!("{} lies in {range}, which is meant for `{other}`", own.address);
                let fault = Diagnostic::warning("PG-C19", own.span, message).related(span, "the range");
                report.push(fault.help(format!("take an address of the range of `{profile}`")));
            }
        }
    }
}
