//! Whether armed machines could cost a cluster its quorum, or its whole state. Pure.

use std::collections::BTreeSet;

use crate::model::service::{CHAINFIRE, FLAREDB};
use crate::model::{Cluster, HostName, Node};

/// Says what the cluster loses when all `armed` nodes are installed at once; none where a majority of the voters remains.
///
/// A cluster that the inventory does not call formed may be formed all the same: then its bootstrap nodes hold its state.
#[must_use]
pub fn find_quorum_risk(cluster: &Cluster, armed: &BTreeSet<&str>) -> Option<String> {
    let is_armed = |name: &&str| armed.contains(name);
    if !cluster.formed {
        let voters: Vec<_> = cluster.bootstrap.iter().map(HostName::as_str).collect();
        return voters.iter().all(is_armed).then(|| {
            format!(
                "all bootstrap nodes would be armed at once ({}): right for the first installation, and the end of a \
                 cluster that is formed already",
                voters.join(", ")
            )
        });
    }
    [CHAINFIRE, FLAREDB].into_iter().find_map(|service| {
        let runs = |node: &&Node| node.services.iter().any(|one| one.name.as_str() == service);
        let voters: Vec<_> = cluster.nodes.iter().filter(runs).map(|node| node.name.as_str()).collect();
        let erased: Vec<_> = voters.iter().copied().filter(|name| is_armed(name)).collect();
        let needed = voters.len() / 2 + 1;
        (!erased.is_empty() && voters.len() - erased.len() < needed).then(|| {
            format!(
                "{} of the {} voters of {service} would be armed at once ({}), and the formed cluster needs {needed}",
                erased.len(),
                voters.len(),
                erased.join(", ")
            )
        })
    })
}
