//! The plan: a sound cluster, and what else outputs read. [`gather`] and [`gather_zones`] are the steps that read the
//! disk for it.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
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
    /// Its zones as they were published last: their serial numbers go on from there.
    pub zones: Zones,
}

/// The public certificates of a cluster, in PEM.
#[derive(Clone, Debug, Default)]
pub struct Certificates {
    /// The CA's.
    pub ca: Option<String>,
    /// The nodes'.
    pub nodes: HashMap<HostName, String>,
}

/// The zone files that were published last, whole, by file name such as `example.com.zone`. By default none were.
#[derive(Clone, Debug, Default)]
pub struct Zones(pub BTreeMap<String, String>);

/// Where zone files are, relative to the inventory.
pub const ZONE_DIR: &str = "site/dns";

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

/// The zone files in the `site/dns/` directory beside the inventory.
///
/// # Errors
/// When one cannot be read, or something else is in the place of the directory.
pub fn gather_zones(root: &Path) -> anyhow::Result<Zones> {
    let dir = root.join(ZONE_DIR);
    let list = || {
        let kind = dir.symlink_metadata()?.file_type();
        let entries =
            if kind.is_dir() { dir.read_dir()? } else { return Err(Error::other("it is no directory")) };
        entries.map(|entry| Ok(entry?.file_name())).collect::<std::io::Result<Vec<_>>>()
    };
    let names = match list() {
        Ok(names) => names,
        Err(error) if is_absent(&error) => Vec::new(),
        Err(error) => return Err(error).with_context(|| format!("could not list {}", dir.display())),
    };
    let zone = |name: &OsString| Some(name.to_str()?.to_owned()).filter(|name| name.ends_with(".zone"));
    let read = |name: String| Ok(optional(&dir.join(&name))?.map(|text| (name, text)));
    let zones = names.iter().filter_map(zone).map(read).filter_map(Result::transpose);
    Ok(Zones(zones.collect::<anyhow::Result<_>>()?))
}

/// Nothing is there. A file in the place of a directory is for `write` to refuse.
fn is_absent(error: &Error) -> bool {
    [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind())
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
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("could not read {}", path.display())),
    }
}
