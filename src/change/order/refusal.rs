//! Changes that no procedure carries out without losing the state of a Raft group.

use std::collections::HashMap;

use crate::change::compare::Change;
use crate::change::quorum::{Membership, list_memberships};
use crate::change::way::Way;
use crate::model::Cluster;

/// Finds why there is no procedure for `change` of the cluster `old`.
pub(super) fn find_refusal(change: &Change, old: &Cluster) -> Option<String> {
    if let Some(found) = change.iter().find(|found| found.way == Way::TakeBack) {
        return Some(format!("no procedure: {}; take the old value back", found.text));
    }
    let is_taken = |name: &str| old.nodes.iter().any(|node| node.name.as_str() == name);
    if let Some((was, name)) = change.renamed.iter().find(|(_, name)| is_taken(name)) {
        return Some(format!(
            "no procedure: the machine {was} is called {name}, and another machine still has that name in the cluster; remove \
             {name} from the inventory and from the cluster first, and commit that alone"
        ));
    }
    let renamed: HashMap<&str, &str> =
        change.renamed.iter().map(|(old, new)| (new.as_str(), old.as_str())).collect();
    let removed = list_memberships(old, &renamed, change.iter(), Way::removes_members);
    let lost: Vec<&Membership> = removed.iter().filter(|group| group.loses_majority()).collect();
    let first = lost.first()?;
    let services: Vec<_> = lost.iter().map(|group| group.service.as_str()).collect();
    Some(format!(
        "no procedure keeps the majority of {}: {} of {} members would leave it, {} of them of the {} that formed it. Split \
         the change: one member in each part, and the next part when the member is back and votes. If no machine is installed \
         yet, plasmagen render is all",
        services.join(" and "),
        first.touched.len(),
        first.members,
        first.touched_voters.len(),
        first.voters,
    ))
}
