//! Chapter C: pools, and the ranges of profiles and virtual addresses.

use std::net::IpAddr;

use crate::diag::{Diagnostic, Report, Span};
use crate::model::{Range, Role, broadcast, family, is_network_address};
use crate::resolve::{Draft, NetworkEntry};

use super::claims::{bmcs, hosts, provisioner, vips};
use super::holders::Holders;

/// C12: a pool lies in its subnet, is in order, and leaves out gateways, resolvers and the provisioner; a named range
/// lies in its subnet and is in order. Pools share no address, since subnets do not overlap (C07).
pub(in crate::rules) fn c12(draft: &Draft<'_>, report: &mut Report) {
    let gateways = draft.networks.values().flat_map(|network| network.value.gateways());
    let mut servers: Vec<(IpAddr, &str)> = gateways.map(|gateway| (gateway.0, "the gateway")).collect();
    servers.extend(provisioner(draft).map(|claim| (claim.address, "the provisioner")));
    for network in draft.networks.values() {
        let resolvers = network.value.resolvers();
        let servers =
            || servers.iter().copied().chain(resolvers.clone().map(|resolver| (resolver.0, "a resolver")));
        for (pool, span) in network.value.pools() {
            match find_range_fault(network, "pool", pool, span) {
                Some(fault) => report.push(fault),
                None => report.push_some(find_server_in_pool(network, pool, span, servers())),
            }
        }
        for (name, range, span) in network.value.ranges() {
            report.push_some(find_range_fault(network, &format!("range of `{name}`"), range, span));
        }
    }
}

/// The size below which a pool is soon empty: a rack may boot at once, and loaders and installers take separate
/// leases.
const SMALLEST_POOL: u128 = 16;

/// C14: a pool has room for machines that boot without a reservation.
pub(in crate::rules) fn c14(draft: &Draft<'_>, report: &mut Report) {
    let boots = draft.networks.values().filter(|network| network.value.is(Role::Provisioning));
    for (pool, span) in
        boots.flat_map(|network| network.value.pools()).filter(|pool| pool.0.first <= pool.0.last)
    {
        let number = |address: IpAddr| match address {
            IpAddr::V4(address) => u128::from(u32::from(address)),
            IpAddr::V6(address) => u128::from(address),
        };
        let size = number(pool.last).saturating_sub(number(pool.first)).saturating_add(1);
        if size < SMALLEST_POOL {
            let fault =
                Diagnostic::warning("PG-C14", span, format!("the pool {pool} has only {size} addresses"));
            report.push(fault.help(format!(
                "write a pool of {SMALLEST_POOL} addresses or more, for machines without a reservation"
            )));
        }
    }
}

/// Finds a range that leaves its subnet, or ends before it begins.
fn find_range_fault(
    network: &NetworkEntry,
    what: &str,
    range: Range<IpAddr>,
    span: &Span,
) -> Option<Diagnostic> {
    if range.first > range.last {
        let message = format!("the {what}, {range}, ends before it begins");
        let text = format!("{}-{}", range.last, range.first);
        let fault = Diagnostic::error("PG-C12", span, message).help(format!("write `{text}`"));
        return Some(fault.edit(span.clone(), format!("\"{text}\"")));
    }
    let (message, help) = match network.value.subnet_for(range.first) {
        Some(net) if net.contains(&range.first) && net.contains(&range.last) => return None,
        Some(net) => (
            format!("the {what}, {range}, leaves {net}, the subnet of `{}`", network.key),
            "write two addresses of the subnet",
        ),
        None if network.value.may_have_family(range.first) => return None,
        None => (
            format!("`{}` has no {} subnet for the {what}", network.key, family(range.first).0),
            "add the subnet, or remove the addresses",
        ),
    };
    Some(Diagnostic::error("PG-C12", span, message).related(&network.span, "this network").help(help))
}

