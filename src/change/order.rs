//! The order in which a change is carried out: what is done by hand, files, provisioner and zones, members that leave, machines
//! that are installed, machines that go on. Each step has the commands that do it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::{Cluster, Node};

use super::compare::Change;
use super::effect::{Effect, Party};

/// A step of the procedure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What is done.
    pub title: String,
    /// The command lines, in their order.
    pub commands: Vec<String>,
}

impl Step {
    fn new(title: impl Into<String>, commands: impl IntoIterator<Item = String>) -> Self {
        Self { title: title.into(), commands: commands.into_iter().collect() }
    }
}

/// Lists the steps that carry out `change`, which ends in the cluster `new`.
#[must_use]
pub fn list_steps(change: &Change, new: &Cluster) -> Vec<Step> {
    if change.is_empty() {
        return Vec::new();
    }
    let effects = change.effects();
    let effect_on = |node: &Node| effects.get(node.name.as_str()).copied().unwrap_or(Effect::Nothing);
    let mut steps = Vec::new();
    let of = |who: Party| change.iter().filter(move |found| found.who == who);
    steps.extend(of(Party::Operator).map(|task| Step::new(format!("by hand: {}", task.text), [])));
    steps.push(Step::new("write the files, look at them, and commit them", [render_command(&effects, new)]));
    add_servers(change, &mut steps);
    let renamed =
        |name: &String| change.renamed.iter().find(|(_, new)| new == name).map(|(old, _)| old.clone());
    for name in &change.membership.touched {
        let title = format!(
            "remove {} from Chainfire and FlareDB, and wait until the other members agree (docs/first-boot.md)",
            renamed(name).unwrap_or_else(|| name.clone())
        );
        steps.push(Step::new(title, []));
    }
    for name in &change.removed {
        steps.push(Step::new(format!("switch {name} off; erase its disks, or keep them safe"), []));
    }
    let mut nodes: Vec<(&Node, Effect)> = new.nodes.iter().map(|node| (node, effect_on(node))).collect();
    nodes.retain(|(_, effect)| *effect > Effect::Nothing);
    // Machines that do not vote go first: what fails there costs no vote. Machines of a rack go one after the other.
    // A member with another address is last: the others then know the new address (docs/network.md).
    nodes.sort_by_key(|(node, effect)| {
        (*effect == Effect::Member, Reverse(*effect), node.voter, node.rack.clone(), node.name.clone())
    });
    steps.extend(nodes.iter().flat_map(|(node, effect)| list_node_steps(node, *effect)));
    steps.push(Step::new("look whether all is well", ["plasmagen certs status".to_owned()]));
    steps
}

/// The command that writes the files: it lets the names on disks change of the nodes that are installed anew (rule PG-J05).
fn render_command(effects: &BTreeMap<&str, Effect>, new: &Cluster) -> String {
    let is_installed_anew =
        |node: &&Node| effects.get(node.name.as_str()).is_some_and(|effect| *effect >= Effect::Reinstall);
    let names: Vec<_> = new.nodes.iter().filter(is_installed_anew).map(|node| node.name.as_str()).collect();
    if names.is_empty() {
        "plasmagen render".to_owned()
    } else {
        format!("plasmagen render --install-anew {}", names.join(","))
    }
}

/// Adds the steps of the provisioner and of the name servers.
fn add_servers(change: &Change, steps: &mut Vec<Step>) {
    let of = |who: &Party| change.iter().filter(|found| found.who == *who).map(|found| found.effect).max();
    if let Some(effect) = of(&Party::Provisioner) {
        steps.push(Step::new("give the web root what machines boot from", ["plasmagen publish".to_owned()]));
        if effect >= Effect::Reload {
            steps.push(Step::new("bring the servers of the provisioner up to date (docs/pxe-server.md)", []));
        }
    }
    if of(&Party::NameServers).is_some() {
        let title = "copy site/dns/ to the name servers";
        steps.push(Step::new(title, ["rndc reload".to_owned()]));
    }
}

/// Lists the steps of a node, by its most severe effect.
fn list_node_steps(node: &Node, effect: Effect) -> Vec<Step> {
    let (name, fqdn) = (&node.name, &node.fqdn);
    let target = format!("--flake .#{name} --target-host root@{fqdn}");
    let address = node.reservation().and_then(|reservation| reservation.address);
    let installer = address.map_or_else(|| fqdn.to_string(), |address| address.to_string());
    match effect {
        Effect::Data | Effect::Reinstall | Effect::Install => vec![Step::new(
            format!("install {name}"),
            [
                format!("plasmagen arm {name}"),
                format!("plasmagen secrets stage {name} --to /run/stage-{name}"),
                format!("nixos-anywhere --flake .#{name} --extra-files /run/stage-{name} root@{installer}"),
                format!("plasmagen disarm {name}"),
            ],
        )],
        Effect::Unbootable => {
            vec![Step::new(format!("do not switch {name} before its disks are as the inventory says"), [])]
        }
        Effect::Reboot => vec![Step::new(
            format!("restart {name} into its new configuration"),
            [format!("nixos-rebuild boot {target}"), format!("ssh root@{fqdn} reboot")],
        )],
        _ => vec![Step::new(
            format!("switch {name}, and wait until it is healthy"),
            [format!("nixos-rebuild switch {target}"), format!("ssh root@{fqdn} systemctl --failed")],
        )],
    }
}
