//! Chapters C and D: interfaces, what their devices are called, which of them boots, how their names are bound.

use std::collections::HashMap;

use crate::diag::{Diagnostic, Report, Span, Spanned};
use crate::model::{Label, Role};
use crate::resolve::{Draft, DraftInterface, DraftNode, NetworkEntry};

use super::bonds::members;

/// C18: a node boots in a provisioning network, where DHCP reserves an address for the node.
pub(super) fn c18(draft: &Draft<'_>, report: &mut Report) {
    let mut served = HashMap::new();
    for name in draft.provisioner_interfaces().filter_map(|interface| interface.network) {
        let network = draft.networks.get(name.value.as_str());
        if let Some(network) = network.filter(|network| !network.value.may_be(Role::Provisioning)) {
            let message = format!(
                "the provisioner stands in `{}`, which does not have the role \"provisioning\"",
                name.value
            );
            let fault =
                Diagnostic::error("PG-C18", &name.span, message).related(&network.span, "this network");
            report.push(fault.help("add \"provisioning\" to the network's roles, or name another network"));
        }
        if let Some(first) = served.insert(&name.value, &name.span) {
            let message = format!("two interfaces of the provisioner are in the network `{}`", name.value);
            let fault =
                Diagnostic::error("PG-C18", &name.span, message).related(first, "the other interface");
            report.push(
                fault.help("name another network, or remove one of the two: a network has one DHCP server"),
            );
        }
    }
    for node in draft.nodes.iter().filter(|node| node.profile.is_some()) {
        if let Some(fault) = find_boot_fault(draft, node) {
            report.push(fault);
        }
    }
}

fn find_boot_fault(draft: &Draft<'_>, node: &DraftNode<'_>) -> Option<Diagnostic> {
    let Some(interface) = node.interface_for(Role::Provisioning) else {
        if !node.networks_known() {
            return None;
        }
        let provisioning = draft.networks.values().find(|network| network.value.is(Role::Provisioning))?;
        let (who, span) = node.who_lacks(|common| common.interfaces.iter().next().is_some());
        let message = format!("{who} has no interface in a provisioning network");
        let help = format!("add `interface.eth0 = {{ network = \"{}\" }}`", provisioning.key);
        return Some(Diagnostic::error("PG-C18", span, message).help(help));
    };
    let network = interface.network?;
    if !node.may_have_address(&draft.networks, &network.key) {
        let written = format!("address.{}", network.key);
        let message = format!("`{}` has no `{written}`: DHCP has nothing to reserve for it", node.entry.key);
        return Some(
            Diagnostic::error("PG-C18", &node.entry.span, message).help(format!("add `{written} = \"…\"`")),
        );
    }
    if let Some(fault) = find_server_fault(draft, network) {
        return Some(fault);
    }
    let mut addresses = node.addresses_in(network).peekable();
    if let Some(first) =
        addresses.peek().copied().filter(|_| addresses.all(|address| address.address.is_ipv6()))
    {
        let message = format!(
            "`{}` has no IPv4 address to boot with, and the provisioner serves IPv4 only",
            node.entry.key
        );
        let help = format!("add `address.{} = \"…\"`", network.key);
        return Some(Diagnostic::error("PG-C18", first.span, message).help(help));
    }
    if let (Some(bound), Some(boots)) = (interface.mac, node.entry.value.mac.as_ref())
        && bound.value != boots.value
    {
        let message = format!("`{}` is bound to another MAC address than `mac`, which boots", interface.key);
        let fault = Diagnostic::error("PG-C18", &bound.span, message)
            .related(&boots.span, "the MAC address that boots");
        return Some(fault.help("write the same MAC address in both places"));
    }
    None
}

/// Finds out why no DHCP server answers in the provisioning network `network`: no interface of the provisioner is there,
/// and no router that relays. Interfaces in networks that are faulty themselves may be meant to be there.
fn find_server_fault(draft: &Draft<'_>, network: &NetworkEntry) -> Option<Diagnostic> {
    let is_known = |name: &Spanned<Label>| {
        let named = draft.networks.get(name.value.as_str());
        named.is_some_and(|named| named.key != network.key && named.value.is(Role::Provisioning))
    };
    let networks = || draft.provisioner_interfaces().map(|interface| interface.network);
    if network.value.gateway.is_some() || !networks().all(|name| name.is_some_and(is_known)) {
        return None;
    }
    let provisioner = networks().flatten().next()?;
    let message = format!(
        "no DHCP server answers in `{}`: the provisioner has no interface there, and no gateway relays to it",
        network.key
    );
    let fault = Diagnostic::error("PG-C18", &network.span, message);
    let fault = fault.related(&provisioner.span, "the provisioner stands in another network");
    Some(fault.help(format!(
        "if the provisioner has a network card in `{0}`, add `[provisioner.interface.NAME]` with `network = \"{0}\"` and \
         the card's `address`, and move its other interface into such a table as well; if a router in `{0}` relays DHCP, \
         add the router as the network's `gateway`",
        network.key
    )))
}

