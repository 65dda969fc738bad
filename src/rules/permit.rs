//! Chapter H: the subnets that the inventory lets the CA vouch for.

use crate::diag::{Diagnostic, Report};
use crate::inventory::NetworkTable;
use crate::model::Role;
use crate::pki::constraints::is_wide;
use crate::resolve::Draft;

/// H20: the subnets that `[tls] permit` lists hold every network whose addresses stand in certificates, and are no large
/// part of the internet.
pub(super) fn h20(draft: &Draft<'_>, report: &mut Report) {
    let Some(list) = &draft.inventory.tls.permit else { return };
    if list.value.is_empty() {
        let fault = Diagnostic::error("PG-H20", &list.span, "an empty list permits nothing");
        report.push(fault.help(
            "list subnets and domains that the CA may vouch for, or remove `permit`: its default is the private blocks \
             that the networks lie in",
        ));
    }
    let listed: Vec<_> =
        list.value.iter().filter_map(|entry| Some((entry.value.subnet()?, &entry.span))).collect();
    for (subnet, span) in listed.iter().filter(|(subnet, _)| is_wide(*subnet)) {
        let message = format!("{subnet} is a large part of the internet");
        let fault = Diagnostic::error("PG-H20", span, message);
        report.push(fault.help(
            "list subnets of the site: whoever steals the CA's key can make certificates for every address in the list",
        ));
    }
    if listed.is_empty() {
        return;
    }
    let is_certified = |network: &NetworkTable| network.is(Role::Cluster) || network.is(Role::Client);
    for network in draft.networks.values().filter(|network| is_certified(&network.value)) {
        for (subnet, span) in network.value.subnets() {
            if !listed.iter().any(|(block, _)| block.contains(&subnet)) {
                let message =
                    format!("the CA could not vouch for addresses in {subnet}, network `{}`", network.key);
                let fault = Diagnostic::error("PG-H20", &list.span, message);
                report.push(fault.related(span, "the subnet").help(format!("add \"{subnet}\" to the list")));
            }
        }
    }
}
