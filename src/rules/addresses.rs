//! Chapters C and E: addresses.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::diag::{Code, Diagnostic, Report, Span};
use crate::model::{Role, broadcast, is_network_address};
use crate::resolve::{Draft, NetworkEntry};

/// Something that is given an address in a network.
struct Claim<'a> {
    address: IpAddr,
    span: &'a Span,
    /// Whose it is, in words.
    owner: String,
    network: Option<&'a NetworkEntry>,
}

/// The addresses of all nodes.
fn hosts<'a>(draft: &'a Draft<'_>) -> impl Iterator<Item = Claim<'a>> {
    draft.nodes.iter().flat_map(|node| {
        node.addresses.iter().map(|own| Claim {
            address: own.address,
            span: own.span,
            owner: format!("`{}`", node.entry.key),
            network: own.network,
        })
    })
}

/// The provisioner's address.
fn provisioner<'a>(draft: &'a Draft<'_>) -> Option<Claim<'a>> {
    let table = draft.inventory.provisioner.as_ref()?;
    let address = table.address.as_ref()?;
    let network = table.network.as_ref().and_then(|name| draft.networks.get(name.value.as_str()).copied());
    Some(Claim {
        address: address.value.into(),
        span: &address.span,
        owner: "the provisioner".to_owned(),
        network,
    })
}

/// The addresses of all BMCs; each is in that management network which holds it.
fn bmcs<'a>(draft: &'a Draft<'_>) -> impl Iterator<Item = Claim<'a>> {
    let management: Vec<_> =
        draft.networks.values().copied().filter(|own| own.value.is(Role::Management)).collect();
    draft.nodes.iter().filter_map(move |node| {
        let address = node.entry.value.bmc.as_ref()?.address.as_ref()?;
        let holds = |own: &&NetworkEntry| {
            own.value.subnet_for(address.value).is_some_and(|net| net.contains(&address.value))
        };
        let network = management.iter().copied().find(|own| holds(own));
        let owner = format!("the BMC of `{}`", node.entry.key);
        Some(Claim { address: address.value, span: &address.span, owner, network })
    })
}

