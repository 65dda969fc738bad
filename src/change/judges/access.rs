//! Who may log in.

use ipnet::IpNet;
use serde_json::Value;

use crate::change::case::Case;
use crate::change::effect::{Effect, Flag};
use crate::change::finding::{Findings, Verdict};
use crate::change::way::Phase;
use crate::model::ssh_sources;

/// `admin_keys`.
pub(in crate::change) fn admin_keys(case: &Case<'_>, found: &mut Findings) {
    let (added, removed) = case.difference.list_changes();
    let stays = case.sides.new.admin_keys.iter().any(|key| case.sides.old.admin_keys.contains(key));
    let text = match (added.len(), removed.len()) {
        (_, 0) => "further keys log in from the next login on",
        (_, _) if stays => "removed keys log in no more; sessions that are open stay",
        _ => "no old key logs in any more: somebody must hold a new one before the switch",
    };
    let verdict = Verdict::new(Effect::File, text).flag_if(!stays, Flag::LockOut);
    for pair in case.sides.pairs() {
        case.add_to(found, &pair.new.name, verdict.clone());
    }
    case.add_task(
        found,
        Phase::AfterRender,
        "installers admit the keys of their bundle: build and publish the bundles again",
    );
}

/// The firewall of a node. Where the inventory writes no `ssh_from`, the subnets from which SSH is open follow from the
/// networks: so the lines of the firewall tell whether a way in is closed, and no key does.
pub(in crate::change) fn firewall(case: &Case<'_>, found: &mut Findings) {
    let reload = Verdict::new(Effect::Reload, "firewall.nft has other rules; open connections stay");
    case.add_to_node(found, reload.units(["nftables"]));
    let (_, removed) = case.difference.list_changes();
    let subnet = |line: &&Value| line.as_str()?.strip_prefix("ssh from ")?.parse::<IpNet>().ok();
    let removed: Vec<IpNet> = removed.iter().filter_map(subnet).collect();
    if removed.is_empty() {
        return;
    }
    let open = ssh_sources(case.sides.new);
    let is_open = |subnet: &IpNet| open.iter().any(|other| other.contains(subnet));
    let closed: Vec<_> = removed.iter().filter(|subnet| !is_open(subnet)).map(ToString::to_string).collect();
    if !closed.is_empty() {
        let text = format!("SSH is closed to {}", closed.join(", "));
        let verdict = Verdict::new(Effect::Reload, text).flag(Flag::LockOut).units(["nftables"]);
        case.add_to_node(found, verdict);
    }
}
