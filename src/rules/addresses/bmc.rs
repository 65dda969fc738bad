//! Chapter E: the addresses and users of BMCs.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::diag::{Code, Diagnostic, Report};
use crate::model::{Role, UserName, broadcast, is_network_address};
use crate::resolve::Draft;

use super::claims::{Claim, bmcs, hosts, network_finder, provisioner, vips};

/// E01: a BMC has an address that nothing else has, in a management network.
pub(in crate::rules) fn e01(draft: &Draft<'_>, report: &mut Report) {
    let mut taken: HashMap<IpAddr, Claim<'_>> = HashMap::new();
    for claim in hosts(draft).chain(provisioner(draft)).chain(vips(draft)) {
        taken.entry(claim.address).or_insert(claim);
    }
    let manages = draft.networks.values().any(|network| network.value.is(Role::Management));
    let may_hold = |address| {
        let mut networks = draft.networks.values().filter(|network| network.value.may_be(Role::Management));
        !draft.inventory.networks.is_whole() || networks.any(|network| network.value.may_hold(address))
    };
    for claim in bmcs(draft) {
        if manages && claim.network.is_none() && !may_hold(claim.address) {
            let fault = Diagnostic::error(
                "PG-E01",
                claim.span,
                format!("{} is in no management network", claim.address),
            );
            report.push(fault.help("write an address of a network with the role \"management\""));
        }
        let subnet = claim.network.and_then(|network| network.value.subnet_for(claim.address));
        if subnet.is_some_and(|net| {
            is_network_address(net, claim.address) || broadcast(net) == Some(claim.address)
        }) {
            let fault = Diagnostic::error(
                "PG-E01",
                claim.span,
                format!("{} is the network or the broadcast address of its subnet", claim.address),
            );
            report.push(fault.help("write another address of the subnet"));
        }
        if let Some(first) = taken.get(&claim.address) {
            report.push(address_is_taken("PG-E01", &claim, first));
        }
    }
}

fn address_is_taken(code: Code, claim: &Claim<'_>, first: &Claim<'_>) -> Diagnostic {
    let message = format!("{} already belongs to {}", claim.address, first.owner);
    let fault = Diagnostic::error(code, claim.span, message).related(first.span, "first used here");
    fault.help(format!("give {} another address", claim.owner))
}

/// E05: a BMC belongs to one node.
pub(in crate::rules) fn e05(draft: &Draft<'_>, report: &mut Report) {
    let mut seen = HashMap::<IpAddr, Claim<'_>>::new();
    for claim in bmcs(draft) {
        match seen.get(&claim.address) {
            Some(first) => report.push(address_is_taken("PG-E05", &claim, first)),
            None => drop(seen.insert(claim.address, claim)),
        }
    }
}

/// The users that BMCs are delivered with: Supermicro, Dell, HPE, Lenovo, and AMI's and others' `admin`.
const DELIVERED: [&str; 5] = ["ADMIN", "root", "Administrator", "USERID", "admin"];

/// E06: a user that BMCs are delivered with has a password in the vault, which shows that the password was changed.
pub(in crate::rules) fn e06(draft: &Draft<'_>, report: &mut Report) {
    for bmc in draft.nodes.iter().filter_map(|node| node.entry.value.bmc.as_ref()) {
        if bmc.password_file.is_some() {
            continue;
        }
        let (user, span) = match (&bmc.user, &bmc.address) {
            (Some(user), _) => (user.value.as_ref().map(UserName::as_str), &user.span),
            (None, Some(address)) => (Some("admin"), &address.span),
            (None, None) => continue,
        };
        let Some(user) = user.filter(|user| DELIVERED.contains(user)) else { continue };
        let message = format!(
            "`{user}` is a user that BMCs are delivered with, and no `password_file` shows a new password"
        );
        let fault = Diagnostic::warning("PG-E06", span, message);
        report.push(
            fault.help("change the password and name its file in the vault: `password_file = \"bmc/…\"`"),
        );
    }
}

/// E02: BMCs stand in a network that machines do not boot from.
pub(in crate::rules) fn e02(draft: &Draft<'_>, report: &mut Report) {
    let managed = draft.networks.values().any(|network| network.value.may_be(Role::Management));
    let boots = network_finder(draft, Role::Provisioning);
    for claim in bmcs(draft).filter(|_| !managed && draft.inventory.networks.is_whole()) {
        let Some(network) = boots(claim.address) else { continue };
        let message = format!("{} stands in `{}`, which machines boot from", claim.owner, network.key);
        let fault = Diagnostic::warning("PG-E02", claim.span, message).related(&network.span, "this network");
        report.push(fault.help("give BMCs a separate network, with the role \"management\""));
    }
    for network in draft.networks.values() {
        let both = network.value.is(Role::Management) && network.value.is(Role::Provisioning);
        let Some(roles) = network.value.roles.as_ref().filter(|_| both) else { continue };
        let message = format!("the BMCs stand in `{}`, which machines boot from", network.key);
        let fault = Diagnostic::warning("PG-E02", &roles.span, message);
        report.push(fault.help(
            "give BMCs a separate network, or acknowledge it with `allow = [\"PG-E02\"]` in the network",
        ));
    }
}
