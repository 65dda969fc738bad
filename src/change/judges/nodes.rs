//! Nodes that come and go.

use crate::change::case::{Case, DHCP_SERVER};
use crate::change::effect::{Effect, Flag, Party};
use crate::change::finding::{Findings, Verdict};
use crate::change::quorum::raft_services;
use crate::change::way::{Phase, Way};

/// A node that is new, or gone.
pub(in crate::change) fn node(case: &Case<'_>, found: &mut Findings) {
    let name = case.last_name();
    let (side, is_new) =
        if case.difference.is_added() { (case.sides.new, true) } else { (case.sides.old, false) };
    let node = side.nodes.iter().find(|node| node.name.as_str() == name);
    let services: Vec<&str> = node.into_iter().flat_map(raft_services).collect();
    if is_new {
        let text = "a new machine: its installation erases its disks";
        case.add_to_node(found, Verdict::new(Effect::Install, text).flag(Flag::Certificate));
        if !services.is_empty() {
            let text = format!("it joins {}: one member more", services.join(" and "));
            case.add_to_node(found, Verdict::new(Effect::Member, text));
        }
    } else {
        let text =
            "the node is gone from the inventory: whoever keeps its disks keeps its data and its private key";
        case.add_to_node(found, Verdict::new(Effect::Data, text).flag(Flag::Identity).way(Way::Leave));
        let task = format!(
            "switch {name} off, and erase its disks or keep them safe; its certificate is revoked by render"
        );
        case.add_task(found, Phase::Last, task);
    }
    let servers = Verdict::new(
        Effect::File,
        "publish: boot scripts and overlays, which machines load at their next network boot",
    );
    case.add(found, Party::Provisioner, servers);
}

/// The reservations of BMCs.
pub(in crate::change) fn bmc(case: &Case<'_>, found: &mut Findings) {
    let [old, new] = [case.sides.old, case.sides.new].map(|side| side.bmc_reservations().collect::<Vec<_>>());
    if old != new {
        let verdict = Verdict::new(Effect::Restart, "the DHCP server keeps addresses for other BMCs");
        case.add(found, Party::Provisioner, verdict.units([DHCP_SERVER]));
    }
}
