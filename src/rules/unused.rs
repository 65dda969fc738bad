//! Chapter A: definitions that nothing refers to, and keys without an effect (A13).

use std::collections::HashSet;

use crate::diag::{Diagnostic, Report, Span};
use crate::inventory::known;
use crate::model::Role;
use crate::resolve::Draft;

use super::foreign_zones;

/// A13: every network, profile, service and hardware model is used, and `zone = false` has an effect. Where there are errors
/// nothing is reported, since the reference may only be misspelt.
pub(super) fn a13(draft: &Draft<'_>, report: &mut Report) {
    if report.has_errors() {
        return;
    }
    let inventory = draft.inventory;
    let mut warn = |what: &str, name: &str, span: &Span| {
        let fault = Diagnostic::warning("PG-A13", span, format!("nothing uses the {what} `{name}`"));
        report.push(fault.help(format!("remove the {what}, or refer to it")));
    };
    let used: HashSet<&str> = networks(draft).collect();
    for network in inventory.networks.iter().filter(|network| !used.contains(network.key.as_str())) {
        // BMCs and clients stand in networks that no node is connected to.
        if !network.value.is(Role::Management) && !network.value.is(Role::Client) {
            warn("network", &network.key, &network.span);
        }
    }
    let used: HashSet<&str> = draft
        .nodes
        .iter()
        .filter_map(|node| Some(node.entry.value.profile.as_ref()?.value.as_str()))
        .collect();
    for profile in inventory.profiles.iter().filter(|profile| !used.contains(profile.key.as_str())) {
        warn("profile", &profile.key, &profile.span);
    }
    let used: HashSet<&str> =
        draft.nodes.iter().flat_map(|node| &node.services).map(|service| service.name.as_str()).collect();
    for service in inventory.services.iter().filter(|service| !used.contains(service.key.as_str())) {
        warn("service", &service.key, &service.span);
    }
    let said = draft.nodes.iter().filter_map(|node| node.said(|common| common.hardware.as_ref()));
    let used: HashSet<&str> = said.map(|name| name.written.value.as_str()).collect();
    for hardware in inventory.hardware.iter().filter(|hardware| !used.contains(hardware.key.as_str())) {
        warn("hardware", &hardware.key, &hardware.span);
    }
    foreign_zones::check_zone_keys(draft, report);
}

/// The names of the networks of the provisioner and of all interfaces.
fn networks<'a>(draft: &Draft<'a>) -> impl Iterator<Item = &'a str> {
    let inventory = draft.inventory;
    let profiles = inventory.profiles.iter().map(|profile| &profile.value.common);
    let nodes = inventory.nodes.iter().map(|node| &node.value.common);
    let interfaces = profiles.chain(nodes).flat_map(|common| common.interfaces.iter());
    let named = interfaces.filter_map(|interface| Some(known(&interface.value.network)?.as_str()));
    let provisioner = draft.provisioner_interfaces().filter_map(|interface| interface.network);
    named.chain(provisioner.map(|name| name.value.as_str()))
}