/// D09: the network that a node boots from is untagged on the interface that boots.
pub(super) fn d09(draft: &Draft<'_>, report: &mut Report) {
    for interface in draft.nodes.iter().filter_map(|node| node.interface_for(Role::Provisioning)) {
        if let Some(tagged) = interface.tagged.filter(|tagged| tagged.value) {
            let message = "the interface that boots is tagged, and firmware cannot tag";
            let fault = Diagnostic::error("PG-D09", &tagged.span, message);
            report.push(fault.help("let the switch port carry the provisioning network untagged"));
        }
    }
}

/// D12: an interface is bound to a MAC address, not to the order in which the kernel found it. A bond, and a VLAN on
/// a bond, have no MAC address; the members of the bond have.
pub(super) fn d12(draft: &Draft<'_>, report: &mut Report) {
    for node in &draft.nodes {
        for interface in node.interfaces.iter().filter(|interface| interface.bond.is_none()) {
            report.push_some(find_name_fault(node, interface));
        }
        for (name, span) in members(node) {
            let member = node.interfaces.iter().find(|interface| interface.key == name.as_str());
            // A12 reports a member that is a bond, D11 one that is in a network.
            if member.is_none_or(|member| {
                member.mac.is_none() && member.bond.is_none() && member.network_name.is_none()
            }) {
                report.push(make_member_fault(name.as_str(), span));
            }
        }
    }
}

/// Whether the kernel gives the name `name` to interfaces: `eth` and a number. NixOS keeps the kernel's names here, so
/// that an interface of another name exists only where something binds the name.
fn is_kernel_name(name: &str) -> bool {
    name.strip_prefix("eth")
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// Makes the fault of a bond's member that no MAC address binds: with one of the kernel's names, it may be another
/// interface tomorrow; with any other name, it does not exist.
fn make_member_fault(name: &str, span: &Span) -> Diagnostic {
    if is_kernel_name(name) {
        let message = format!("`{name}` may be another interface after a change of hardware");
        return Diagnostic::warning("PG-D12", span, message).help(format!(
            "bind its name, `interface.{name}.mac = \"…\"`, or acknowledge it with `allow = [\"PG-D12\"]`"
        ));
    }
    let message = format!("no machine has an interface `{name}`: the kernel calls them `eth0`, `eth1`");
    let help = format!("add `interface.{name}.mac = \"…\"` to the node, or write the kernel's name");
    Diagnostic::error("PG-D12", span, message).help(help)
}

/// Finds what is wrong with the name of an interface. udev cannot bind a name of the kernel's where the kernel has
/// already given it to another interface (systemd.link(5), `Name=`).
fn find_name_fault(node: &DraftNode<'_>, interface: &DraftInterface<'_>) -> Option<Diagnostic> {
    let key = interface.key;
    // A VLAN has the name of the interface that it stands on.
    let link = key.split('.').next().unwrap_or(key);
    let below = node.interfaces.iter().find(|other| other.key == link);
    if below.is_some_and(|below| below.bond.is_some()) {
        return None;
    }
    let bound = interface.mac.is_some() || below.is_some_and(|below| below.mac.is_some());
    let fault = |message| Diagnostic::warning("PG-D12", &interface.span, message);
    match (is_kernel_name(link), bound) {
        (false, true) => None,
        (false, false) if interface.network.is_none() => None,
        (true, true) => {
            let message = format!("`{key}` is a name that the kernel may have given to another interface");
            Some(fault(message).help("bind a name that the kernel never gives, such as `lan0`"))
        }
        (true, false) => {
            let message = format!("`{key}` may be another interface after a change of hardware");
            Some(fault(message).help(
                "bind another name to its MAC address, `interface.lan0.mac = \"…\"`, or acknowledge it with \
                 `allow = [\"PG-D12\"]`",
            ))
        }
        (false, false) => {
            let message =
                format!("no machine has an interface `{key}`: the kernel calls them `eth0`, `eth1`");
            let help = format!("add `interface.{link}.mac = \"…\"` to the node, or write the kernel's name");
            Some(Diagnostic::error("PG-D12", &interface.span, message).help(help))
        }
    }
}
