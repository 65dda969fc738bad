//! The plan: a sound cluster, and the published files that outputs go on from. [`Plan::gather`] reads those files.

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
    /// The cluster's public certificates. [`site::render`](crate::site::render) issues the missing ones before outputs
    /// are made; [`site::compare`](crate::site::compare) issues none.
    pub certificates: Certificates,
    /// The zone files that were published last: new zones continue their serial numbers.
    pub zones: Zones,
}

/// The public certificates of a cluster, in PEM.
#[derive(Clone, Debug, Default)]
pub struct Certificates {
    /// The certificate of the cluster's CA.
    pub ca: Option<String>,
    /// The certificates of nodes, by the node's name.
    pub nodes: HashMap<HostName, String>,
}

/// The zone files that were published last, whole, by file name such as `example.com.zone`. The default is none.
#[derive(Clone, Debug, Default)]
pub struct Zones(pub BTreeMap<String, String>);

/// The directory of zone files, relative to the inventory.
pub const ZONE_DIR: &str = "site/dns";

/// The directory of a node's files, relative to the inventory.
#[must_use]
pub fn node_dir(node: &Node) -> String {
    format!("nodes/{}", node.fqdn)
}

impl Plan {
    /// Reads the certificates and the zone files that lie beside the inventory, in `root`.
    ///
    /// # Errors
    /// When a file cannot be read, or two nodes have different CAs.
    pub fn gather(root: &Path, cluster: Cluster) -> anyhow::Result<Self> {
        let certificates = Certificates::gather(root, &cluster)?;
        Ok(Self { cluster, certificates, zones: Zones::gather(root)? })
    }
}

impl Certificates {
    /// Reads the certificates of `cluster` in the `nodes/` directory of `root`.
    ///
    /// The CA's certificate may lie in the directory of a node that has left the inventory.
    ///
    /// # Errors
    /// When a file cannot be read, or two nodes have different CAs.
    pub fn gather(root: &Path, cluster: &Cluster) -> anyhow::Result<Self> {
        let read = |node: &Node| {
            let dir = root.join(node_dir(node));
            let ca = read_optional(&dir.join("ca-cert.pem"))?;
            let certificate = read_optional(&dir.join(format!("{}-cert.pem", node.name)))?;
            anyhow::Ok((ca, certificate))
        };
        let found: Vec<_> = cluster.nodes.par_iter().map(read).collect();
        let mut certificates = Self::default();
        for (node, found) in cluster.nodes.iter().zip(found) {
            let (ca, certificate) = found?;
            if let (Some(first), Some(ca)) = (&certificates.ca, &ca) {
                let dir = node_dir(node);
                ensure!(
                    first == ca,
                    "{dir}/ca-cert.pem is another CA than that of the nodes before it: restore it from git"
                );
            }
            certificates.ca = certificates.ca.or(ca);
            certificates.nodes.extend(certificate.map(|pem| (node.name.clone(), pem)));
        }
        if certificates.ca.is_none() {
            certificates.ca = read_former_ca(&root.join("nodes"))?;
        }
        Ok(certificates)
    }
}

/// Reads the CA certificate that any directory in `nodes` publishes: when all nodes were renamed, machines still trust
/// that CA.
fn read_former_ca(nodes: &Path) -> anyhow::Result<Option<String>> {
    if !nodes.is_dir() {
        return Ok(None);
    }
    let list = || fs::read_dir(nodes)?.map(|dir| Ok(dir?.path())).collect::<std::io::Result<Vec<_>>>();
    let mut dirs = list().with_context(|| format!("could not list {}", nodes.display()))?;
    dirs.sort_unstable();
    let mut published = dirs.iter().map(|dir| read_optional(&dir.join("ca-cert.pem")));
    published.find_map(Result::transpose).transpose()
}

impl Zones {
    /// Reads the zone files in the `site/dns/` directory of `root`.
    ///
    /// # Errors
    /// When a zone file cannot be read, or `site/dns` is not a directory.
    pub fn gather(root: &Path) -> anyhow::Result<Self> {
        let dir = root.join(ZONE_DIR);
        let list = || {
            let kind = dir.symlink_metadata()?.file_type();
            let entries =
                if kind.is_dir() { dir.read_dir()? } else { return Err(Error::other("not a directory")) };
            entries.map(|entry| Ok(entry?.file_name())).collect::<std::io::Result<Vec<_>>>()
        };
        let names = match list() {
            Ok(names) => names,
            Err(error) if is_absent(&error) => Vec::new(),
            Err(error) => return Err(error).with_context(|| format!("could not list {}", dir.display())),
        };
        let zone = |name: &OsString| Some(name.to_str()?.to_owned()).filter(|name| name.ends_with(".zone"));
        let read = |name: String| Ok(read_optional(&dir.join(&name))?.map(|text| (name, text)));
        let zones = names.iter().filter_map(zone).map(read).filter_map(Result::transpose);
        Ok(Self(zones.collect::<anyhow::Result<_>>()?))
    }
}

/// Whether `error` says that there is no such file. A file in the place of a directory is for `write` to refuse.
fn is_absent(error: &Error) -> bool {
    [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind())
}

/// Reads the file at `path`, if it exists. Only a regular file is read: a symbolic link could publish a file from
/// elsewhere, and a pipe would never end.
fn read_optional(path: &Path) -> anyhow::Result<Option<String>> {
    let read = || {
        let kind = path.symlink_metadata()?.file_type();
        if kind.is_file() { fs::read_to_string(path) } else { Err(Error::other("not a regular file")) }
    };
    match read() {
        Ok(text) => Ok(Some(text)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("could not read {}", path.display())),
    }
}
