//! What is done on one node, by all its consequences: the most severe one does not hide the others.

use std::collections::HashMap;

use crate::change::compare::Change;
use crate::change::effect::{Effect, Party};
use crate::change::finding::Consequence;
use crate::change::quorum::raft_services;
use crate::change::way::Way;
use crate::model::{Cluster, Node};

use super::install::list_install_steps;
use super::members;
use super::step::Step;

/// A node of the new cluster, and what happens to it.
pub(super) struct NodeWork<'a> {
    /// The machine in the old cluster; none for a new machine.
    old: Option<&'a Node>,
    /// The node in the new cluster.
    pub(super) new: &'a Node,
    /// The consequences for the node.
    found: Vec<&'a Consequence>,
    /// Whether the name of the new machine was that of another machine, which is renamed first.
    is_reused: bool,
}

impl<'a> NodeWork<'a> {
    /// Lists the nodes on which something is done.
    pub(super) fn list(change: &'a Change, old: &'a Cluster, new: &'a Cluster) -> Vec<Self> {
        let mut found = HashMap::<&str, Vec<&Consequence>>::new();
        for consequence in change.iter() {
            if let Party::Node(name) = &consequence.who {
                found.entry(name.as_str()).or_default().push(consequence);
            }
        }
        let formers: HashMap<&str, &str> =
            change.renamed.iter().map(|(old, new)| (new.as_str(), old.as_str())).collect();
        let mut work = |node: &'a Node| {
            let found = found.remove(node.name.as_str())?;
            let is_touched = found.iter().any(|found| found.effect > Effect::Nothing);
            let name = formers.get(node.name.as_str()).copied().unwrap_or(node.name.as_str());
            let is_added = change.added.iter().any(|added| added == node.name.as_str());
            let former = old.nodes.iter().find(|node| node.name.as_str() == name);
            let (old, is_reused) = (former.filter(|_| !is_added), is_added && former.is_some());
            is_touched.then_some(Self { old, new: node, found, is_reused })
        };
        new.nodes.iter().filter_map(&mut work).collect()
    }

    /// The place of the node among the others: nodes that do not vote go first, since what fails there costs no vote, then
    /// those of a rack one after the other. A member with another address is among the last: the others then know the new
    /// address (docs/network.md).
    pub(super) fn place(&self) -> (bool, bool, bool, bool, Option<String>, String) {
        let is_member = raft_services(self.old.unwrap_or(self.new)).next().is_some();
        let rack = self.new.rack.as_ref().map(ToString::to_string);
        (
            self.is_reused,
            self.has_way(Way::Rejoin),
            self.new.voter,
            is_member,
            rack,
            self.new.name.to_string(),
        )
    }

    /// Whether the machine was in the old cluster.
    pub(super) fn is_known(&self) -> bool {
        self.old.is_some()
    }

    /// Whether one of the effects has the way out `way`.
    pub(super) fn has_way(&self, way: Way) -> bool {
        self.found.iter().any(|found| found.way == way)
    }

    fn has_effect(&self, effect: Effect) -> bool {
        self.found.iter().any(|found| found.effect == effect)
    }

    /// Lists the steps of the node.
    pub(super) fn list_steps(&self, change: &Change, cluster: &Cluster) -> Vec<Step> {
        let left = self.old.map_or_else(Vec::new, |old| members::list_left(old, &self.found));
        let mut steps: Vec<Step> = self
            .old
            .and_then(|old| members::take_out(change, cluster, old, Some(&left)))
            .into_iter()
            .collect();
        if self.has_way(Way::Install) || self.has_effect(Effect::Install) {
            steps.extend(list_install_steps(self.new));
            steps.extend(self.wait());
            return steps;
        }
        if self.has_way(Way::MoveData) {
            steps.push(self.stop_services());
        }
        let by_hand = |way: Way| {
            let found = self.found.iter().filter(move |found| found.way == way);
            found.map(|found| Step::new(format!("by hand on {}: {}", self.new.name, found.text), []))
        };
        steps.extend(by_hand(Way::MoveData));
        steps.extend(by_hand(Way::Prepare));
        steps.push(self.switch(&left));
        if self.has_way(Way::Rejoin) {
            steps.extend(self.wait());
        }
        let tasks = self.found.iter().filter(|found| found.effect == Effect::Hands);
        steps.extend(tasks.map(|task| Step::new(format!("by hand on {}: {}", self.new.name, task.text), [])));
        steps
    }

    /// The step that stops the services whose data is moved.
    fn stop_services(&self) -> Step {
        let is_moved = |service: &str| {
            self.found.iter().any(|found| found.way == Way::MoveData && found.concerns(service))
        };
        let services = self.new.services.iter().map(|service| service.name.as_str());
        let services: Vec<_> = services.filter(|service| is_moved(service)).collect();
        let units: Vec<_> = services.iter().map(|service| format!("{service}.service")).collect();
        let command = format!("ssh root@{} systemctl stop {}", self.host_before(), units.join(" "));
        let title = format!("stop {} on {}, and nowhere else", services.join(" and "), self.new.name);
        Step::new(title, [command])
    }

    /// The step that switches or restarts the node, whose members have left the groups of `left`.
    fn switch(&self, left: &[&str]) -> Step {
        let name = &self.new.name;
        let (before, after) = (self.host_before(), self.host_after());
        let target = format!("--flake .#{name} --target-host root@{before}");
        let mut commands = Vec::new();
        let rejoins = self.has_way(Way::Rejoin) && !left.is_empty();
        if let Some(old) = self.old.filter(|_| rejoins) {
            commands.extend(members::move_data_away(old, left, &before));
        }
        let title = if self.has_effect(Effect::Reboot) {
            commands.push(format!("nixos-rebuild boot {target}"));
            commands.push(format!("ssh root@{before} systemctl reboot"));
            commands
                .push(format!("until ssh root@{after} systemctl is-system-running --wait; do sleep 5; done"));
            format!("restart {name} into its new configuration, and wait until it is healthy")
        } else {
            commands.push(format!("nixos-rebuild switch {target}"));
            if rejoins {
                commands.push(members::join_again(left, &after));
            }
            commands.push(format!("ssh root@{after} systemctl is-system-running --wait"));
            format!("switch {name}, and wait until it is healthy")
        };
        let is_restarted = self.found.iter().any(|found| found.effect >= Effect::Restart);
        if is_restarted && !rejoins {
            commands.extend(members::list_members(self.new, &after));
        }
        Step::new(title, commands)
    }

    /// The step that waits until the node is a member; none where it is none.
    fn wait(&self) -> Option<Step> {
        let services: Vec<_> = raft_services(self.new).collect();
        let title = format!("wait until {} list {} as a member", services.join(" and "), self.new.name);
        (!services.is_empty()).then(|| Step::new(title, members::list_members(self.new, &self.host_after())))
    }

    /// Where the node is reached before the switch. A name leads to the new address as soon as the zones are copied, and the
    /// machine has the old one.
    fn host_before(&self) -> String {
        find_host(self.old.unwrap_or(self.new), self.new)
    }

    /// Where the node is reached after the switch.
    fn host_after(&self) -> String {
        find_host(self.new, self.old.unwrap_or(self.new))
    }
}

/// Where `node` is reached: by its name if `other`, the node on the other side of the change, has that name and address too;
/// else by its address.
fn find_host(node: &Node, other: &Node) -> String {
    let address = |node: &Node| Some(node.home_interface()?.addresses.first()?.addr());
    if node.fqdn == other.fqdn && address(node) == address(other) {
        return node.fqdn.to_string();
    }
    address(node).map_or_else(|| node.fqdn.to_string(), |address| address.to_string())
}
