//! Chapter A: references (A11 and A12).

use crate::diag::{Diagnostic, Report, Span};
use crate::inventory::{Common, known};
use crate::model::service::{CHAINFIRE, KNOWN as KNOWN_SERVICES};
use crate::model::{Base, KNOWN_HARDWARE, Role, Word};
use crate::resolve::{Draft, DraftNode};

/// Makes the fault of `name`, written at `span`, which is none of the `known` names.
fn unknown_name<'k>(what: &str, name: &str, span: &Span, known: impl Iterator<Item = &'k str>) -> Diagnostic {
    let fault = Diagnostic::error("PG-A11", span, format!("there is no {what} `{name}`"));
    let mut known: Vec<&str> = known.take(1000).collect();
    known.sort_unstable();
    let near = crate::inventory::nearest(name, &known);
    fault.help(match near {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => format!("define it as `[{what}.{name}]`"),
        None => {
            let more = if known.len() > 12 { ", …" } else { "" };
            format!("known: {}{more}", known[..known.len().min(12)].join(", "))
        }
    })
}

fn check_network(draft: &Draft<'_>, name: &str, span: &Span, report: &mut Report) {
    if !draft.networks.contains_key(name) && !draft.inventory.networks.may_have_lost(name) {
        report.push(unknown_name("network", name, span, draft.networks.keys().copied()));
    }
}

fn check_profile(draft: &Draft<'_>, name: &str, span: &Span, report: &mut Report) {
    let profiles = &draft.inventory.profiles;
    if !draft.profiles.contains_key(name) && !profiles.may_have_lost(name) {
        report.push(unknown_name("profile", name, span, profiles.iter().map(|profile| profile.key.as_str())));
    }
}

fn check_service(draft: &Draft<'_>, name: &str, span: &Span, report: &mut Report) {
    let services = &draft.inventory.services;
    let known = KNOWN_SERVICES.contains(&name) || draft.services.contains_key(name);
    if !known && !services.may_have_lost(name) {
        let defined = services.iter().map(|service| service.key.as_str());
        report.push(unknown_name("service", name, span, KNOWN_SERVICES.into_iter().chain(defined)));
    }
}

fn check_hardware(draft: &Draft<'_>, name: &str, span: &Span, report: &mut Report) {
    let models = &draft.inventory.hardware;
    let defined = || models.iter().map(|model| model.key.as_str());
    let known = KNOWN_HARDWARE.contains(&name) || defined().any(|model| model == name);
    if !known && !models.may_have_lost(name) {
        report.push(unknown_name("hardware", name, span, KNOWN_HARDWARE.into_iter().chain(defined())));
    }
}

/// A11: every reference leads somewhere. Names that are faulty themselves were reported when they were read.
pub(super) fn a11(draft: &Draft<'_>, report: &mut Report) {
    let inventory = draft.inventory;
    for (name, span) in draft.bootstrap().filter(|(name, _)| draft.node(name).is_none()) {
        if !inventory.nodes.may_have_lost(name) {
            report.push(unknown_name(
                "node",
                name,
                span,
                inventory.nodes.iter().map(|node| node.key.as_str()),
            ));
        }
    }
    if let Some(name) = inventory.provisioner.as_ref().and_then(|provisioner| provisioner.network.as_ref()) {
        check_network(draft, name.value.as_str(), &name.span, report);
    }
    for network in &inventory.networks {
        let ranges = network.value.ranges.iter().map(|range| (range.name.as_ref(), &range.span));
        let ranges6 = network.value.ranges6.iter().map(|range| (range.name.as_ref(), &range.span));
        for (name, span) in ranges.chain(ranges6).filter_map(|(name, span)| Some((name?.as_str(), span))) {
            if name != "vip" {
                check_profile(draft, name, span, report);
            }
        }
    }
    for profile in &inventory.profiles {
        check_common(draft, &profile.value.common, report);
        if profile.value.base.is_none() && profile.name.is_some() && Base::parse(&profile.key).is_err() {
            let message = format!("profile `{}` has no `base`", profile.key);
            let fault = Diagnostic::error("PG-A11", &profile.span, message);
            report.push(fault.help("add `base = \"control-plane\"`, `\"worker\"` or `\"all-in-one\"`"));
        }
    }
    for node in &draft.nodes {
        check_node(draft, node, report);
    }
}

