//! The cluster's name, and the zones.

use crate::change::case::Case;
use crate::change::effect::{Effect, Flag, Party};
use crate::change::finding::{Findings, Verdict};
use crate::change::way::{Phase, Way};

/// `name` of the cluster.
pub(in crate::change) fn cluster_renamed(case: &Case<'_>, found: &mut Findings) {
    let (old, new) = (case.sides.old, case.sides.new);
    let verdict = if new.is_called(old.name.as_str()) {
        let text = "the cluster has another name; whether members accept that is the services' matter";
        Verdict::new(Effect::Restart, text).flag(Flag::NotKnown)
    } else {
        let text = "another cluster: nodes that have joined the old one do not join this one";
        Verdict::new(Effect::Data, text).way(Way::TakeBack)
    };
    for pair in case.sides.pairs() {
        case.add_to(found, &pair.new.name, verdict.clone().flag(Flag::Identity));
    }
}

/// A zone.
pub(in crate::change) fn zone(case: &Case<'_>, found: &mut Findings) {
    let zone = case.last_name();
    let difference = case.difference;
    let text = if difference.is_added() {
        case.add_task(
            found,
            Phase::AfterPublish,
            format!("delegate the new zone {zone}, and let secondary servers know of it"),
        );
        format!("the zone {zone} is new")
    } else if difference.is_removed() {
        format!("the zone {zone} goes away")
    } else {
        let (added, removed) = difference.list_changes();
        format!("{zone}: +{} −{} records; the serial number rises", added.len(), removed.len())
    };
    case.add(found, Party::NameServers, Verdict::new(Effect::Reload, text));
}
