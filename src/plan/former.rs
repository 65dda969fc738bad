//! The cluster as it was rendered last, read from the files beside the inventory: who was to form it, who its voters
//! are, and which names the disks of its nodes have.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use rayon::prelude::*;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::fs::{LIST_LIMIT, read_input};
use crate::model::{Cluster, Labels};

/// The cluster as it was rendered last, as far as rules look at it. The default is a cluster that was never rendered.
#[derive(Clone, Debug, Default)]
pub struct FormerCluster {
    /// Whether the cluster was formed.
    pub formed: bool,
    /// The names of the nodes that were to form the cluster: by their `cluster-config.json`, else the voters.
    pub founders: BTreeSet<String>,
    /// The voters, in the order of `bootstrap`.
    pub voters: Vec<FormerVoter>,
    /// All nodes.
    pub nodes: Vec<FormerNode>,
}

/// A node of the cluster as it was rendered last.
#[derive(Clone, Debug)]
pub struct FormerNode {
    /// The name of the node.
    pub name: String,
    /// The disks that the node's layout used.
    pub disks: Vec<String>,
    /// Whose name the names on the disks held.
    pub labels: Labels,
}

/// A voter of the cluster as it was rendered last.
#[derive(Clone, Debug)]
pub struct FormerVoter {
    /// The name of the node.
    pub name: String,
    /// The serial number of the machine, if it was known.
    pub serial: Option<String>,
}

/// The keys of `cluster-config.json` that are read here.
#[derive(Deserialize)]
struct ClusterConfig {
    node_id: String,
    cluster_name: String,
    bootstrap: bool,
}

/// The keys of `site/inventory.json` that are read here.
#[derive(Deserialize)]
struct ResolvedInventory {
    name: String,
    formed: bool,
    bootstrap: Vec<String>,
    nodes: Vec<ResolvedNode>,
}

#[derive(Deserialize)]
struct ResolvedNode {
    name: String,
    serial: Option<String>,
    #[serde(default)]
    disks: Vec<String>,
    layout: Option<ResolvedLayout>,
}

#[derive(Deserialize)]
struct ResolvedLayout {
    /// The word for [`Labels`], which versions that wrote no node's name onto disks did not resolve.
    labels: Option<String>,
}

impl From<ResolvedNode> for FormerNode {
    fn from(node: ResolvedNode) -> Self {
        let labels = node.layout.and_then(|layout| layout.labels);
        let has_node = labels.is_some_and(|labels| labels == "node");
        let labels = if has_node { Labels::Node } else { Labels::Disk };
        Self { name: node.name, disks: node.disks, labels }
    }
}

impl FormerCluster {
    /// Reads what `nodes/` and `site/` in `root` say of `cluster`, under any of its names. Files that are missing, unreadable or of another
    /// cluster say nothing: whether these files are what they should be is for `render` to compare.
    #[must_use]
    pub fn gather(root: &Path, cluster: &Cluster) -> Self {
        let mut former = Self::default();
        let resolved: Option<ResolvedInventory> = read(&root.join("site/inventory.json"));
        if let Some(resolved) = resolved.filter(|resolved| cluster.is_called(&resolved.name)) {
            former.formed = resolved.formed;
            for voter in resolved.bootstrap {
                let node = resolved.nodes.iter().find(|node| node.name == voter);
                let serial = node.and_then(|node| node.serial.clone());
                former.voters.push(FormerVoter { name: voter, serial });
            }
            former.nodes = resolved.nodes.into_iter().map(FormerNode::from).collect();
        }
        let dirs = fs::read_dir(root.join("nodes")).into_iter().flatten().filter_map(Result::ok);
        let dirs: Vec<_> = dirs.map(|dir| dir.path()).collect();
        let configs =
            dirs.par_iter().filter_map(|dir| read::<ClusterConfig>(&dir.join("cluster-config.json")));
        let founders = configs.filter(|config| config.bootstrap && cluster.is_called(&config.cluster_name));
        former.founders = founders.map(|config| config.node_id).collect();
        if former.founders.is_empty() {
            former.founders = former.voters.iter().map(|voter| voter.name.clone()).collect();
        }
        former
    }
}

/// Reads the JSON file at `path`, which must be a regular file.
fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&read_input(path, LIST_LIMIT).ok()?).ok()
}
