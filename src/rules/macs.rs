//! Chapter D: MAC addresses, who gave them, and that each is used once.

use std::collections::{HashMap, HashSet};

use crate::diag::{Diagnostic, Report, Span};
use crate::model::{MacAddr, Role};
use crate::resolve::{Draft, DraftNode};

use super::bonds::members_of;

/// The MAC addresses of a node with their places. The address that boots may be repeated: at its interface, at a
/// member of the bond that boots, or at any interface where the one that boots is not known.
fn macs<'a>(node: &'a DraftNode<'_>) -> impl Iterator<Item = (MacAddr, &'a Span)> {
    let boot = node.entry.value.mac.as_ref();
    let boots = node.interface_for(Role::Provisioning);
    let bond: HashSet<&str> =
        boots.into_iter().flat_map(members_of).map(|member| member.0.as_str()).collect();
    let interfaces = node.interfaces.iter().filter_map(move |interface| {
        let mac = interface.mac?;
        let same = boot.is_some_and(|boot| boot.value == mac.value)
            && boots.is_none_or(|boots| boots.key == interface.key || bond.contains(interface.key));
        (!same).then_some((mac.value, &mac.written.span))
    });
    let bmc = node.entry.value.bmc.as_ref().and_then(|bmc| bmc.mac.as_ref());
    boot.map(|mac| (mac.value, &mac.span))
        .into_iter()
        .chain(interfaces)
        .chain(bmc.map(|mac| (mac.value, &mac.span)))
}

/// D04: a MAC address was given by the manufacturer.
pub(super) fn d04(draft: &Draft<'_>, report: &mut Report) {
    for (mac, span) in
        draft.nodes.iter().flat_map(macs).filter(|(mac, _)| mac.is_local() && !mac.is_example())
    {
        let fault = Diagnostic::warning(
            "PG-D04",
            span,
            format!("`{mac}` is locally administered: software made it up"),
        );
        report.push(fault.help(
            "read the address off the machine; for a virtual machine, add `allow = [\"PG-D04\"]` to the node",
        ));
    }
}

/// D05: a MAC address is used once.
pub(super) fn d05(draft: &Draft<'_>, report: &mut Report) {
    let mut seen = HashMap::<MacAddr, &Span>::new();
    for (mac, span) in draft.nodes.iter().flat_map(macs) {
        if let Some(first) = seen.get(&mac) {
            let fault = |message| Diagnostic::error("PG-D05", span, message);
            report.push(if *first == span {
                let message = format!("`{mac}` stands in a profile that several nodes have");
                fault(message).help("write it in the node that has this interface")
            } else {
                let message = format!("another interface already has the address `{mac}`");
                let help = "read the address off the machine's label or its BMC";
                fault(message).related(first, "first used here").help(help)
            });
        } else {
            seen.insert(mac, span);
        }
    }
}

/// D06: a MAC address was not copied from an example.
pub(super) fn d06(draft: &Draft<'_>, report: &mut Report) {
    for (mac, span) in draft.nodes.iter().flat_map(macs).filter(|(mac, _)| mac.is_example()) {
        let message = format!("`{mac}` is an address from examples, which no manufacturer gives");
        let fault = Diagnostic::warning("PG-D06", span, message);
        report.push(fault.help("read the address off the machine's label or its BMC"));
    }
}
