//! Networks: what DHCP hands out, and what stands in switches and routers.

use crate::change::case::{Case, DHCP_SERVER};
use crate::change::effect::{Effect, Party};
use crate::change::finding::{Findings, Verdict};
use crate::change::way::Phase;
use crate::model::{Cluster, Network, Role, Word};

/// The network in the key, in `cluster`.
fn find<'a>(case: &Case<'_>, cluster: &'a Cluster) -> Option<&'a Network> {
    cluster.networks.get(&crate::model::Label::parse(case.last_name()).ok()?)
}

/// Whether DHCP serves the network, before or after the change.
fn is_served(case: &Case<'_>) -> bool {
    let sides = [case.sides.old, case.sides.new];
    sides.into_iter().filter_map(|side| find(case, side)).any(|network| network.is(Role::Provisioning))
}

/// Adds the effect on the DHCP server, if it serves the network.
fn add_dhcp(case: &Case<'_>, found: &mut Findings, text: &'static str) {
    if is_served(case) {
        case.add(found, Party::Provisioner, Verdict::new(Effect::Restart, text).units([DHCP_SERVER]));
    }
}

/// A network that comes or goes.
pub(in crate::change) fn network(case: &Case<'_>, found: &mut Findings) {
    let name = case.last_name();
    add_dhcp(case, found, "the DHCP server serves a boot network more or less");
    let (phase, text) = if case.difference.is_added() {
        let text = format!(
            "the network {name} is new: its VLAN at the switches, its router, and in a boot network a DHCP relay"
        );
        (Phase::Before, text)
    } else {
        (Phase::Last, format!("the network {name} is gone: remove it from switches and routers"))
    };
    case.add_task(found, phase, text);
}

/// `roles`.
pub(in crate::change) fn roles(case: &Case<'_>, found: &mut Findings) {
    add_dhcp(case, found, "the DHCP server serves a boot network more or less");
}

/// `vlan`.
pub(in crate::change) fn vlan(case: &Case<'_>, found: &mut Findings) {
    case.add_task(
        found,
        Phase::Before,
        format!("the switches carry the network {} in the other VLAN first", case.last_name()),
    );
}

/// `subnet` and `subnet6`.
pub(in crate::change) fn subnet(case: &Case<'_>, found: &mut Findings) {
    add_dhcp(case, found, "the DHCP server serves another subnet");
    let name = case.last_name();
    let task = format!(
        "the router of {name} has an address in the new subnet first; the CA must be allowed to vouch for it (plasmagen \
         explain PG-H09)"
    );
    case.add_task(found, Phase::Before, task);
}

/// `gateway` and `gateway6`.
pub(in crate::change) fn gateway(case: &Case<'_>, found: &mut Findings) {
    add_dhcp(case, found, "machines that boot are told another router");
    case.add_task(
        found,
        Phase::Before,
        format!("the router of {} has the new address first", case.last_name()),
    );
}

/// `dns` and `domain`.
pub(in crate::change) fn options(case: &Case<'_>, found: &mut Findings) {
    add_dhcp(case, found, "machines that boot are told other name servers or another domain");
}

/// `pool` and `pool6`.
pub(in crate::change) fn pool(case: &Case<'_>, found: &mut Findings) {
    add_dhcp(case, found, "machines that boot get leases of another pool; old leases end by themselves");
}
