//! Interfaces: what their devices are called, where they boot, how they are bound.

use std::collections::HashSet;

use crate::diag::{Diagnostic, Report};
use crate::model::Role;
use crate::resolve::{Draft, DraftNode};

use super::bonds::members;

/// A node boots in a provisioning network, where DHCP reserves an address for it.
pub(super) fn c18(draft: &Draft<'_>, report: &mut Report) {
    let provisioner = draft.inventory.provisioner.as_ref().and_then(|own| own.network.as_ref());
    if let Some(name) = provisioner {
        let network = draft.networks.get(name.value.as_str());
        if let Some(network) = network.filter(|network| !network.value.may_be(Role::Provisioning)) {
            let message =
                format!("the provisioner stands in `{}`, which is no provisioning network", name.value);
            let fault =
                Diagnostic::error("PG-C18", &name.span, message).related(&network.span, "this network");
            report.push(fault.help("add \"provisioning\" to the network's roles, or name another network"));
        }
    }
    for node in draft.nodes.iter().filter(|node| node.profile.is_some()) {
        if let Some(fault) = cannot_boot(draft, node) {
            report.push(fault);
        }
    }
}

fn cannot_boot(draft: &Draft<'_>, node: &DraftNode<'_>) -> Option<Diagnostic> {
    let Some(interface) = node.interface_for(Role::Provisioning) else {
        if !node.networks_known() {
            return None;
        }
        let provisioning = draft.networks.values().find(|own| own.value.is(Role::Provisioning))?;
        let (who, span) = node.who_lacks(|common| common.interfaces.iter().next().is_some());
        let message = format!("{who} has no interface in a provisioning network");
        let help = format!("add `interface.eth0 = {{ network = \"{}\" }}`", provisioning.key);
        return Some(Diagnostic::error("PG-C18", span, message).help(help));
    };
    let network = interface.network?;
    if !node.may_have_address(draft, &network.key) {
        let written = format!("address.{}", network.key);
        let message = format!("`{}` has no `{written}`: DHCP has nothing to reserve for it", node.entry.key);
        return Some(
            Diagnostic::error("PG-C18", &node.entry.span, message).help(format!("add `{written} = \"…\"`")),
        );
    }
    let provisioner = draft.inventory.provisioner.as_ref()?.network.as_ref()?;
    let elsewhere = provisioner.value.as_str() != network.key
        && draft.networks.get(provisioner.value.as_str()).is_some_and(|own| own.value.is(Role::Provisioning));
    if elsewhere && network.value.gateway.is_none() {
        let message =
            format!("DHCP reaches `{}` through a relay at its gateway, and it has none", network.key);
        let fault = Diagnostic::error("PG-C18", &network.span, message);
        let fault = fault.related(&provisioner.span, "the DHCP server stands in another network");
        return Some(fault.help("add the network's `gateway`: the router that relays DHCP"));
    }
    None
}

/// The network that a node boots from is untagged on the interface that boots.
pub(super) fn d09(draft: &Draft<'_>, report: &mut Report) {
    for interface in draft.nodes.iter().filter_map(|node| node.interface_for(Role::Provisioning)) {
        if let Some(tagged) = interface.tagged.filter(|tagged| tagged.value) {
            let message = "the interface that boots is tagged, and firmware cannot tag";
            let fault = Diagnostic::error("PG-D09", &tagged.span, message);
            report.push(fault.help("let the switch port carry the provisioning network untagged"));
        }
    }
}

/// An interface is bound to an address, not to the order in which the kernel found it. A bond and a VLAN on one have
/// none of their own: their members do.
pub(super) fn d12(draft: &Draft<'_>, report: &mut Report) {
    for node in &draft.nodes {
        let bonds: HashSet<&str> =
            node.interfaces.iter().filter(|own| own.bond.is_some()).map(|own| own.key).collect();
        let on_bond =
            |key: &str| bonds.contains(key) || key.split_once('.').is_some_and(|own| bonds.contains(own.0));
        let own = node.interfaces.iter().filter(|own| own.mac.is_none() && !on_bond(own.key));
        let named: HashSet<&str> = node.interfaces.iter().map(|own| own.key).collect();
        let members = members(node).map(|own| (own.0.as_str(), own.1)).filter(|own| !named.contains(own.0));
        for (name, span) in own.map(|own| (own.key, &own.span)).chain(members) {
            let message = format!("`{name}` may be another interface after a change of hardware");
            let fault = Diagnostic::warning("PG-D12", span, message);
            report.push(fault.help(format!(
                "name it by its address, `interface.{name}.mac = \"…\"`, or acknowledge it with `allow = [\"PG-D12\"]`"
            )));
        }
    }
}
