//! Chapter A: references (A11 and A12).

use std::collections::HashSet;

use crate::diag::{Diagnostic, Report, Span};
use crate::inventory::{Common, Entry, ProfileTable, known};
use crate::model::service::{CHAINFIRE, KNOWN as KNOWN_SERVICES};
use crate::model::{Base, KNOWN_HARDWARE, Label, Role, Word};
use crate::resolve::{Draft, DraftNode};

/// Makes the fault of `name`, written at `span`, which is none of the `known` names.
fn unknown_name<'k>(what: &str, name: &str, span: &Span, known: impl Iterator<Item = &'k str>) -> Diagnostic {
    let fault = Diagnostic::error("PG-A11", span, format!("there is no {what} `{name}`"));
    let mut known: Vec<&str> = known.take(1000).collect();
    known.sort_unstable();
    // A host name with its domain is known by its first label.
    let label = name.split('.').next().unwrap_or_default();
    let label = known.iter().find(|known| **known == label).copied();
    let near = label.or_else(|| crate::inventory::nearest(name, &known));
    if let Some(near) = near {
        let fault = fault.help(format!("did you mean `{near}`?"));
        return match span.len() - name.len().min(span.len()) {
            0 => fault.edit(span.clone(), near),
            2 => fault.edit(span.clone(), format!("\"{near}\"")),
            // Escapes stand between the quotes.
            _ => fault,
        };
    }
    fault.help(if known.is_empty() {
        format!("define it as `[{what}.{name}]`")
    } else {
        let more = if known.len() > 12 { ", …" } else { "" };
        format!("known: {}{more}", known[..known.len().min(12)].join(", "))
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
    for name in draft.provisioner_interfaces().filter_map(|interface| interface.network) {
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
            report.push(refuse_unconnected(draft, node, name, span));
        }
    }
    if node.profile.is_some() && node.layers().all(|layer| layer.common().layout.is_none()) {
        let (who, span) = node.who_lacks(|_| false);
        let message = format!("{who} has no disk layout");
        report.push(Diagnostic::error("PG-A11", span, message).help("add `disk.single = {}`"));
    }
}

/// Makes the fault of an address of `node` in the network `name`, in which the node has no interface. Where the node has
/// addresses in all networks of another profile, the wrong profile was named.
fn refuse_unconnected(draft: &Draft<'_>, node: &DraftNode<'_>, name: &str, span: &Span) -> Diagnostic {
    let message = format!("no interface of `{}` is in the network `{name}`", node.entry.key);
    let fault = Diagnostic::error("PG-A11", span, message);
    let addressed: HashSet<&str> = node.addresses.iter().map(|address| address.network_name).collect();
    let networks = |profile: &Entry<Label, ProfileTable>| -> HashSet<&str> {
        let interfaces = profile.value.common.interfaces.iter();
        let names = interfaces.filter_map(|interface| known(&interface.value.network));
        // The names outlive the closure with the draft.
        names.map(|name| draft.networks.get_key_value(name.as_str()).map_or("", |(name, _)| name)).collect()
    };
    let fits = |profile: &&Entry<Label, ProfileTable>| networks(profile) == addressed;
    let written = node.entry.value.profile.as_ref();
    let is_other = |profile: &&Entry<Label, ProfileTable>| {
        written.is_none_or(|written| written.value.as_str() != profile.key)
    };
    let other = draft.inventory.profiles.iter().filter(is_other).find(fits);
    if let (Some(other), Some(written)) = (other, written) {
        let fault = fault.related(&written.span, "the profile of the node");
        let help =
            format!("did you mean `profile = \"{}\"`, whose interfaces are in these networks?", other.key);
        return fault.help(help).edit(written.span.clone(), format!("\"{}\"", other.key));
    }
    let taken: HashSet<&str> = node.interfaces.iter().map(|interface| interface.key).collect();
    let kernel =
        (0..=taken.len()).map(|number| format!("eth{number}")).find(|name| !taken.contains(name.as_str()));
    let is_numbered = taken.iter().all(|name| name.starts_with("eth"));
    match kernel.filter(|_| is_numbered) {
        Some(next) => fault.help(format!(
            "add `interface.{next} = {{ network = \"{name}\" }}` to the node or its profile, or remove this address"
        )),
        None => fault.help(format!("put an interface of the node into the network `{name}`, or remove this address")),
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
