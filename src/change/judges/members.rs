//! The members of the Raft groups: who forms the cluster, and where peers reach each other.

use serde_json::Value;

use crate::change::case::Case;
use crate::change::effect::{Effect, Flag};
use crate::change::finding::{Findings, Verdict};
use crate::model::service::CHAINFIRE;
use crate::model::{HostName, Word};

/// `bootstrap`: in a formed cluster the list alone adds and removes no member.
pub(in crate::change) fn voters(case: &Case<'_>, found: &mut Findings) {
    let (added, removed) = case.difference.list_changes();
    let names = |names: Vec<&Value>| -> Vec<HostName> {
        names.into_iter().filter_map(|name| HostName::parse(name.as_str()?).ok()).collect()
    };
    let is_pair =
        |name: &HostName| case.sides.old.node(name).is_some() && case.sides.new.node(name).is_some();
    let lists = [
        (names(added), "it is listed among the first voters: that alone adds no member to a formed cluster"),
        (
            names(removed),
            "it is no longer listed among the first voters: it stays a member until it is removed",
        ),
    ];
    for (names, text) in lists {
        for name in names.iter().filter(|name| is_pair(name)) {
            case.add_to(found, name, Verdict::new(Effect::File, text));
        }
    }
}

/// `raft_port` and `gossip_port` of a service.
pub(in crate::change) fn port(case: &Case<'_>, found: &mut Findings) {
    let service = case.last_name();
    let restart = Verdict::new(Effect::Restart, "members reach each other at another port").units([service]);
    case.add_to_node(found, restart);
    let text =
        format!("{service}: every member holds the old port of the others; change one member at a time");
    case.add_to_node(found, Verdict::new(Effect::Member, text).flag(Flag::Quorum));
}

/// The address of the Raft store, of a node that was a member.
pub(in crate::change) fn raft_address(case: &Case<'_>, found: &mut Findings) {
    let is_member = case.pair.is_some_and(|pair| pair.old.service(CHAINFIRE).is_some());
    let text =
        "its peers hold the old address of its Raft store: remove the member, switch, and let it join again";
    if is_member {
        case.add_to_node(found, Verdict::new(Effect::Member, text).flag(Flag::Quorum));
    } else {
        case.add_to_node(found, Verdict::new(Effect::File, "cluster-config.json has another address"));
    }
}
