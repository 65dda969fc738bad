//! Chapter D: VLANs, their numbers, and that each belongs to one network.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::diag::{Diagnostic, Report, Severity, Span};
use crate::model::Role;
use crate::resolve::{Draft, NetworkEntry};

use super::addresses::network_finder;

/// The VLANs that many switches reserve for FDDI and token ring.
const KEPT: std::ops::RangeInclusive<u16> = 1002..=1005;
/// The VLAN whose frames switches send without a tag by default.
const NATIVE: u16 = 1;

/// The VLAN of a network, with its place.
fn vlan(network: &NetworkEntry) -> Option<(u16, &Span)> {
    let vlan = network.value.vlan.as_ref()?;
    Some((vlan.value?, &vlan.span))
}

/// D07: a tagged interface has a VLAN, and switches do not treat that VLAN in a special way.
pub(super) fn d07(draft: &Draft<'_>, report: &mut Report) {
    for (vlan, span) in
        draft.networks.values().filter_map(|network| vlan(network)).filter(|vlan| KEPT.contains(&vlan.0))
    {
        let message = format!("VLAN {vlan} is one of 1002 to 1005, which many switches reserve");
        report.push(Diagnostic::warning("PG-D07", span, message).help("write another number"));
    }
    for interface in draft.nodes.iter().flat_map(|node| &node.interfaces) {
        let (Some(tagged), Some(network)) =
            (interface.tagged.filter(|tagged| tagged.value), interface.network)
        else {
            continue;
        };
        if network.value.vlan.is_none() {
            let message =
                format!("`{}` is tagged, but the network `{}` has no VLAN", interface.key, network.key);
            let fault =
                Diagnostic::error("PG-D07", &tagged.span, message).related(&network.span, "this network");
            report.push(fault.help("add `vlan = …` to the network"));
        } else if let Some((NATIVE, span)) = vlan(network) {
            let message =
                format!("`{}` is tagged with VLAN 1, which switches send without a tag", interface.key);
            let fault = Diagnostic::warning("PG-D07", &tagged.span, message).related(span, "the VLAN");
            report.push(fault.help(
                "write another number, or configure the switch to tag VLAN 1 and acknowledge it with \
                     `allow = [\"PG-D07\"]`",
            ));
        }
    }
}

/// D08: a VLAN belongs to one network. Racks behind different routers may each use the same number, which their
/// operator acknowledges; a machine in both networks is an error.
pub(super) fn d08(draft: &Draft<'_>, report: &mut Report) {
    let mut sharing = BTreeMap::<u16, Vec<(&NetworkEntry, &Span)>>::new();
    for network in draft.networks.values() {
        let Some((vlan, span)) = vlan(network) else { continue };
        sharing.entry(vlan).or_default().push((network, span));
    }
    sharing.retain(|_, networks| networks.len() > 1);
    if sharing.is_empty() {
        return;
    }
    let shared = places_of_shared_vlans(draft);
    for (vlan, mut networks) in sharing {
        networks.sort_by_key(|network| network.1.start);
        let (first, rest) = (networks[0], &networks[1..]);
        for (_, span) in rest {
            let severity = if shared.contains(&span.start) { Severity::Error } else { Severity::Warning };
            let message = format!("VLAN {vlan} already belongs to the network `{}`", first.0.key);
            let fault = Diagnostic { severity, ..Diagnostic::error("PG-D08", span, message) };
            report.push(fault.related(first.1, "first used here").help(if severity == Severity::Error {
                "write both subnets in one network, or give this network another VLAN"
            } else {
                "give this network another VLAN; where the two are separate, as in two racks, acknowledge it with \
                 `allow = [\"PG-D08\"]`"
            }));
        }
    }
}

/// The places of VLANs of which one machine is in two networks: these networks are not separate.
fn places_of_shared_vlans(draft: &Draft<'_>) -> HashSet<usize> {
    let managed = network_finder(draft, Role::Management);
    let mut shared = HashSet::new();
    for node in &draft.nodes {
        let bmc = node.entry.value.bmc.as_ref().and_then(|bmc| bmc.address.as_ref());
        let beside = bmc.and_then(|bmc| managed(bmc.value));
        let mut seen = HashMap::<u16, &Span>::new();
        for network in node.interfaces.iter().filter_map(|interface| interface.network).chain(beside) {
            let Some((vlan, span)) = vlan(network) else { continue };
            if let Some(other) = seen.insert(vlan, span).filter(|other| *other != span) {
                shared.extend([other.start, span.start]);
            }
        }
    }
    shared
}