/// Finds an address in `pool` that DHCP must not lease.
fn find_server_in_pool<'a>(
    network: &NetworkEntry,
    pool: Range<IpAddr>,
    span: &Span,
    mut servers: impl Iterator<Item = (IpAddr, &'a str)>,
) -> Option<Diagnostic> {
    let net = network.value.subnet_for(pool.first);
    let network_address =
        net.filter(|net| is_network_address(*net, pool.first)).map(|_| (pool.first, "the network itself"));
    let all =
        net.and_then(broadcast).filter(|all| pool.contains(all)).map(|all| (all, "the broadcast address"));
    let (address, what) =
        network_address.or(all).or_else(|| servers.find(|server| pool.contains(&server.0)))?;
    let fault = Diagnostic::error("PG-C12", span, format!("the pool {pool} holds {address}, {what}"));
    Some(fault.help("begin the pool after that address, or end it before"))
}

/// C13: a fixed address is outside every pool.
pub(in crate::rules) fn c13(draft: &Draft<'_>, report: &mut Report) {
    let pools = draft.networks.values().flat_map(|network| network.value.pools());
    let pools = Holders::new(pools.map(|(pool, span)| (pool.first, pool.last, (pool, span))));
    for claim in hosts(draft).chain(bmcs(draft)).chain(vips(draft)) {
        if let Some((pool, span)) = pools.find(claim.address) {
            let fault =
                Diagnostic::error("PG-C13", claim.span, format!("{} lies in the pool {pool}", claim.address));
            report.push(
                fault
                    .related(span, "the pool")
                    .help(format!("give {} an address outside the pool", claim.owner)),
            );
        }
    }
}

/// C17: a virtual address lies in a cluster network, and in the range `vip` where there is one.
pub(in crate::rules) fn c17(draft: &Draft<'_>, report: &mut Report) {
    let may_hold = |address| {
        let mut networks = draft.networks.values().filter(|network| network.value.may_be(Role::Cluster));
        !draft.inventory.networks.is_whole() || networks.any(|network| network.value.may_hold(address))
    };
    for vip in vips(draft) {
        let Some(network) = vip.network else {
            if !may_hold(vip.address) {
                let message = format!("{} is in no cluster network", vip.address);
                let fault = Diagnostic::error("PG-C17", vip.span, message);
                report.push(fault.help("write an address of a network with the role \"cluster\""));
            }
            continue;
        };
        let same_family = |range: &Range<IpAddr>| range.first.is_ipv4() == vip.address.is_ipv4();
        let range = network.value.ranges().find(|range| range.0 == "vip" && same_family(&range.1));
        if let Some((_, range, span)) = range.filter(|range| !range.1.contains(&vip.address)) {
            let fault = Diagnostic::error("PG-C17", vip.span, format!("{} is outside {range}", vip.address));
            report.push(
                fault.related(span, "the range of virtual addresses").help("write an address of the range"),
            );
        }
    }
}

/// C19: a node's address is outside the ranges of other profiles.
pub(in crate::rules) fn c19(draft: &Draft<'_>, report: &mut Report) {
    // A11 reports the range of a profile that does not exist.
    let meant = |name: &str| name == "vip" || draft.profiles.contains_key(name);
    for node in &draft.nodes {
        let Some(profile) = node.profile.map(|profile| profile.key.as_str()) else { continue };
        for (address, network) in
            node.addresses.iter().filter_map(|address| Some((address, address.network?)))
        {
            let ranges = || network.value.ranges().filter(|range| meant(range.0));
            let holds = |range: &(&str, Range<IpAddr>, &Span)| range.1.contains(&address.address);
            if ranges().any(|range| range.0 == profile && holds(&range)) {
                continue;
            }
            let Some((other, range, span)) = ranges().find(holds) else { continue };
            let other = if other == "vip" { "virtual addresses".to_owned() } else { format!("`{other}`") };
            let message = format!("{} lies in {range}, which is meant for {other}", address.address);
            let fault = Diagnostic::warning("PG-C19", address.span, message).related(span, "the range");
            let same_family = |range: &Range<IpAddr>| range.first.is_ipv4() == address.address.is_ipv4();
            let better = ranges().find(|range| range.0 == profile && same_family(&range.1));
            report.push(fault.help(match better {
                Some((_, range, _)) => format!("write an address of {range}, the range of `{profile}`"),
                None => "write an address outside that range".to_owned(),
            }));
        }
    }
}
