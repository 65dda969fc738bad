//! Chapter A over the resolved inventory: references.

use crate::diag::{Diagnostic, Report, Span};
use crate::inventory::Common;
use crate::model::{KNOWN_HARDWARE, Word, service};
use crate::resolve::{Draft, DraftNode};

/// `name`, written at `span`, is none of `known`.
fn dangling<'k>(what: &str, name: &str, span: &Span, known: impl Iterator<Item = &'k str>) -> Diagnostic {
    let fault = Diagnostic::error("PG-A11", span, format!("there is no {what} `{name}`"));
    let mut known: Vec<&str> = known.take(1000).collect();
    known.sort_unstable();
    let near = crate::inventory::nearest(name, &known);
    fault.help(match near {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => format!("define it as `[{what}.{name}]`"),
        None => format!(
            "known are {}{}",
            known[..known.len().min(12)].join(", "),
            if known.len() > 12 { ", …" } else { "" }
        ),
    })
}

/// Every reference leads somewhere.
pub(super) fn a11(draft: &Draft<'_>, report: &mut Report) {
    let inventory = draft.inventory;
    let networks = || draft.networks.keys().copied();
    for name in draft.bootstrap().iter().filter(|name| draft.node(&name.value).is_none()) {
        report.push(dangling(
            "node",
            &name.value,
            &name.span,
            inventory.nodes.iter().map(|node| node.key.as_str()),
        ));
    }
    let stands_in = inventory.provisioner.as_ref().and_then(|own| own.network.as_ref());
    for name in stands_in.into_iter().filter(|name| !draft.networks.contains_key(name.value.as_str())) {
        report.push(dangling("network", name.value.as_str(), &name.span, networks()));
    }
    for network in &inventory.networks {
        let ranges = network.value.ranges.iter().map(|own| (&own.key, &own.span));
        let ranges6 = network.value.ranges6.iter().map(|own| (&own.key, &own.span));
        for (key, span) in ranges.chain(ranges6).filter(|(key, _)| *key != "vip") {
            if !draft.profiles.contains_key(key.as_str()) {
                report.push(dangling("profile", key, span, draft.profiles.keys().copied().chain(["vip"])));
            }
        }
    }
    for profile in &inventory.profiles {
        common(draft, &profile.value.common, report);
        if profile.value.base.is_none() && crate::model::Base::parse(&profile.key).is_err() {
            let message = format!("profile `{}` does not say what it is built on", profile.key);
            let fault = Diagnostic::error("PG-A11", &profile.span, message);
            report.push(fault.help("add `base = \"control-plane\"`, `\"worker\"` or `\"all-in-one\"`"));
        }
    }
    for node in &draft.nodes {
        a11_node(draft, node, report);
    }
}

/// What a node refers to.
fn a11_node(draft: &Draft<'_>, node: &DraftNode<'_>, report: &mut Report) {
    common(draft, &node.entry.value.common, report);
    if let Some(name) = node.entry.value.profile.as_ref().filter(|_| node.profile.is_none()) {
        report.push(dangling("profile", name.value.as_str(), &name.span, draft.profiles.keys().copied()));
    }
    for own in &node.addresses {
        if own.network.is_none() {
            report.push(dangling("network", own.network_name, own.key_span, draft.networks.keys().copied()));
        } else if node.profile.is_some()
            && !node.interfaces.iter().any(|nic| nic.network.is_some_and(|net| net.key == own.network_name))
        {
            let message =
                format!("no interface of `{}` is in the network `{}`", node.entry.key, own.network_name);
            let fault = Diagnostic::error("PG-A11", own.key_span, message);
            report.push(fault.help(format!(
                "add `interface.eth1 = {{ network = \"{}\" }}` to it or its profile",
                own.network_name
            )));
        }
    }
    if node.profile.is_some() && node.layout.is_none() && node.layers().all(|common| common.layout.is_none())
    {
        let fault = Diagnostic::error(
            "PG-A11",
            &node.entry.span,
            format!("nothing says how the disks of `{}` are divided", node.entry.key),
        );
        report.push(fault.help("add `disk.single = {}` to it or its profile"));
    }
}

/// What a profile or a node refers to.
fn common(draft: &Draft<'_>, common: &Common, report: &mut Report) {
    let services = || service::KNOWN.into_iter().chain(draft.services.keys().copied());
    let known = |name: &str| service::KNOWN.contains(&name) || draft.services.contains_key(name);
    for name in common.services.iter().flat_map(|list| &list.value).filter(|name| !known(name.value.as_str()))
    {
        report.push(dangling("service", name.value.as_str(), &name.span, services()));
    }
    for own in common.settings.iter().filter(|own| !known(&own.key)) {
        report.push(dangling("service", &own.key, &own.span, services()));
    }
    for interface in &common.interfaces {
        if let Some(name) =
            interface.value.network.as_ref().filter(|name| !draft.networks.contains_key(name.value.as_str()))
        {
            report.push(dangling("network", name.value.as_str(), &name.span, draft.networks.keys().copied()));
        }
    }
    if let Some(name) = &common.hardware {
        let own = || draft.inventory.hardware.iter().map(|entry| entry.key.as_str());
        if !KNOWN_HARDWARE.contains(&name.value.as_str()) && !own().any(|key| key == name.value.as_str()) {
            report.push(dangling(
                "hardware",
                name.value.as_str(),
                &name.span,
                KNOWN_HARDWARE.into_iter().chain(own()),
            ));
        }
    }
}

/// Nothing refers to itself: profiles have no parents, so that only bonds can.
pub(super) fn a12(draft: &Draft<'_>, report: &mut Report) {
    for node in &draft.nodes {
        let bonds: Vec<&str> =
            node.interfaces.iter().filter(|own| own.bond.is_some()).map(|own| own.key).collect();
        for bond in node.interfaces.iter().filter_map(|own| own.bond?.value.members.as_ref()) {
            for member in bond.value.iter().filter(|member| bonds.contains(&member.value.as_str())) {
                let fault =
                    Diagnostic::error("PG-A12", &member.span, format!("`{}` is a bond itself", member.value));
                report.push(fault.help("name physical interfaces"));
            }
        }
    }
}
