//! Chapter D: bonds.

use std::collections::HashSet;

use crate::diag::{Diagnostic, Report, Span};
use crate::model::{BondMode, IfName, Role};
use crate::resolve::{Draft, DraftInterface, DraftNode};

/// The sound members of a bond, with their places.
pub(super) fn members_of<'a>(
    bond: &DraftInterface<'a>,
) -> impl Iterator<Item = (&'a IfName, &'a Span)> + use<'a> {
    let members = bond.bond.and_then(|bond| bond.written.value.members.as_ref());
    let members = members.map_or(&[][..], |members| &members.value);
    members.iter().filter_map(|member| Some((member.value.as_ref()?, &member.span)))
}

/// The members of all bonds of a node.
pub(super) fn members<'a>(node: &DraftNode<'a>) -> impl Iterator<Item = (&'a IfName, &'a Span)> {
    node.interfaces.iter().flat_map(members_of)
}

/// D11: a bond has two members or more, none of which is used elsewhere; a bond that a machine boots through works
/// before an operating system negotiates LACP.
pub(super) fn d11(draft: &Draft<'_>, report: &mut Report) {
    for node in &draft.nodes {
        for members in
            node.interfaces.iter().filter_map(|interface| interface.bond?.written.value.members.as_ref())
        {
            if members.value.len() < 2 {
                let fault =
                    Diagnostic::error("PG-D11", &members.span, "this bond has fewer than two members");
                report.push(fault.help("name two interfaces or more, or remove the bond"));
            }
        }
        let mut taken = used_interfaces(node);
        for (member, span) in members(node) {
            if !taken.insert(member.as_str()) {
                let fault =
                    Diagnostic::error("PG-D11", span, format!("`{member}` is used elsewhere already"));
                report.push(fault.help("name another interface, or remove the other use of this one"));
            }
        }
        report.push_some(find_lacp_fault(node));
    }
}

/// The interfaces that are in a network or carry a VLAN, without bonds: A12 reports those.
fn used_interfaces<'a>(node: &DraftNode<'a>) -> HashSet<&'a str> {
    let networked = node.interfaces.iter().filter(|interface| interface.network_name.is_some());
    let mut used: HashSet<&str> = networked.map(underlying_interface).collect();
    for bond in node.interfaces.iter().filter(|interface| interface.bond.is_some()) {
        used.remove(bond.key);
    }
    used
}

/// The interface below a tagged one: `eth0` of `eth0.200`; for other interfaces, the interface itself.
pub(super) fn underlying_interface<'a>(interface: &DraftInterface<'a>) -> &'a str {
    match interface.key.rsplit_once('.') {
        Some((link, _)) if interface.tagged.is_some_and(|tagged| tagged.value) => link,
        _ => interface.key,
    }
}

/// Finds a bond with LACP that the node boots through. Firmware does not speak LACP: the switch must treat a member
/// that does not either as an ordinary port.
fn find_lacp_fault(node: &DraftNode<'_>) -> Option<Diagnostic> {
    let lacp = |interface: &&DraftInterface<'_>| {
        interface
            .bond
            .and_then(|bond| bond.written.value.mode.as_ref())
            .is_some_and(|mode| mode.value == BondMode::Lacp)
    };
    let bond = node.interface_for(Role::Provisioning).filter(lacp)?;
    let message = format!("the machine boots through `{}`, and firmware does not speak LACP", bond.key);
    let fault = Diagnostic::warning("PG-D11", &bond.bond?.value.mode.as_ref()?.span, message);
    Some(fault.help(
        "let the switch fall back to single ports (LACP fallback, force-up) and acknowledge it with `allow = [\"PG-D11\"]`, \
         or boot through an interface outside the bond",
    ))
}
