//! Rule A13: what nothing refers to is left over from something.

use std::collections::HashSet;

use crate::diag::{Diagnostic, Report, Span};
use crate::inventory::known;
use crate::model::Role;
use crate::resolve::Draft;

use super::Check;

/// Every network, profile, service and hardware is used by something. Where there are errors, what looks unused may only
/// be misspelt elsewhere.
pub(super) fn a13(draft: &Draft<'_>, report: &mut Report) {
    if report.has_errors() {
        return;
    }
    let inventory = draft.inventory;
    let mut warn = |what: &str, name: &str, span: &Span| {
        let fault = Diagnostic::warning("PG-A13", span, format!("nothing uses the {what} `{name}`"));
        report
            .push(fault.help("remove it, or refer to it; a leftover of a renaming misleads the next reader"));
    };
    let used: HashSet<&str> = networks(draft).collect();
    for network in inventory.networks.iter().filter(|own| !used.contains(own.key.as_str())) {
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
    for profile in inventory.profiles.iter().filter(|own| !used.contains(own.key.as_str())) {
        warn("profile", &profile.key, &profile.span);
    }
    let used: HashSet<&str> =
        draft.nodes.iter().flat_map(|node| &node.services).map(|own| own.name.as_str()).collect();
    for service in inventory.services.iter().filter(|own| !used.contains(own.key.as_str())) {
        warn("service", &service.key, &service.span);
    }
    let said = draft.nodes.iter().filter_map(|node| node.said(|common| common.hardware.as_ref()));
    let used: HashSet<&str> = said.map(|name| name.value.as_str()).collect();
    for hardware in inventory.hardware.iter().filter(|own| !used.contains(own.key.as_str())) {
        warn("hardware", &hardware.key, &hardware.span);
    }
}

/// Every `allow` acknowledges something, which may be another such warning: those under A13 come last.
pub(super) fn acknowledgements(report: &mut Report) {
    for late in [false, true] {
        let judged = |code: &str| {
            let check = super::find(code).map(|rule| rule.check);
            matches!(check, Some(Check::Reading | Check::Resolved(_))) && (code == "PG-A13") == late
        };
        for own in report.idle().into_iter().filter(|own| judged(&own.code.value)) {
            let message = format!("nothing here warns of {}", own.code.value);
            let fault = Diagnostic::warning("PG-A13", &own.code.span, message);
            report.push(fault.help("remove it: it would hide the next such warning"));
        }
    }
}

/// The names of networks that something stands in: the provisioner, or an interface of a profile or node.
fn networks<'a>(draft: &Draft<'a>) -> impl Iterator<Item = &'a str> {
    let inventory = draft.inventory;
    let profiles = inventory.profiles.iter().map(|own| &own.value.common);
    let nodes = inventory.nodes.iter().map(|own| &own.value.common);
    let interfaces = profiles.chain(nodes).flat_map(|common| common.interfaces.iter());
    let named = interfaces.filter_map(|own| Some(known(&own.value.network)?.as_str()));
    let provisioner = inventory.provisioner.as_ref().and_then(|own| own.network.as_ref());
    named.chain(provisioner.map(|name| name.value.as_str()))
}
