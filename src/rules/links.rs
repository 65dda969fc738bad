//! Chapter D, and what of B and C concerns interfaces.

use std::collections::{HashMap, HashSet};

use crate::diag::{Diagnostic, Report, Span};
use crate::model::{IfName, MacAddr, Role};
use crate::resolve::{Draft, DraftInterface, DraftNode};

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
    let home = draft.inventory.provisioner.as_ref().and_then(|own| own.network.as_ref());
    if home.is_some_and(|home| home.value.as_str() != network.key) && network.value.gateway.is_none() {
        let message = format!("`{}` has no gateway: the provisioner is in another network", network.key);
        let fault = Diagnostic::error("PG-C18", &network.span, message);
        return Some(fault.help("add `gateway = \"…\"`: the router that relays DHCP"));
    }
    let mut addresses = node.addresses_in(network).peekable();
    if let Some(own) = addresses.peek().copied().filter(|_| addresses.all(|own| own.address.is_ipv6())) {
        let message = format!(
            "`{}` has no IPv4 address to boot with, and the provisioner has no other",
            node.entry.key
        );
        let help = format!("add `address.{} = \"…\"`", network.key);
        return Some(Diagnostic::error("PG-C18", own.span, message).help(help));
    }
    if let (Some(bound), Some(boots)) = (interface.mac, node.entry.value.mac.as_ref())
        && bound.value != boots.value
    {
        let message = format!("`{}` is bound to another address than the one that boots", interface.key);
        let fault =
            Diagnostic::error("PG-C18", &bound.span, message).related(&boots.span, "the one that boots");
        return Some(fault.help("write the same address in both places"));
    }
    if let Some(tagged) = interface.tagged.filter(|tagged| tagged.value) {
        let fault = Diagnostic::error(
            "PG-C18",
            &tagged.span,
            "the interface that boots is tagged, and firmware cannot tag",
        );
        return Some(fault.help("let the switch port carry the provisioning network untagged"));
    }
    None
}

/// The MAC addresses of a node with their places; the address that boots may be repeated at its own interface, or at
/// any where that is not known.
fn macs<'a>(node: &'a DraftNode<'_>) -> impl Iterator<Item = (MacAddr, &'a Span)> {
    let boot = node.entry.value.mac.as_ref();
    let boot_interface = node.interface_for(Role::Provisioning).map(|own| own.key);
    let interfaces = node.interfaces.iter().filter_map(move |own| {
        let mac = own.mac?;
        let same = boot.is_some_and(|boot| boot.value == mac.value)
            && boot_interface.is_none_or(|boots| boots == own.key);
        (!same).then_some((mac.value, &mac.span))
    });
    let bmc = node.entry.value.bmc.as_ref().and_then(|bmc| bmc.mac.as_ref());
    boot.map(|mac| (mac.value, &mac.span))
        .into_iter()
        .chain(interfaces)
        .chain(bmc.map(|mac| (mac.value, &mac.span)))
}

