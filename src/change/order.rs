//! The order in which a change is carried out, in phases: what comes first by hand, files, provisioner and zones, members that
//! leave for good, the nodes one after the other, what is left to do by hand. A member that is taken out is back before the
//! next one is taken out. A change that would take a majority out, even one by one, has no procedure.

mod install;
mod members;
mod node;
mod refusal;
mod step;

use serde::Serialize;

use crate::model::Cluster;

pub use install::install_commands;
pub use step::Step;

use super::compare::Change;
use super::effect::{Effect, Party};
use super::way::{Phase, Way};
use node::NodeWork;

/// How a change is carried out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Procedure {
    /// The steps; none where nothing is to be done, or no procedure is known.
    pub steps: Vec<Step>,
    /// Why there is no procedure, and what to do instead.
    pub refusal: Option<String>,
}

/// Plans how to carry out `change`, which leads from the cluster `old` to `new`.
#[must_use]
pub fn plan_procedure(change: &Change, old: &Cluster, new: &Cluster) -> Procedure {
    if change.is_empty() {
        return Procedure::default();
    }
    if let Some(refusal) = refusal::find_refusal(change, old) {
        return Procedure { steps: Vec::new(), refusal: Some(refusal) };
    }
    let mut works = NodeWork::list(change, old, new);
    works.sort_by_key(NodeWork::place);
    let tasks = |phase: Phase| {
        let tasks = change.iter().filter(move |found| found.who == Party::Operator && found.phase == phase);
        tasks.map(|task| Step::new(format!("by hand: {}", task.text), []))
    };
    let mut steps: Vec<Step> = tasks(Phase::Before).collect();
    steps.push(Step::new(
        "write the files, look at them, and commit them; plasmagen diff --order --since HEAD~1 then prints this list again",
        [render_command(&works)],
    ));
    steps.extend(tasks(Phase::AfterRender));
    add_servers(change, &mut steps);
    steps.extend(tasks(Phase::AfterPublish));
    for name in &change.removed {
        let node = old.nodes.iter().find(|node| node.name.as_str() == name);
        steps.extend(node.and_then(|node| members::take_out(change, old, node, None)));
    }
    steps.extend(tasks(Phase::AtNodes));
    steps.extend(works.iter().flat_map(|work| work.list_steps(change, old)));
    steps.extend(tasks(Phase::Last));
    steps.push(Step::new("look whether all is well", ["plasmagen certs status".to_owned()]));
    Procedure { steps, refusal: None }
}

/// The command that writes the files: it lets the names on disks change of the nodes that are installed anew (rule PG-J05).
fn render_command(works: &[NodeWork<'_>]) -> String {
    let mut names: Vec<_> = works
        .iter()
        .filter(|work| work.is_known() && work.has_way(Way::Install))
        .map(|work| work.new.name.as_str())
        .collect();
    names.sort_unstable();
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
