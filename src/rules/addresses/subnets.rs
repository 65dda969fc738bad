//! Chapter C: subnets, their lengths, and that they do not overlap.

use std::collections::HashSet;

use ipnet::IpNet;

use crate::diag::{Diagnostic, Report, Span};
use crate::model::Role;
use crate::resolve::{Draft, NetworkEntry};

/// The blocks that hold no addresses of machines (RFC 6890, RFC 4291), each with its purpose.
const RESERVED: [(&str, &str); 8] = [
    ("0.0.0.0/8", "\"this network\""),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link-local addresses"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "nothing yet"),
    ("::/8", "loopback and mapped addresses"),
    ("fe80::/10", "link-local addresses"),
    ("ff00::/8", "multicast"),
];

/// C07: subnets overlap neither each other nor a reserved block. C09 reports a subnet of an unusable length.
pub(in crate::rules) fn c07(draft: &Draft<'_>, report: &mut Report) {
    let reserved: Vec<(IpNet, &str)> =
        RESERVED.iter().filter_map(|(net, what)| Some((net.parse().ok()?, *what))).collect();
    let mut all = Vec::new();
    for network in draft.networks.values().copied() {
        for (net, span) in
            network.value.subnets().filter(|subnet| find_length_fault(network, subnet.0).is_none())
        {
            let overlaps = |block: &IpNet| block.contains(&net) || net.contains(block);
            match reserved.iter().find(|reserved| overlaps(&reserved.0)) {
                Some((block, what)) => {
                    let fault = format!("{net} overlaps {block}, which is reserved for {what}");
                    let fault = Diagnostic::error("PG-C07", span, fault);
                    report.push(fault.help(
                        "write a private subnet, of 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or fd00::/8",
                    ));
                }
                None => all.push((net, span, network)),
            }
        }
    }
    check_overlaps(all, report);
}

/// Reports overlapping subnets. Two subnets are either separate, or one holds the other; in order of addresses, each
/// subnet is held by the last one that has not ended before it.
fn check_overlaps(mut all: Vec<(IpNet, &Span, &NetworkEntry)>, report: &mut Report) {
    all.sort_by_key(|(net, span, _)| (net.network(), net.prefix_len(), span.start));
    let mut said = HashSet::new();
    let mut last: Option<(IpNet, &Span, &NetworkEntry)> = None;
    for subnet in all {
        let Some(outer) = last.filter(|outer| outer.0.contains(&subnet.0)) else {
            last = Some(subnet);
            continue;
        };
        // The subnet that was written later is reported, once.
        let (first, second) = if outer.1.start < subnet.1.start { (outer, subnet) } else { (subnet, outer) };
        if said.insert(second.1.start) {
            let message = format!("{} overlaps {}, the subnet of `{}`", second.0, first.0, first.2.key);
            let fault = Diagnostic::error("PG-C07", second.1, message).related(first.1, "the other subnet");
            report.push(
                fault.help("give each network a separate subnet; a part of a network is a `range` of it"),
            );
        }
    }
}

/// C09: a subnet has a usable prefix length.
pub(in crate::rules) fn c09(draft: &Draft<'_>, report: &mut Report) {
    for network in draft.networks.values() {
        for (net, span) in network.value.subnets() {
            if let Some((message, help)) = find_length_fault(network, net) {
                report.push(Diagnostic::error("PG-C09", span, message).help(help));
            }
        }
    }
}

/// Finds what is wrong with the prefix length of a subnet, and what to write instead.
fn find_length_fault(network: &NetworkEntry, net: IpNet) -> Option<(String, &'static str)> {
    let table = &network.value;
    let length = net.prefix_len();
    let room = net.max_prefix_len() - length;
    let (leased, shortest) = match net {
        IpNet::V4(_) => (table.pool.is_some(), 8),
        IpNet::V6(_) => (table.pool6.is_some(), 32),
    };
    let boots = table.is(Role::Provisioning);
    if length < shortest {
        let help = match net {
            IpNet::V4(_) => "write the subnet of this one network, such as a /24",
            IpNet::V6(_) => "write the subnet of this one network, a /64",
        };
        return Some((format!("/{length} is too large for one network"), help));
    }
    if room == 0 {
        return Some((
            format!("/{length} is a single address, not a network"),
            "write the subnet that the address is in",
        ));
    }
    if room == 1 && (boots || leased) {
        let message =
            format!("/{length} has room for two routers only, and machines boot or get leases here");
        return Some((message, "write a larger subnet"));
    }
    if let IpNet::V6(_) = net
        && length != 64
        && (boots || leased)
    {
        let message = format!("machines cannot configure themselves in a /{length}");
        return Some((message, "write a /64, which SLAAC and the firmware's IPv6 need"));
    }
    None
}
