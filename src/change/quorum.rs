//! The members of each Raft group, and how many of them a change touches at once. The inventory's voters formed the groups;
//! every node that runs the service has joined since, and whether those vote is the service's matter. So a change must be safe
//! whether they vote or not.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use crate::model::{Cluster, Node};

use super::effect::{Flag, Party};
use super::finding::Consequence;
use super::way::Way;

/// The members of the Raft group of a service before a change, and those that the change touches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Membership {
    /// The name of the service.
    pub service: String,
    /// The number of members before the change.
    pub members: usize,
    /// The number of members that formed the group.
    pub voters: usize,
    /// The members that are taken away, erased, out of reach of their data, or given another address.
    pub touched: BTreeSet<String>,
    /// Those of the touched members that formed the group.
    pub touched_voters: BTreeSet<String>,
}

impl Membership {
    /// The number of members that a majority needs.
    #[must_use]
    pub fn majority(&self) -> usize {
        self.members / 2 + 1
    }

    /// The members that are left while the touched ones are away.
    #[must_use]
    pub fn left(&self) -> usize {
        self.members - self.touched.len()
    }

    /// Whether the majority is gone while all touched members are away: of the members, or of those that formed the group.
    #[must_use]
    pub fn loses_majority(&self) -> bool {
        let left = self.voters - self.touched_voters.len();
        !self.touched.is_empty()
            && (self.left() < self.majority() || (self.voters > 0 && left < self.voters / 2 + 1))
    }

    /// Whether the change, done at once, endangers the group: members are changed one at a time (rule G13).
    #[must_use]
    pub fn is_endangered(&self) -> bool {
        self.touched.len() > 1 || self.loses_majority()
    }
}

/// The names of the services with a Raft group that `node` runs.
pub(super) fn raft_services(node: &Node) -> impl Iterator<Item = &str> {
    let with_members = node.services.iter().filter(|service| service.ports.raft_port.is_some());
    with_members.map(|service| service.name.as_str())
}

/// Counts the members of `old`, and those that `consequences` touch whose ways out are `is_touching`, for each service.
/// `renamed` has the old name of each machine with a new one.
pub(super) fn list_memberships<'a>(
    old: &Cluster,
    renamed: &HashMap<&str, &str>,
    consequences: impl Iterator<Item = &'a Consequence>,
    is_touching: fn(Way) -> bool,
) -> Vec<Membership> {
    let touching: Vec<(&str, &Consequence)> = consequences
        .filter(|found| is_touching(found.way))
        .filter_map(|found| match &found.who {
            Party::Node(name) => Some((name.as_str(), found)),
            _ => None,
        })
        .collect();
    let services: BTreeSet<&str> = old.nodes.iter().flat_map(raft_services).collect();
    let count = |service: &str| {
        let members: HashMap<&str, bool> = old
            .nodes
            .iter()
            .filter(|node| raft_services(node).any(|name| name == service))
            .map(|node| (node.name.as_str(), node.voter))
            .collect();
        let find = |name: &str| members.get(renamed.get(name).copied().unwrap_or(name)).copied();
        let touched = touching.iter().filter(|(_, found)| found.concerns(service));
        let touched: Vec<(&str, bool)> = touched.filter_map(|(name, _)| Some((*name, find(name)?))).collect();
        let names = |only_voters: bool| {
            let names = touched.iter().filter(|(_, is_voter)| *is_voter || !only_voters);
            names.map(|(name, _)| (*name).to_owned()).collect()
        };
        Membership {
            service: service.to_owned(),
            members: members.len(),
            voters: members.values().filter(|is_voter| **is_voter).count(),
            touched: names(false),
            touched_voters: names(true),
        }
    };
    services.into_iter().map(count).collect()
}

/// Flags the consequences that endanger a group.
pub(super) fn flag_dangers(consequences: &mut [Vec<Consequence>], memberships: &[Membership]) {
    let endangered: Vec<_> = memberships.iter().filter(|membership| membership.is_endangered()).collect();
    for found in consequences.iter_mut().flatten().filter(|found| found.way.touches_members()) {
        let Party::Node(name) = &found.who else { continue };
        if endangered.iter().any(|group| group.touched.contains(name) && found.concerns(&group.service)) {
            found.flags.insert(Flag::Quorum);
        }
    }
}
