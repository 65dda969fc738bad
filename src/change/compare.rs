//! The comparison of two clusters: differences, the table, and what follows for the members. Pure.

use std::collections::{BTreeMap, HashMap};

use anyhow::Context;
use serde::Serialize;
use serde_json::Value;

use crate::model::{Cluster, Node};

use super::case::{Case, Pair, Sides};
use super::derived::CommonFacts;
use super::difference::{Difference, Place, list_differences};
use super::effect::{Effect, Party};
use super::finding::{Consequence, Findings};
use super::identity::MatchedNodes;
use super::live::{LiveNode, RenderedFiles, list_drift};
use super::quorum::{Membership, flag_dangers, list_memberships};
use super::row::Row;
use super::site_facts::list_site_facts;
use super::table::index_rows;
use super::way::Way;

/// What a change of the inventory does.
#[derive(Clone, Debug)]
pub struct Change {
    /// The keys and derived facts that differ.
    pub differences: Vec<Difference>,
    /// The consequences: those of a party together, the most severe first.
    pub consequences: Vec<Vec<Consequence>>,
    /// The machines that have another name, each with the old and the new one.
    pub renamed: Vec<(String, String)>,
    /// The names of the nodes that are new.
    pub added: Vec<String>,
    /// The names of the nodes that are gone.
    pub removed: Vec<String>,
    /// The number of nodes before and after.
    pub nodes: [usize; 2],
    /// The members of each Raft group.
    pub memberships: Vec<Membership>,
}

impl Change {
    /// All consequences.
    pub fn iter(&self) -> impl Iterator<Item = &Consequence> {
        self.consequences.iter().flatten()
    }

    /// Whether the two clusters are equal.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.differences.is_empty()
    }

    /// The most severe effect on each node that is affected, by the name.
    #[must_use]
    pub fn effects(&self) -> BTreeMap<&str, Effect> {
        // The consequences of a party stand together, the most severe first.
        let firsts = self.consequences.iter().filter_map(|consequences| consequences.first());
        let of_nodes = firsts.filter_map(|found| match &found.who {
            Party::Node(node) => Some((node.as_str(), found.effect)),
            _ => None,
        });
        of_nodes.collect()
    }

    /// The most severe effect on the node called `name`.
    #[must_use]
    pub fn effect_on(&self, name: &str) -> Effect {
        self.effects().get(name).copied().unwrap_or(Effect::Nothing)
    }
}

/// Compares the clusters `old` and `new`.
///
/// # Errors
/// When a key has no row in the table, or a name cannot be certified: bugs of plasmagen.
pub fn compare(old: &Cluster, new: &Cluster) -> anyhow::Result<Change> {
    let sides = Sides { old, new };
    let nodes = MatchedNodes::new(sides);
    let mut judged =
        JudgedDifferences { sides, rows: index_rows(), found: Findings::default(), differences: Vec::new() };
    judged.compare_clusters()?;
    judged.compare_nodes(&nodes)?;
    let mut consequences = judged.found.finish();
    let renamed = nodes.renamed.iter().map(|pair| (pair.new.name.as_str(), pair.old.name.as_str())).collect();
    let memberships = list_memberships(old, &renamed, consequences.iter().flatten(), Way::touches_members);
    flag_dangers(&mut consequences, &memberships);
    let name = |node: &&crate::model::Node| node.name.to_string();
    Ok(Change {
        differences: judged.differences,
        consequences,
        renamed: nodes
            .renamed
            .iter()
            .map(|pair| (pair.old.name.to_string(), pair.new.name.to_string()))
            .collect(),
        added: nodes.added.iter().map(name).collect(),
        removed: nodes.removed.iter().map(name).collect(),
        nodes: [old.nodes.len(), new.nodes.len()],
        memberships,
    })
}

/// A node, what it runs, and what was rendered for it.
#[derive(Clone, Debug)]
pub struct DriftedNode<'a> {
    /// The node, as it was rendered.
    pub node: &'a Node,
    /// The facts that it runs with now.
    pub live: LiveNode,
    /// The digests of the files that were rendered for it.
    pub rendered: RenderedFiles,
}

