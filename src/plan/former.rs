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
        former.add_resolved(read_if_present(&root.join(RESOLVED)), cluster);
        let dirs = fs::read_dir(root.join("nodes")).into_iter().flatten().filter_map(Result::ok);
        let dirs: Vec<_> = dirs.map(|dir| dir.path()).collect();
        let read_layout = |dir: &PathBuf| {
            let name = dir.file_name()?.to_str()?.to_owned();
            Some((name, read_bytes(&dir.join("disko.nix")).transpose()?))
        };
        former.add_layouts(dirs.par_iter().filter_map(read_layout).collect());
        let configs =
            dirs.par_iter().filter_map(|dir| read::<ClusterConfig>(&dir.join("cluster-config.json")));
        let founders = configs.filter(|config| config.bootstrap && cluster.is_called(&config.cluster_name));
        former.founders = founders.map(|config| config.node_id).collect();
        if former.founders.is_empty() {
            former.founders = former.voters.iter().map(|voter| voter.name.clone()).collect();
        }
        former
    }

    /// Adds what `site/inventory.json` says.
    fn add_resolved(&mut self, resolved: Result<Option<ResolvedInventory>>, cluster: &Cluster) {
        let resolved = match resolved {
            Err(why) => return self.unreadable = Some(format!("{RESOLVED} cannot be read: {why:#}")),
            Ok(None) => return,
            Ok(Some(resolved)) => resolved,
        };
        if cluster.is_called(&resolved.name) {
            self.formed = resolved.formed;
            self.admin_keys = resolved.admin_keys;
            for voter in resolved.bootstrap {
                let node = resolved.nodes.iter().find(|node| node.name == voter);
                let serial = node.and_then(|node| node.serial.clone());
                self.voters.push(FormerVoter { name: voter, serial });
            }
        }
        self.nodes = resolved.nodes.into_iter().map(FormerNode::from).collect();
    }

    /// Adds what each of `layouts` says, a `disko.nix` with the name of its directory: it describes a node that is not known
    /// yet, and contradicts a known one. After a merge, the two files may be of two commits.
    fn add_layouts(&mut self, layouts: Vec<(String, Result<Vec<u8>>)>) {
        let known: HashMap<&str, &FormerNode> =
            self.nodes.iter().map(|node| (node.name.as_str(), node)).collect();
        let read = |(fqdn, text): (String, Result<Vec<u8>>)| {
            let name = fqdn.split('.').next()?;
            let node = text.and_then(|text| FormerNode::from_disko(name, std::str::from_utf8(&text)?));
            match known.get(name) {
                None => Some(node.map_err(|why| format!("nodes/{fqdn}/disko.nix cannot be read: {why:#}"))),
                // A file that is not as plasmagen writes it was edited: `render` says so.
                Some(known) => node.ok().filter(|node| !known.has_equal_disks(node)).map(Ok),
            }
        };
        let mut found: Vec<_> = layouts.into_par_iter().filter_map(read).collect();
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

/// The texts of the files of a tree that was rendered earlier, as far as they tell the disks.
#[derive(Debug, Default)]
pub struct FormerTexts {
    resolved: Option<Vec<u8>>,
    layouts: Vec<(String, Vec<u8>)>,
}

impl FormerTexts {
    /// The text of `site/inventory.json`.
    #[must_use]
    pub fn of_resolved(text: Vec<u8>) -> Self {
        Self { resolved: Some(text), layouts: Vec::new() }
    }

    /// The text of each `disko.nix`, with the name of its directory in `nodes/`.
    #[must_use]
    pub fn of_layouts(layouts: Vec<(String, Vec<u8>)>) -> Self {
        Self { resolved: None, layouts }
    }

    /// Whether the tree had none of these files.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.resolved.is_none() && self.layouts.is_empty()
    }

    /// Reads what the texts say of `cluster`, as [`FormerCluster::gather`] does of files.
    #[must_use]
    pub fn gather(self, cluster: &Cluster) -> FormerCluster {
        let mut former = FormerCluster::default();
        former.add_resolved(self.resolved.as_deref().map(parse).transpose(), cluster);
        former.add_layouts(self.layouts.into_iter().map(|(name, text)| (name, Ok(text))).collect());
        former
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
    read_bytes(path)?.as_deref().map(parse).transpose()
}

fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T> {
    serde_json::from_slice(text).context("it is not as plasmagen writes it")
}

/// Reads the JSON file at `path`, which must be a regular file.
fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    read_if_present(path).ok().flatten()
}