/// Checks the references of a node.
fn check_node(draft: &Draft<'_>, node: &DraftNode<'_>, report: &mut Report) {
    let table = &node.entry.value;
    check_common(draft, &table.common, report);
    if let Some(name) = &table.profile {
        check_profile(draft, name.value.as_str(), &name.span, report);
    }
    let addresses = table.addresses.iter().map(|address| (address.name.as_ref(), &address.span));
    let addresses6 = table.addresses6.iter().map(|address| (address.name.as_ref(), &address.span));
    // C18 and G07 report a node that has no interface in a network of a role that the node needs.
    let needed = |name: &str| {
        let unmet = |role| draft.networks[name].value.is(role) && node.interface_for(role).is_none();
        unmet(Role::Provisioning) || (unmet(Role::Cluster) && node.runs(CHAINFIRE))
    };
    for (name, span) in addresses.chain(addresses6).filter_map(|(name, span)| Some((name?.as_str(), span))) {
        let connected = || node.interfaces.iter().any(|nic| nic.network.is_some_and(|net| net.key == name));
        if !draft.networks.contains_key(name) {
            check_network(draft, name, span, report);
        } else if !connected() && node.networks_known() && !needed(name) {
            let message = format!("no interface of `{}` is in the network `{name}`", node.entry.key);
            let fault = Diagnostic::error("PG-A11", span, message);
            let next = node.interfaces.len();
            let help =
                format!("add `interface.eth{next} = {{ network = \"{name}\" }}` to the node or its profile");
            report.push(fault.help(help));
        }
    }
    if node.profile.is_some() && node.layers().all(|layer| layer.common().layout.is_none()) {
        let (who, span) = node.who_lacks(|_| false);
        let message = format!("{who} has no disk layout");
        report.push(Diagnostic::error("PG-A11", span, message).help("add `disk.single = {}`"));
    }
}

/// Checks the references that profiles and nodes have in common.
fn check_common(draft: &Draft<'_>, common: &Common, report: &mut Report) {
    for name in known(&common.services).into_iter().flatten() {
        if let Some(service_name) = &name.value {
            check_service(draft, service_name.as_str(), &name.span, report);
        }
    }
    for settings in common.settings.iter().filter(|settings| settings.name.is_some()) {
        check_service(draft, &settings.key, &settings.span, report);
    }
    for name in common.interfaces.iter().filter_map(|interface| interface.value.network.as_ref()) {
        if let Some(network_name) = &name.value {
            check_network(draft, network_name.as_str(), &name.span, report);
        }
    }
    if let Some(name) = &common.hardware {
        check_hardware(draft, name.value.as_str(), &name.span, report);
    }
}

/// A12: nothing refers to itself. Profiles have no parents, so that only bonds can.
pub(super) fn a12(draft: &Draft<'_>, report: &mut Report) {
    for node in &draft.nodes {
        let bonds: Vec<&str> = node
            .interfaces
            .iter()
            .filter(|interface| interface.bond.is_some())
            .map(|interface| interface.key)
            .collect();
        let members =
            node.interfaces.iter().filter_map(|interface| interface.bond?.written.value.members.as_ref());
        for member in members.flat_map(|list| &list.value) {
            if let Some(name) = member.value.as_ref().filter(|name| bonds.contains(&name.as_str())) {
                let fault = Diagnostic::error(
                    "PG-A12",
                    &member.span,
                    format!("`{name}` is a bond, and a bond has no bonds as members"),
                );
                report.push(fault.help("name physical interfaces"));
            }
        }
    }
}