/// Compares what nodes of `cluster` run with what was rendered for them: the change is what a switch to that does.
///
/// # Errors
/// When a key has no row in the table: a bug of plasmagen.
pub fn compare_live(cluster: &Cluster, found: &[DriftedNode<'_>]) -> anyhow::Result<Change> {
    let sides = Sides { old: cluster, new: cluster };
    let mut judged =
        JudgedDifferences { sides, rows: index_rows(), found: Findings::default(), differences: Vec::new() };
    for DriftedNode { node, live, rendered } in found {
        let pair = Pair { old: node, new: node };
        judged.judge(list_drift(cluster, node, live, rendered), Some(pair))?;
    }
    Ok(Change {
        differences: judged.differences,
        consequences: judged.found.finish(),
        renamed: Vec::new(),
        added: Vec::new(),
        removed: Vec::new(),
        nodes: [cluster.nodes.len(); 2],
        memberships: Vec::new(),
    })
}

/// The differences that were found, and what the table says of them.
struct JudgedDifferences<'a> {
    sides: Sides<'a>,
    rows: HashMap<&'static str, &'static Row>,
    found: Findings,
    differences: Vec<Difference>,
}

impl<'a> JudgedDifferences<'a> {
    /// Compares everything but the nodes.
    fn compare_clusters(&mut self) -> anyhow::Result<()> {
        let mut found = Vec::new();
        let [old, new] = [self.sides.old, self.sides.new].map(without_nodes);
        list_differences(&Place::default(), &old?, &new?, &mut found);
        list_site_facts(self.sides, &mut found)?;
        self.judge(found, None)
    }

    fn compare_nodes(&mut self, nodes: &MatchedNodes<'a>) -> anyhow::Result<()> {
        let common = CommonFacts::new(self.sides);
        for pair in &nodes.same {
            let mut found = Vec::new();
            list_node_differences(*pair, &mut found)?;
            common.list_of_node(*pair, &mut found)?;
            self.judge(found, Some(*pair))?;
        }
        for pair in &nodes.renamed {
            let mut found = Vec::new();
            list_node_differences(*pair, &mut found)?;
            self.judge(found, Some(*pair))?;
        }
        for node in &nodes.added {
            let place = Place::entry("nodes", node.name.as_str());
            self.judge(vec![place.differs(None, Some(node.profile.as_str().into()))], None)?;
        }
        for node in &nodes.removed {
            let place = Place::entry("nodes", node.name.as_str());
            self.judge(vec![place.differs(Some(node.profile.as_str().into()), None)], None)?;
        }
        Ok(())
    }

    /// Asks the table about `differences`, which are of `pair` where there is one.
    fn judge(&mut self, differences: Vec<Difference>, pair: Option<Pair<'a>>) -> anyhow::Result<()> {
        for difference in differences {
            let row = self.rows.get(difference.pattern.as_str());
            let row = row
                .with_context(|| format!("the key {} has no row: a bug of plasmagen", difference.pattern))?;
            let case = Case { difference: &difference, sides: self.sides, pair };
            row.apply(&case, &mut self.found);
            self.differences.push(difference);
        }
        Ok(())
    }
}

/// Lists the keys of a node whose values differ.
fn list_node_differences(pair: Pair<'_>, found: &mut Vec<Difference>) -> anyhow::Result<()> {
    // Most changes leave most nodes alone.
    if pair.old == pair.new {
        return Ok(());
    }
    let place = Place::entry("nodes", pair.new.name.as_str());
    list_differences(&place, &to_value(pair.old)?, &to_value(pair.new)?, found);
    Ok(())
}

/// The keys of the cluster besides its nodes.
fn without_nodes(cluster: &Cluster) -> anyhow::Result<Value> {
    // Nodes are most of a cluster, and are compared one by one.
    to_value(&cluster.without_nodes())
}

fn to_value(part: &impl Serialize) -> anyhow::Result<Value> {
    serde_json::to_value(part).context("a bug of plasmagen: the model is not JSON")
}
