//! The members of the Raft group, and how many of them a change takes away at once. The inventory's voters formed the group;
//! every node that runs Chainfire has joined it since, and whether those vote is the service's matter. So all of them count.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde::Serialize;

use crate::model::Cluster;
use crate::model::service::CHAINFIRE;

use super::effect::{Effect, Party};
use super::finding::Consequence;

/// The members of the Raft group before a change, and those that it takes away or gives another identity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Membership {
    /// The number of members before the change.
    pub members: usize,
    /// The members that are taken away, erased or given another address.
    pub touched: BTreeSet<String>,
}

impl Membership {
    /// Counts the members of `old`, and those that `consequences` touch. `renamed` has the old name of each machine with a
    /// new one.
    #[must_use]
    pub fn new<'a>(
        old: &Cluster,
        renamed: &HashMap<&str, &str>,
        consequences: impl Iterator<Item = &'a Consequence>,
    ) -> Self {
        let members: HashSet<&str> = old
            .nodes
            .iter()
            .filter(|node| node.service(CHAINFIRE).is_some())
            .map(|node| node.name.as_str())
            .collect();
        let is_member = |name: &str| members.contains(renamed.get(name).copied().unwrap_or(name));
        let is_touched = |consequence: &&Consequence| consequence.effect >= Effect::Member;
        let names = consequences.filter(is_touched).filter_map(|consequence| match &consequence.who {
            Party::Node(name) => Some(name),
            _ => None,
        });
        let touched = names.filter(|name| is_member(name)).cloned().collect();
        Self { members: members.len(), touched }
    }

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

    /// Whether the change, done at once, takes the majority away.
    #[must_use]
    pub fn loses_majority(&self) -> bool {
        !self.touched.is_empty() && self.left() < self.majority()
    }
}
