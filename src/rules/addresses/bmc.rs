//! The addresses of BMCs.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::diag::{Diagnostic, Report};
use crate::model::{Role, broadcast, is_network_address};
use crate::resolve::Draft;

use super::{Claim, bmcs, hosts, provisioner, vips};

/// A BMC has an address of its own, in a management network.
pub(in crate::rules) fn e01(draft: &Draft<'_>, report: &mut Report) {
    let mut taken: HashMap<IpAddr, Claim<'_>> = HashMap::new();
    for claim in hosts(draft).chain(provisioner(draft)).chain(vips(draft)) {
        taken.entry(claim.address).or_insert(claim);
    }
    let manages = draft.networks.values().any(|own| own.value.is(Role::Management));
    let may_hold = |address| {
        let mut networks = draft.networks.values().filter(|own| own.value.may_be(Role::Management));
        !draft.inventory.networks.whole() || networks.any(|own| own.value.may_hold(address))
    };
    for claim in bmcs(draft) {
        if manages && !may_hold(claim.address) {
            let fault = Diagnostic::error(
                "PG-E01",
                claim.span,
                format!("{} is in no management network", claim.address),
            );
            report.push(fault.help("take an address of a network with the role \"management\""));
        }
        let own = claim.network.and_then(|own| own.value.subnet_for(claim.address));
        if own.is_some_and(|net| {
            is_network_address(net, claim.address) || broadcast(net) == Some(claim.address)
        }) {
            let fault =
                Diagnostic::error("PG-E01", claim.span, format!("{} is no host's address", claim.address));
            report.push(fault.help("take another address of the subnet"));
        }
        if let Some(first) = taken.get(&claim.address) {
            let fault = Diagnostic::error(
                "PG-E01",
                claim.span,
                format!("{} belongs to {} already", claim.address, first.owner),
            );
            report.push(
                fault
                    .related(first.span, "first used here")
                    .help(format!("give {} another address", claim.owner)),
            );
        } else {
            taken.insert(claim.address, claim);
        }
    }
}

/// BMCs stand in a network that machines do not boot from.
pub(in crate::rules) fn e02(draft: &Draft<'_>, report: &mut Report) {
    for network in draft.networks.values() {
        let both = network.value.is(Role::Management) && network.value.is(Role::Provisioning);
        let Some(roles) = network.value.roles.as_ref().filter(|_| both) else { continue };
        let message = format!("the BMCs stand in `{}`, which machines boot from", network.key);
        let fault = Diagnostic::warning("PG-E02", &roles.span, message);
        report.push(fault.help(
            "give BMCs a network of their own, or acknowledge it with `allow = [\"PG-E02\"]` in the network",
        ));
    }
}
