//! Which node of the new cluster is which machine of the old one: by its serial number, then its MAC address, then its name,
//! then one of its disks (rule J04). A machine with another name is not one that left and one that came, and another machine
//! under an old name has none of the data of the old one.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use crate::model::{DiskId, HostName, Node, SerialNumber};

use super::case::{Pair, Sides};

/// The nodes of two clusters, matched.
#[derive(Debug, Default)]
pub(super) struct MatchedNodes<'a> {
    /// The machines with one name in both clusters.
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
        let mut matching = Matching { sides, old_of: HashMap::new(), taken: HashSet::new() };
        matching.add_by(|node| node.serial.as_ref().map(SerialNumber::as_str));
        matching.add_by(|node| [node.mac]);
        matching.add_by(|node| [&node.name]);
        // Names that the kernel gives to disks are equal on several machines.
        matching.add_by(|node| node.disks.iter().filter(|disk| disk.is_stable()).map(DiskId::as_str));
        let mut matched = Self::default();
        for new in &sides.new.nodes {
            match matching.old_of.get(&new.name).copied() {
                Some(old) if old.name == new.name => matched.same.push(Pair { old, new }),
                Some(old) => matched.renamed.push(Pair { old, new }),
                None => matched.added.push(new),
            }
        }
        matched.removed =
            sides.old.nodes.iter().filter(|node| !matching.taken.contains(&node.name)).collect();
        matched
    }
}

/// The pairs that were found so far.
struct Matching<'a> {
    sides: Sides<'a>,
    /// The old node of each new one, by the new name.
    old_of: HashMap<&'a HostName, &'a Node>,
    /// The names of the old nodes that have a new one.
    taken: HashSet<&'a HostName>,
}

impl<'a> Matching<'a> {
    /// Matches nodes with a mark in common, of those that have no other node yet.
    fn add_by<M: Hash + Eq, I: IntoIterator<Item = M>>(&mut self, list_marks: impl Fn(&'a Node) -> I) {
        let mut marked = HashMap::<M, &'a Node>::new();
        for node in self.sides.old.nodes.iter().filter(|node| !self.taken.contains(&node.name)) {
            for mark in list_marks(node) {
                marked.insert(mark, node);
            }
        }
        for new in &self.sides.new.nodes {
            if self.old_of.contains_key(&new.name) {
                continue;
            }
            let mut known = list_marks(new).into_iter().filter_map(|mark| marked.get(&mark).copied());
            if let Some(old) = known.find(|old| !self.taken.contains(&old.name)) {
                self.taken.insert(&old.name);
                self.old_of.insert(&new.name, old);
            }
        }
    }
}

/// Whether another machine stands behind the name of `pair`: the serial numbers differ, or the MAC addresses where a serial
/// number is unknown. A disk in common, by a name that no other disk has, is the old machine's data in another chassis.
pub(super) fn is_replaced(pair: Pair<'_>) -> bool {
    let Pair { old, new } = pair;
    let is_another = match (&old.serial, &new.serial) {
        (Some(old), Some(new)) => old != new,
        _ => old.mac != new.mac,
    };
    let mut kept = new.disks.iter().filter(|disk| disk.is_stable() && old.disks.contains(disk));
    is_another && kept.next().is_none()
}