/// Reports every claim of nodes and provisioner for which `wrong` has something to say about its network.
fn each_in_network(
    draft: &Draft<'_>,
    report: &mut Report,
    wrong: impl Fn(&Claim<'_>, &NetworkEntry) -> Option<Diagnostic>,
) {
    for claim in hosts(draft).chain(provisioner(draft)) {
        report_some(report, claim.network.and_then(|network| wrong(&claim, network)));
    }
}

fn report_some(report: &mut Report, fault: Option<Diagnostic>) {
    if let Some(fault) = fault {
        report.push(fault);
    }
}

/// An address lies in the subnet of its network.
pub(super) fn c01(draft: &Draft<'_>, report: &mut Report) {
    each_in_network(draft, report, |claim, network| {
        let Some(subnet) = network.value.subnet_for(claim.address) else {
            if network.value.subnet.is_none() && network.value.subnet6.is_none() {
                return None;
            }
            let message = format!("`{}` has no subnet of the family of {}", network.key, claim.address);
            let fault =
                Diagnostic::error("PG-C01", claim.span, message).related(&network.span, "this network");
            return Some(fault.help("add `subnet` or `subnet6` to the network"));
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
pub(super) fn c02(draft: &Draft<'_>, report: &mut Report) {
    each_in_network(draft, report, |claim, network| {
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
pub(super) fn c03(draft: &Draft<'_>, report: &mut Report) {
    each_in_network(draft, report, |claim, network| {
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
pub(super) fn c04(draft: &Draft<'_>, report: &mut Report) {
    let gateways: HashMap<IpAddr, &Span> =
        draft.networks.values().flat_map(|network| network.value.gateways()).collect();
    for claim in hosts(draft).chain(provisioner(draft)).chain(bmcs(draft)) {
        let fault = gateways.get(&claim.address).map(|gateway| {
            let fault =
                Diagnostic::error("PG-C04", claim.span, format!("{} is a gateway's address", claim.address));
            fault.related(gateway, "the gateway").help(format!("give {} another address", claim.owner))
        });
        report_some(report, fault);
    }
}

/// A node's address is not the provisioner's, a resolver's, a time server's or a virtual one.
pub(super) fn c05(draft: &Draft<'_>, report: &mut Report) {
    let mut servers = HashMap::<IpAddr, (&str, &Span)>::new();
    for (name, own) in
        draft.networks.values().filter_map(|network| Some(("a resolver", network.value.dns.as_ref()?)))
    {
        servers.extend(own.value.iter().map(|server| (server.value, (name, &server.span))));
    }
    for server in draft.inventory.ntp.servers.iter().flat_map(|list| &list.value) {
        servers.extend(
            server.value.as_str().parse::<IpAddr>().map(|address| (address, ("a time server", &server.span))),
        );
    }
    servers.extend(draft.vips().map(|vip| (vip.address, ("a virtual address", vip.span))));
    let provisioner = provisioner(draft);
    servers.extend(provisioner.iter().map(|own| (own.address, ("the provisioner", own.span))));
    // A resolver that is a gateway as well is C04's.
    for (gateway, _) in draft.networks.values().flat_map(|network| network.value.gateways()) {
        servers.remove(&gateway);
    }
    for claim in hosts(draft) {
        let fault = servers.get(&claim.address).map(|(what, span)| {
            let fault = Diagnostic::error(
                "PG-C05",
                claim.span,
                format!("{} is the address of {what}", claim.address),
            );
            fault.related(span, "first used here").help(format!("give {} another address", claim.owner))
        });
        report_some(report, fault);
    }
}

/// An address belongs to one node, and a virtual address to one name.
pub(super) fn c06(draft: &Draft<'_>, report: &mut Report) {
    unique(hosts(draft), "PG-C06", report);
    let vips = draft.vips().map(|vip| Claim {
        address: vip.address,
        span: vip.span,
        owner: format!("`{}`", vip.key),
        network: None,
    });
    unique(vips, "PG-C06", report);
}

/// The second owner of an address is reported, and the first shown.
fn unique<'a>(claims: impl Iterator<Item = Claim<'a>>, code: Code, report: &mut Report) {
    let mut seen = HashMap::<IpAddr, Claim<'_>>::new();
    for claim in claims {
        let Some(first) = seen.get(&claim.address) else {
            seen.insert(claim.address, claim);
            continue;
        };
        let fault = Diagnostic::error(
            code,
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
pub(super) fn c10(draft: &Draft<'_>, report: &mut Report) {
    for network in draft.networks.values() {
        for (gateway, span) in network.value.gateways() {
            let Some(subnet) = network.value.subnet_for(gateway) else {
                if network.value.subnet.is_some() || network.value.subnet6.is_some() {
                    let message =
                        format!("`{}` has a gateway of a family in which it has no subnet", network.key);
                    report.push(
                        Diagnostic::error("PG-C10", span, message)
                            .help("add the subnet, or drop the gateway"),
                    );
                }
                continue;
            };
            if !subnet.contains(&gateway)
                || is_network_address(subnet, gateway)
                || broadcast(subnet) == Some(gateway)
            {
                let fault =
                    Diagnostic::error("PG-C10", span, format!("{gateway} is no host's address in {subnet}"));
                report.push(fault.help("write the router's address in this subnet"));
            }
        }
    }
}

/// A pool lies in its subnet, is in order, and leaves out gateways, resolvers, the provisioner and other pools.
pub(super) fn c12(draft: &Draft<'_>, report: &mut Report) {
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
pub(super) fn c13(draft: &Draft<'_>, report: &mut Report) {
    let vips = draft.vips().map(|vip| Claim {
        address: vip.address,
        span: vip.span,
        owner: format!("`{}`", vip.key),
        network: None,
    });
    let pools: Vec<_> = draft.networks.values().flat_map(|network| network.value.pools()).collect();
    for claim in hosts(draft).chain(bmcs(draft)).chain(vips) {
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
pub(super) fn c17(draft: &Draft<'_>, report: &mut Report) {
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
pub(super) fn c19(draft: &Draft<'_>, report: &mut Report) {
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

/// A BMC has an address of its own, in a management network.
pub(super) fn e01(draft: &Draft<'_>, report: &mut Report) {
    let mut taken: HashMap<IpAddr, Claim<'_>> = HashMap::new();
    let vips = draft.vips().map(|vip| Claim {
        address: vip.address,
        span: vip.span,
        owner: format!("`{}`", vip.key),
        network: None,
    });
    for claim in hosts(draft).chain(provisioner(draft)).chain(vips) {
        taken.entry(claim.address).or_insert(claim);
    }
    let manages = draft.networks.values().any(|own| own.value.is(Role::Management));
    for claim in bmcs(draft) {
        if manages && claim.network.is_none() {
            let fault = Diagnostic::error(
                "PG-E01",
                claim.span,
                format!("{} is in no management network", claim.address),
            );
            report.push(fault.help("take an address of a network with the role \"management\""));
        }
        let own = claim.network.and_then(|own| own.value.subnet_for(claim.address));
        if own.is_some_and(|net| {
            is_network_address(net, claim.address) || broadcast(net) == Some(claim.address)
        }) {
            let fault =
                Diagnostic::error("PG-E01", claim.span, format!("{} is no host's address", claim.address));
            report.push(fault.help("take another address of the subnet"));
        }
        if let Some(first) = taken.get(&claim.address) {
            let fault = Diagnostic::error(
                "PG-E01",
                claim.span,
                format!("{} belongs to {} already", claim.address, first.owner),
            );
            report.push(
                fault
                    .related(first.span, "first used here")
                    .help(format!("give {} another address", claim.owner)),
            );
        } else {
            taken.insert(claim.address, claim);
        }
    }
}
