//! The plan: a sound cluster, and what else outputs read. [`gather`] is the one step that reads the disk for it.

use std::collections::HashMap;
use std::fs;
use std::io::{Error, ErrorKind};
use std::path::Path;

use anyhow::{Context, ensure};
use rayon::prelude::*;

use crate::model::{Cluster, HostName, Node};

/// Everything that outputs are written from.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The cluster.
    pub cluster: Cluster,
    /// Its public certificates; those that are missing are issued before outputs are rendered, unless nothing is
    /// written.
    pub certificates: Certificates,
}

/// The public certificates of a cluster, in PEM.
#[derive(Clone, Debug, Default)]
pub struct Certificates {
    /// The CA's.
    pub ca: Option<String>,
    /// The nodes'.
    pub nodes: HashMap<HostName, String>,
}

/// Where a node's files are, relative to the inventory.
#[must_use]
pub fn node_dir(node: &Node) -> String {
    format!("nodes/{}", node.fqdn)
}

/// The certificates in the `nodes/` directory beside the inventory; the CA's may lie with nodes that the inventory has
/// no more.
///
/// # Errors
/// When a file cannot be read, or two nodes have different CAs.
pub fn gather(root: &Path, cluster: &Cluster) -> anyhow::Result<Certificates> {
    let read = |node: &Node| {
        let dir = root.join(node_dir(node));
        let ca = optional(&dir.join("ca-cert.pem"))?;
        let own = optional(&dir.join(format!("{}-cert.pem", node.name)))?;
        anyhow::Ok((ca, own))
    };
    let found: Vec<_> = cluster.nodes.par_iter().map(read).collect();
    let mut certificates = Certificates::default();
    for (node, found) in cluster.nodes.iter().zip(found) {
        let (ca, own) = found?;
        if let (Some(first), Some(ca)) = (&certificates.ca, &ca) {
            let dir = node_dir(node);
            ensure!(
                first == ca,
                "{dir}/ca-cert.pem is another CA than that of the nodes before it: restore it from git"
            );
        }
        certificates.ca = certificates.ca.or(ca);
        certificates.nodes.extend(own.map(|own| (node.name.clone(), own)));
    }
    if certificates.ca.is_none() {
        certificates.ca = former_ca(&root.join("nodes"))?;
    }
    Ok(certificates)
}

/// The CA that any directory in `nodes` publishes: after all nodes were renamed, machines trust it still.
fn former_ca(nodes: &Path) -> anyhow::Result<Option<String>> {
    if !nodes.is_dir() {
        return Ok(None);
    }
    let list = || fs::read_dir(nodes)?.map(|dir| Ok(dir?.path())).collect::<std::io::Result<Vec<_>>>();
    let mut dirs = list().with_context(|| format!("could not list {}", nodes.display()))?;
    dirs.sort_unstable();
    let mut published = dirs.iter().map(|dir| optional(&dir.join("ca-cert.pem")));
    published.find_map(Result::transpose).transpose()
}

/// The text of a file, if it is there. What is published again must not come from elsewhere by a symbolic link, and a
/// pipe would never end.
fn optional(path: &Path) -> anyhow::Result<Option<String>> {
    let read = || {
        let kind = path.symlink_metadata()?.file_type();
        if kind.is_file() { fs::read_to_string(path) } else { Err(Error::other("it is no regular file")) }
    };
    match read() {
        Ok(text) => Ok(Some(text)),
        // A file in the place of a directory is for `write` to refuse.
        Err(error) if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind()) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("could not read {}", path.display())),
    }
}
