//! Chapter D: the MTU of interfaces (D10).

use std::collections::{BTreeMap, HashMap};

use crate::diag::{Diagnostic, Report, Span};
use crate::model::Role;
use crate::resolve::{Draft, DraftInterface, DraftNode};

use super::bonds::{members_of, underlying_interface};

/// The MTU of Ethernet by default.
const ETHERNET: u16 = 1500;
/// The smallest MTU of a link with IPv6 (RFC 8200 section 5).
const SMALLEST_IPV6: u16 = 1280;

/// D10: the MTU of an interface is at most that of the interfaces below, IPv6 has its smallest MTU, and all machines
/// of a cluster network have one MTU. The reader checks the range of 576 to 9216.
pub(super) fn d10(draft: &Draft<'_>, report: &mut Report) {
    for node in &draft.nodes {
        check_stacks(node, report);
        for (interface, (mtu, span)) in
            node.interfaces.iter().filter_map(|interface| Some((interface, written_mtu(interface)?)))
        {
            let Some(network) = interface.network.filter(|network| network.value.subnet6.is_some()) else {
                continue;
            };
            if mtu < SMALLEST_IPV6 {
                let message = format!(
                    "IPv6 needs packets of {SMALLEST_IPV6} bytes, and `{}` carries {mtu}",
                    interface.key
                );
                let fault = Diagnostic::error("PG-D10", span, message).related(&network.span, "this network");
                report.push(fault.help(format!("write `mtu = {SMALLEST_IPV6}` or more")));
            }
        }
    }
    check_agreement(draft, report);
}

/// The MTU that is written for an interface, with its place.
fn written_mtu<'a>(interface: &DraftInterface<'a>) -> Option<(u16, &'a Span)> {
    let mtu = interface.mtu?;
    Some((mtu.value?, &mtu.written.span))
}

/// Compares VLANs with their links, and bonds with their members.
fn check_stacks(node: &DraftNode<'_>, report: &mut Report) {
    let mtu_of: HashMap<&str, (u16, &Span)> = node
        .interfaces
        .iter()
        .filter_map(|interface| Some((interface.key, written_mtu(interface)?)))
        .collect();
    for interface in &node.interfaces {
        let Some((mtu, span)) = written_mtu(interface) else { continue };
        let below = Some(underlying_interface(interface)).filter(|link| *link != interface.key).into_iter();
        for name in below.chain(members_of(interface).map(|member| member.0.as_str())) {
            let Some((less, parent)) = mtu_of.get(name).filter(|link| link.0 < mtu) else { continue };
            let message =
                format!("`{}` sends packets of {mtu} bytes, and `{name}` carries {less}", interface.key);
            let fault = Diagnostic::error("PG-D10", span, message).related(parent, "the interface below");
            report.push(fault.help(format!("write {less} here, or {mtu} there")));
        }
    }
}

/// Compares the MTUs of all machines in a cluster network, and reports those that differ from the most frequent one.
fn check_agreement(draft: &Draft<'_>, report: &mut Report) {
    // By network: how many interfaces have each MTU.
    let mut networks = BTreeMap::<&str, BTreeMap<u16, usize>>::new();
    let all =
        || draft.nodes.iter().flat_map(|node| node.interfaces.iter().map(move |interface| (node, interface)));
    let each = || {
        all().filter_map(|(node, interface)| {
            let network = interface.network.filter(|network| network.value.is(Role::Cluster))?;
            Some((network, interface, effective_mtu(node, interface)?))
        })
    };
    for (network, _, mtu) in each() {
        *networks.entry(&network.key).or_default().entry(mtu).or_default() += 1;
    }
    networks.retain(|_, counts| counts.len() > 1);
    for (network, interface, mtu) in each() {
        let Some(counts) = networks.get(network.key.as_str()) else { continue };
        // Where two MTUs are equally frequent, the larger one was meant: nobody writes it by mistake.
        let Some((usual, _)) = counts.iter().max_by_key(|(mtu, count)| (**count, **mtu)) else { continue };
        if mtu != *usual {
            let message = format!("`{}` has an MTU of {mtu} here, and of {usual} elsewhere", network.key);
            let fault = Diagnostic::error(
                "PG-D10",
                written_mtu(interface).map_or(&interface.span, |said| said.1),
                message,
            );
            let fault = fault.related(&network.span, "this network");
            report.push(
                fault.help(format!("write `mtu = {usual}`: large packets between the two are dropped")),
            );
        }
    }
}

/// The MTU that an interface gets; `None` where `mtu` is faulty, or where a VLAN takes over the MTU that its link
/// gets from another interface.
fn effective_mtu(node: &DraftNode<'_>, interface: &DraftInterface<'_>) -> Option<u16> {
    if let Some(mtu) = interface.mtu {
        return mtu.value;
    }
    let below = underlying_interface(interface);
    let shared =
        node.interfaces.iter().any(|other| other.mtu.is_some() && underlying_interface(other) == below);
    (!shared).then_some(ETHERNET)
}
