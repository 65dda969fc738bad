//! The plan: a sound cluster, and the published files that outputs go on from. [`Plan::gather`] reads those files.

pub(crate) mod git;
mod host_keys;
mod machines;
mod named;
mod neighbours;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use anyhow::{Context, ensure};
use rayon::prelude::*;

use crate::fs::{Dir, Errno, FileType, LIST_LIMIT, TEXT_LIMIT, kind_of};
use crate::model::{Cluster, HostName, Node};
use crate::write::manifest::{self, TreeManifest};

pub mod former;

pub use host_keys::{HOST_KEY, HostKeys, HostPublicKey, PUBLIC_HOST_KEY, PublishedHostKey};
pub use machines::FormerMachines;
pub use named::{NamedFile, NamedFiles};

use neighbours::read_neighbours;

/// Everything that outputs are written from.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The cluster.
    pub cluster: Cluster,
    /// The cluster's public certificates. [`site::render`](crate::site::render) issues the missing ones before outputs
    /// are made; [`site::compare`](crate::site::compare) issues none.
    pub certificates: Certificates,
    /// The nodes' public SSH host keys.
    pub host_keys: HostKeys,
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
    /// The nodes that were rendered last, with or without a certificate: they have a directory in `nodes/`, or stand in the
    /// manifest of `nodes/`.
    pub rendered: HashSet<HostName>,
    /// The certificates of nodes that have left the inventory, by the node's full name.
    pub former: BTreeMap<String, String>,
    /// The text of `nodes/issued.json`, which lists the certificates that were issued, and may still be accepted.
    pub issued: Option<String>,
    /// The text of `nodes/revoked.json`, which lists the certificates that are no longer trusted.
    pub revoked: Option<String>,
    /// The CRLs that the CAs have signed of that list, in PEM.
    pub crl: Option<String>,
}

/// The zone files that were published last, whole, by file name such as `example.com.zone`. The default is none.
#[derive(Clone, Debug, Default)]
pub struct Zones(pub BTreeMap<String, String>);

/// The directory of zone files, relative to the inventory.
pub const ZONE_DIR: &str = "site/dns";

/// The file name of the CA's certificate in the directory of each node.
const CA: &str = "ca-cert.pem";

/// The file name of the CAs' CRLs in the directory of each node.
pub const CRL: &str = "ca-crl.pem";

/// The record of issued certificates, relative to the inventory.
pub const ISSUED: &str = "nodes/issued.json";

/// The list of revoked certificates, relative to the inventory.
pub const REVOKED: &str = "nodes/revoked.json";

/// The directory of a node's files, relative to the inventory.
#[must_use]
pub fn node_dir(node: &Node) -> String {
    format!("nodes/{}", node.fqdn)
}

impl Plan {
    /// Reads the certificates, the host keys, the zone files, and the reservations of other clusters that lie beside the inventory, in
    /// `root`.
    ///
    /// # Errors
    /// When a file cannot be read, when two nodes have different CAs, or when another cluster's node has a reservation
    /// of this cluster's.
    pub fn gather(root: &Path, mut cluster: Cluster) -> anyhow::Result<Self> {
        let foreign = read_neighbours(root, &cluster);
        cluster.foreign_reservations =
            foreign.map_err(|(path, error)| error.context(format!("could not use {path}")))?;
        let certificates = Certificates::gather(root, &cluster)?;
        let host_keys = HostKeys::gather(root, &cluster)?;
        Ok(Self { cluster, certificates, host_keys, zones: Zones::gather(root)? })
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
        let Some(open) = open_root(root)? else { return Ok(Self::default()) };
        let read = |node: &Node| {
            let dir = node_dir(node);
            let ca = read_optional(&open, root, &format!("{dir}/{CA}"), TEXT_LIMIT)?;
            let file = format!("{dir}/{}-cert.pem", node.name);
            let certificate = read_optional(&open, root, &file, TEXT_LIMIT)?;
            anyhow::Ok((ca, certificate))
        };
        let found: Vec<_> = cluster.nodes.par_iter().map(read).collect();
        let listed = list_directories(&open, root)?;
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
            if ca.is_some() || listed.contains(node.fqdn.as_str()) {
                certificates.rendered.insert(node.name.clone());
            }
            certificates.ca = certificates.ca.or(ca);
            certificates.nodes.extend(certificate.map(|pem| (node.name.clone(), pem)));
        }
        if certificates.ca.is_none() {
            certificates.ca = read_former_ca(&open, root)?;
        }
        certificates.read_revoked(&open, root, cluster)?;
        Ok(certificates)
    }
}

