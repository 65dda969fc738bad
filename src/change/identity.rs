//! Which node of the new cluster is which machine of the old one: by its name, else by its serial number, its MAC address or
//! one of its disks (rule J04). A renamed machine is not one that left and one that came.

use std::collections::{HashMap, HashSet};

use crate::model::{Cluster, HostName, Node};

use super::case::{Pair, Sides};

/// The nodes of two clusters, matched.
#[derive(Debug, Default)]
pub(super) struct MatchedNodes<'a> {
    /// The nodes with one name in both clusters.
    pub(super) same: Vec<Pair<'a>>,
    /// The machines with another name.
    pub(super) renamed: Vec<Pair<'a>>,
    /// The nodes of the new cluster that are no machine of the old one.
    pub(super) added: Vec<&'a Node>,
    /// The nodes of the old cluster that are no machine of the new one.
    pub(super) removed: Vec<&'a Node>,
}

impl<'a> MatchedNodes<'a> {
    /// Matches the nodes of `sides`.
    #[must_use]
    pub(super) fn new(sides: Sides<'a>) -> Self {
        let same: Vec<Pair<'a>> = sides.pairs().collect();
        let left: Vec<&Node> = list_others(sides.old, sides.new).collect();
        let machines: HashMap<String, &'a Node> =
            left.iter().flat_map(|node| list_marks(node).map(|mark| (mark, *node))).collect();
        let mut matched = Self { same, ..Self::default() };
        let mut taken = HashSet::<&HostName>::new();
        for new in list_others(sides.new, sides.old) {
            let old = list_marks(new).find_map(|mark| machines.get(&mark).copied());
            match old.filter(|old| taken.insert(&old.name)) {
                Some(old) => matched.renamed.push(Pair { old, new }),
                None => matched.added.push(new),
            }
        }
        matched.removed = left.into_iter().filter(|node| !taken.contains(&node.name)).collect();
        matched
    }
}

/// The nodes of `one` whose names `other` lacks.
fn list_others<'a>(one: &'a Cluster, other: &'a Cluster) -> impl Iterator<Item = &'a Node> {
    one.nodes.iter().filter(|node| other.node(&node.name).is_none())
}

/// What tells the machine of `node` from others, the surest first. Names that the kernel gives to disks are equal on several
/// machines.
fn list_marks(node: &Node) -> impl Iterator<Item = String> {
    let serial = node.serial.iter().map(|serial| format!("serial {}", serial.as_str()));
    let disks =
        node.disks.iter().filter(|disk| disk.is_stable()).map(|disk| format!("disk {}", disk.as_str()));
    serial.chain([format!("mac {}", node.mac)]).chain(disks)
}
