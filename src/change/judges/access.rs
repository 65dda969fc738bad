//! Who may log in.

use ipnet::IpNet;

use crate::change::case::Case;
use crate::change::effect::{Effect, Flag};
use crate::change::finding::{Findings, Verdict};
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
    case.add_task(found, "installers admit the keys of their bundle: build and publish the bundles again");
}

/// `ssh_from`. The reload itself stands at the firewall.
pub(in crate::change) fn ssh_from(case: &Case<'_>, found: &mut Findings) {
    let (old, new) = (ssh_sources(case.sides.old), ssh_sources(case.sides.new));
    let is_open = |subnet: &IpNet| new.iter().any(|other| other.contains(subnet));
    let closed: Vec<_> = old.iter().filter(|subnet| !is_open(subnet)).map(ToString::to_string).collect();
    if closed.is_empty() {
        return;
    }
    let text = format!("SSH is closed to {}", closed.join(", "));
    let verdict = Verdict::new(Effect::Reload, text).flag(Flag::LockOut).units(["nftables"]);
    for pair in case.sides.pairs() {
        case.add_to(found, &pair.new.name, verdict.clone());
    }
}
