//! The cluster as it was rendered last, read from the files beside the inventory: who was to form it, who its voters
//! are, and which names the disks of its nodes have.

mod disks;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context, Result};
use rayon::prelude::*;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::fs::{LIST_LIMIT, read_input};
use crate::model::Cluster;

use disks::ResolvedNode;
pub use disks::{FormerNode, list_volumes};

/// The cluster as it was rendered last, as far as rules look at it. The default is a cluster that was never rendered.
#[derive(Clone, Debug, Default)]
pub struct FormerCluster {
    /// Whether the cluster was formed.
    pub formed: bool,
    /// The names of the nodes that were to form the cluster: by their `cluster-config.json`, else the voters.
    pub founders: BTreeSet<String>,
    /// The voters, in the order of `bootstrap`.
    pub voters: Vec<FormerVoter>,
    /// The admin keys, each a line with type, key and comment.
    pub admin_keys: Vec<String>,
    /// All nodes, of this cluster or another that was rendered here.
    pub nodes: Vec<FormerNode>,
    /// Why a file that says how the disks of nodes were divided cannot be read; none where all can, or there is none.
    pub unreadable: Option<String>,
    /// The names of nodes whose `disko.nix` divides the disks in another way than `site/inventory.json` says.
    pub contradicted: BTreeSet<String>,
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
    #[serde(default)]
    admin_keys: Vec<String>,
    nodes: Vec<ResolvedNode>,
}

impl FormerCluster {
    /// Reads what `nodes/` and `site/` in `root` say of `cluster`, under any of its names. Files that are missing or of
    /// another cluster say nothing of voters: whether these files are what they should be is for `render` to compare.
    #[must_use]
    pub fn gather(root: &Path, cluster: &Cluster) -> Self {
        let mut former = Self::default();
        match read_if_present::<ResolvedInventory>(&root.join(RESOLVED)) {
            Err(why) => former.unreadable = Some(format!("{RESOLVED} cannot be read: {why:#}")),
            Ok(None) => {}
            Ok(Some(resolved)) => {
                if cluster.is_called(&resolved.name) {
                    former.formed = resolved.formed;
                    former.admin_keys = resolved.admin_keys;
                    for voter in resolved.bootstrap {
                        let node = resolved.nodes.iter().find(|node| node.name == voter);
                        let serial = node.and_then(|node| node.serial.clone());
                        former.voters.push(FormerVoter { name: voter, serial });
                    }
                }
                former.nodes = resolved.nodes.into_iter().map(FormerNode::from).collect();
            }
        }
        let dirs = fs::read_dir(root.join("nodes")).into_iter().flatten().filter_map(Result::ok);
        let dirs: Vec<_> = dirs.map(|dir| dir.path()).collect();
        former.read_layouts(&dirs);
        let configs =
            dirs.par_iter().filter_map(|dir| read::<ClusterConfig>(&dir.join("cluster-config.json")));
        let founders = configs.filter(|config| config.bootstrap && cluster.is_called(&config.cluster_name));
        former.founders = founders.map(|config| config.node_id).collect();
        if former.founders.is_empty() {
            former.founders = former.voters.iter().map(|voter| voter.name.clone()).collect();
        }
        former
    }

    /// Reads the `disko.nix` in each of `dirs`, the directories of nodes: it describes a node that is not known yet, and
    /// contradicts a known one. After a merge, the two files may be of two commits.
    fn read_layouts(&mut self, dirs: &[PathBuf]) {
        let known: HashMap<&str, &FormerNode> =
            self.nodes.iter().map(|node| (node.name.as_str(), node)).collect();
        let read = |dir: &PathBuf| {
            let fqdn = dir.file_name()?.to_str()?;
            let name = fqdn.split('.').next()?;
            let text = read_bytes(&dir.join("disko.nix")).transpose()?;
            let node = text.and_then(|text| FormerNode::from_disko(name, std::str::from_utf8(&text)?));
            match known.get(name) {
                None => Some(node.map_err(|why| format!("nodes/{fqdn}/disko.nix cannot be read: {why:#}"))),
                // A file that is not as plasmagen writes it was edited: `render` says so.
                Some(known) => node.ok().filter(|node| !known.has_equal_disks(node)).map(Ok),
            }
        };
        let mut found: Vec<_> = dirs.par_iter().filter_map(read).collect();
        found.sort_by(|one, other| one.as_ref().err().cmp(&other.as_ref().err()));
        let known: BTreeSet<String> = self.nodes.iter().map(|node| node.name.clone()).collect();
        for node in found {
            match node {
                Ok(node) if known.contains(&node.name) => {
                    self.contradicted.insert(node.name);
                }
                Ok(node) => self.nodes.push(node),
                Err(why) => {
                    self.unreadable.get_or_insert(why);
                }
            }
        }
    }
}

/// The resolved inventory that was rendered last.
const RESOLVED: &str = "site/inventory.json";

/// Reads the file at `path`, which must be a regular file or a link to one; none where there is no such name.
fn read_bytes(path: &Path) -> Result<Option<Vec<u8>>> {
    // A link that leads nowhere is a name: nobody knows what the file said.
    match fs::symlink_metadata(path) {
        Err(why) if [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&why.kind()) => Ok(None),
        Err(why) => Err(why.into()),
        Ok(_) => Ok(Some(read_input(path, LIST_LIMIT)?)),
    }
}

/// Reads the JSON file at `path`; none where there is no such name.
fn read_if_present<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let Some(text) = read_bytes(path)? else { return Ok(None) };
    serde_json::from_slice(&text).map(Some).context("it is not as plasmagen writes it")
}

/// Reads the JSON file at `path`, which must be a regular file.
fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    read_if_present(path).ok().flatten()
}