/// A MAC address is one that a manufacturer gave.
pub(super) fn d04(draft: &Draft<'_>, report: &mut Report) {
    for (mac, span) in draft.nodes.iter().flat_map(macs).filter(|(mac, _)| mac.is_local()) {
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

/// A MAC address is used once.
pub(super) fn d05(draft: &Draft<'_>, report: &mut Report) {
    let mut seen = HashMap::<MacAddr, &Span>::new();
    for (mac, span) in draft.nodes.iter().flat_map(macs) {
        if let Some(first) = seen.get(&mac) {
            let fault = |message| Diagnostic::error("PG-D05", span, message);
            report.push(if *first == span {
                let message = format!("`{mac}` stands in a profile that several nodes have");
                fault(message).help("write it in the node that has this interface")
            } else {
                let message = format!("`{mac}` is another interface's address already");
                let help = "read the address off the machine's label or its BMC";
                fault(message).related(first, "first used here").help(help)
            });
        } else {
            seen.insert(mac, span);
        }
    }
}

/// A tagged interface knows its VLAN.
pub(super) fn d07(draft: &Draft<'_>, report: &mut Report) {
    for interface in draft.nodes.iter().flat_map(|node| &node.interfaces) {
        let (Some(tagged), Some(network)) =
            (interface.tagged.filter(|tagged| tagged.value), interface.network)
        else {
            continue;
        };
        if network.value.vlan.is_none() {
            let message =
                format!("`{}` is tagged, but the network `{}` has no VLAN", interface.key, network.key);
            let fault =
                Diagnostic::error("PG-D07", &tagged.span, message).related(&network.span, "this network");
            report.push(fault.help("add `vlan = …` to the network"));
        }
    }
}

/// A bond has two members or more, and no interface is a member twice or stands in a network of its own.
pub(super) fn d11(draft: &Draft<'_>, report: &mut Report) {
    for node in &draft.nodes {
        let mut taken: HashSet<&IfName> = HashSet::new();
        for members in node.interfaces.iter().filter_map(|own| own.bond?.value.members.as_ref()) {
            if members.value.len() < 2 {
                let fault = Diagnostic::error("PG-D11", &members.span, "a bond of fewer than two interfaces");
                report.push(fault.help("name two interfaces or more, or drop the bond"));
            }
            for (member, span) in
                members.value.iter().filter_map(|own| Some((own.value.as_ref()?, &own.span)))
            {
                let stands_alone = node
                    .interfaces
                    .iter()
                    .any(|own| own.key == member.as_str() && own.network_name.is_some());
                if !taken.insert(member) || stands_alone {
                    let message = format!("`{member}` is used elsewhere already");
                    report.push(
                        Diagnostic::error("PG-D11", span, message).help("a member of a bond is nothing else"),
                    );
                }
            }
        }
    }
}

/// An interface is bound to an address, not to the order in which the kernel found it.
pub(super) fn d12(draft: &Draft<'_>, report: &mut Report) {
    for node in &draft.nodes {
        for interface in node.interfaces.iter().filter(|own| own.bond.is_none()) {
            report.push_some(ill_named(node, interface));
        }
    }
}

/// What is wrong with the name of an interface. NixOS leaves the kernel's names alone here, so that one which nothing
/// binds is `eth` and a number, or nobody's; and udev cannot bind such a name where the kernel has given it to another
/// interface already (systemd.link(5), `Name=`).
fn ill_named(node: &DraftNode<'_>, interface: &DraftInterface<'_>) -> Option<Diagnostic> {
    let key = interface.key;
    // A VLAN has the name of the interface that it stands on.
    let link = key.split('.').next().unwrap_or(key);
    let below = node.interfaces.iter().find(|own| own.key == link);
    if below.is_some_and(|own| own.bond.is_some()) {
        return None;
    }
    let bound = interface.mac.is_some() || below.is_some_and(|own| own.mac.is_some());
    let number = link.strip_prefix("eth").unwrap_or_default();
    let kernel = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    let fault = |message| Diagnostic::warning("PG-D12", &interface.span, message);
    match (kernel, bound) {
        (false, true) => None,
        (false, false) if interface.network.is_none() => None,
        (true, true) => {
            let message = format!("`{key}` is a name that the kernel may have given to another interface");
            Some(fault(message).help("bind a name that the kernel never gives, such as `lan0`"))
        }
        (true, false) => {
            let message = format!("`{key}` may be another interface after a change of hardware");
            Some(fault(message).help(
                "give it a name of its own, bound by its address, `interface.lan0.mac = \"…\"`, or acknowledge it with \
                 `allow = [\"PG-D12\"]`",
            ))
        }
        (false, false) => {
            let message =
                format!("no machine has an interface `{key}`: the kernel calls them `eth0`, `eth1`");
            let help = format!("add `interface.{link}.mac = \"…\"` to the node, or take the kernel's name");
            Some(Diagnostic::error("PG-D12", &interface.span, message).help(help))
        }
    }
}
