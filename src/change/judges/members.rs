//! The members of the Raft groups: who forms the cluster, and where peers reach each other.

use serde_json::Value;

use crate::change::case::Case;
use crate::change::effect::{Effect, Flag, Party};
use crate::change::finding::{Findings, Verdict};
use crate::change::quorum::raft_services;
use crate::change::way::Way;
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
    if case.difference.pattern.ends_with("raft_port") {
        let text = format!("its peers hold the old port of its Raft store: {REJOIN}");
        case.add_to_node(found, Verdict::new(Effect::Member, text).units([service]).way(Way::Rejoin));
    } else {
        case.add_to_node(
            found,
            Verdict::new(Effect::Restart, "members of two ports do not hear each other")
                .units([service])
                .flag(Flag::NotKnown),
        );
    }
}

/// The way to another address of a member: a member that was removed keeps out while it has the data of the cluster.
const REJOIN: &str = "remove the member, move its data away, switch, and let it join again";

/// `formed`: nodes look at it at their first boot only.
pub(in crate::change) fn formed(case: &Case<'_>, found: &mut Findings) {
    if case.sides.old.formed {
        let text = "the cluster counts as not formed: voters that are installed with empty disks may form a second cluster \
                    of the same name; write `formed = true` again where the cluster exists";
        case.add(found, Party::Operator, Verdict::new(Effect::Hands, text).flag(Flag::Quorum));
    } else {
        case.add(
            found,
            Party::Nobody,
            Verdict::new(Effect::Nothing, "nodes look at it at their first boot only"),
        );
    }
}

/// The address of the Raft store, of a node that was a member. Another port alone has its effects at the port.
pub(in crate::change) fn raft_address(case: &Case<'_>, found: &mut Findings) {
    let services: Vec<&str> = case.pair.into_iter().flat_map(|pair| raft_services(pair.old)).collect();
    let host = |value: &Option<Value>| {
        let text = value.as_ref().and_then(Value::as_str);
        text.and_then(|text| text.rsplit_once(':')).map(|(host, _)| host.to_owned())
    };
    let is_moved = host(&case.difference.old) != host(&case.difference.new);
    if is_moved && !services.is_empty() {
        let text = format!("its peers hold the old address of its Raft store: {REJOIN}");
        case.add_to_node(found, Verdict::new(Effect::Member, text).units(services).way(Way::Rejoin));
    } else {
        case.add_to_node(found, Verdict::new(Effect::File, "cluster-config.json has another address"));
    }
}
