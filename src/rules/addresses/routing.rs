//! Chapter C: the provisioner as the router of its networks.

use crate::diag::{Diagnostic, Report};
use crate::resolve::Draft;

use super::claims::{Claim, provisioner};

/// C20: a provisioner that masquerades is the gateway of a network.
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
    let mut claims = provisioner(draft).peekable();
    let Some(first) = claims.peek().map(|claim| (claim.address, claim.network)) else { return };
    let (address, Some(network)) = first else { return };
    if claims.any(|claim| may_be_gateway(&claim)) {
        return;
    }
    let message = "the provisioner is not the gateway of a network: no packet reaches it to be masqueraded";
    let fault = Diagnostic::error("PG-C20", &nat.span, message).related(&network.span, "this network");
    report.push(fault.help(format!(
        "write `gateway = \"{}\"` in `[network.{}]`, or remove `nat` where another machine is the router",
        address, network.key
    )));
}