impl Certificates {
    /// Reads the certificates of nodes that have left `cluster`, the lists of certificates and the CRLs. All directories have
    /// the same CRLs: those of the first one count, where the directories of nodes come before all others.
    fn read_revoked(&mut self, open: &Dir, root: &Path, cluster: &Cluster) -> anyhow::Result<()> {
        let nodes: HashSet<&str> = cluster.nodes.iter().map(|node| node.fqdn.as_str()).collect();
        let mut dirs = list(open, root, "nodes")?;
        dirs.sort_unstable();
        for dir in dirs.iter().filter(|dir| !nodes.contains(dir.as_str())) {
            let file = format!("nodes/{dir}/{}-cert.pem", node_name(dir));
            let certificate = read_optional(open, root, &file, TEXT_LIMIT)?;
            self.former.extend(certificate.map(|pem| (dir.clone(), pem)));
        }
        self.issued = read_optional(open, root, ISSUED, LIST_LIMIT)?;
        self.revoked = read_optional(open, root, REVOKED, LIST_LIMIT)?;
        dirs.sort_by_key(|dir| !nodes.contains(dir.as_str()));
        let read = |dir: &String| read_optional(open, root, &format!("nodes/{dir}/{CRL}"), LIST_LIMIT);
        self.crl = dirs.iter().map(read).find_map(Result::transpose).transpose()?;
        Ok(())
    }
}

/// The name of the node whose full name is `fqdn`.
#[must_use]
pub fn node_name(fqdn: &str) -> &str {
    fqdn.split('.').next().unwrap_or(fqdn)
}

/// Lists the directories of the files in the manifest of `nodes/`. A manifest that is not plasmagen's lists none: `write`
/// refuses that tree.
fn list_directories(open: &Dir, root: &Path) -> anyhow::Result<HashSet<String>> {
    let text =
        read_optional(open, root, &format!("nodes/{}", manifest::NAME), LIST_LIMIT)?.unwrap_or_default();
    let listed = TreeManifest::parse(text.as_bytes()).unwrap_or_default();
    Ok(listed.files().filter_map(|(path, _)| Some(path.split_once('/')?.0.to_owned())).collect())
}

/// Reads the CA certificate that any directory in `nodes` publishes: when all nodes were renamed, machines still trust
/// that CA.
fn read_former_ca(open: &Dir, root: &Path) -> anyhow::Result<Option<String>> {
    let mut dirs = list(open, root, "nodes")?;
    dirs.sort_unstable();
    let read = |dir: &String| read_optional(open, root, &format!("nodes/{dir}/{CA}"), TEXT_LIMIT);
    dirs.iter().map(read).find_map(Result::transpose).transpose()
}

impl Zones {
    /// Reads the zone files in the `site/dns/` directory of `root`.
    ///
    /// # Errors
    /// When a zone file cannot be read, or `site/dns` is not a directory.
    pub fn gather(root: &Path) -> anyhow::Result<Self> {
        let Some(open) = open_root(root)? else { return Ok(Self::default()) };
        // Zones that are taken for absent begin again at serial 1, which secondaries ignore.
        if let Ok(Some(stat)) = open.stat(ZONE_DIR) {
            ensure!(
                kind_of(&stat) == FileType::Directory,
                "could not list {}: it is not a directory",
                root.join(ZONE_DIR).display()
            );
        }
        let mut zones = BTreeMap::new();
        for name in list(&open, root, ZONE_DIR)?.into_iter().filter(|name| name.ends_with(".zone")) {
            let text = read_optional(&open, root, &format!("{ZONE_DIR}/{name}"), LIST_LIMIT)?;
            zones.extend(text.map(|text| (name, text)));
        }
        Ok(Self(zones))
    }
}

/// Opens the directory of the inventory; none where there is no such directory, as for an inventory from standard input.
fn open_root(root: &Path) -> anyhow::Result<Option<Dir>> {
    match Dir::open(root) {
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        opened => opened.map(Some).with_context(|| format!("could not open {}", root.display())),
    }
}

/// Lists the names in the directory `path` below `root`, whose descriptor is `open`; none where there is no directory.
fn list(open: &Dir, root: &Path, path: &str) -> anyhow::Result<Vec<String>> {
    let names = match open.open_dir(path) {
        // A file in the place of a directory is for `write` to refuse.
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(Vec::new()),
        dir => dir.and_then(|dir| dir.list()),
    };
    let names = names.with_context(|| format!("could not list {}", root.join(path).display()))?;
    Ok(names.into_iter().map(|(name, _)| name).collect())
}

/// Reads the text of the file `path` below `root`, whose descriptor is `open`, if the file exists. A symbolic link is
/// refused: it could publish a file from elsewhere.
fn read_optional(open: &Dir, root: &Path, path: &str, limit: u64) -> anyhow::Result<Option<String>> {
    open.read_text(path, limit).with_context(|| format!("could not read {}", root.join(path).display()))
}
