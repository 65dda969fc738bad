//! Chapter C: the provisioner as the router of its networks.

use crate::diag::{Diagnostic, Report};
use crate::resolve::{Draft, NetworkEntry};

use super::claims::{Claim, provisioner};

/// C20: a provisioner that masquerades is the gateway of a network, as a rule of nodes' home network.
pub(in crate::rules) fn c20(draft: &Draft<'_>, report: &mut Report) {
    let nat = draft.inventory.provisioner.as_ref().and_then(|table| table.nat.as_ref());
    let Some(nat) = nat.filter(|nat| nat.value) else { return };
    // Other rules report an address, a network and a gateway that are missing or faulty.
    let may_be_gateway = |claim: &Claim<'_>| {
        let gateway = claim.network.map(|network| network.value.gateway.as_ref());
        gateway.is_none_or(|gateway| {
            gateway.is_some_and(|gateway| gateway.value.is_none_or(|gateway| claim.address == gateway))
        })
    };
    let claims: Vec<_> = provisioner(draft).collect();
    let Some(Claim { address, network: Some(network), .. }) = claims.first() else { return };
    let routed: Vec<_> = claims.iter().filter(|claim| may_be_gateway(claim)).collect();
    if routed.is_empty() {
        let message =
            "the provisioner is not the gateway of a network: no packet reaches it to be masqueraded";
        let fault = Diagnostic::error("PG-C20", &nat.span, message).related(&network.span, "this network");
        report.push(fault.help(format!(
            "write `gateway = \"{address}\"` in `[network.{}]`, or remove `nat` where another machine is the router",
            network.key
        )));
        return;
    }
    let is_routed = |home: &NetworkEntry| {
        routed.iter().any(|claim| claim.network.is_none_or(|network| network.key == home.key))
    };
    if draft.nodes.is_empty() || draft.nodes.iter().any(|node| node.home().is_none_or(is_routed)) {
        return;
    }
    let message =
        "no installed node has its default route through the provisioner: only installers are masqueraded";
    let fault = Diagnostic::warning("PG-C20", &nat.span, message);
    report.push(fault.help(
        "make the provisioner the gateway of the nodes' cluster network, or write `allow = [\"PG-C20\"]` in \
         `[provisioner]` where installers alone need a way out",
    ));
}
