//! The resolved inventory as a file, `site/inventory.json`: written for other tools, and read back to compare two clusters.

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

use super::{Cluster, control_ports, list_holders, list_references};

/// The version of the file's schema. It rises when a key changes its meaning or goes away.
pub const RESOLVED_SCHEMA: u32 = 1;

/// The contents of the file.
#[derive(Debug, Serialize)]
pub struct ResolvedInventory<'a> {
    /// The version of the schema.
    pub schema: u32,
    /// The cluster, whose keys are keys of the file.
    #[serde(flatten)]
    pub cluster: &'a Cluster,
}

impl<'a> ResolvedInventory<'a> {
    /// The file of `cluster`.
    #[must_use]
    pub fn new(cluster: &'a Cluster) -> Self {
        Self { schema: RESOLVED_SCHEMA, cluster }
    }
}

/// The key that is read before all others.
#[derive(Deserialize)]
struct Version {
    schema: u32,
}

/// Reads the version where it comes first, as plasmagen writes the file, which may be of 25 MB: none where it does not.
fn read_head(bytes: &[u8]) -> Option<Version> {
    let number =
        bytes.strip_prefix(b"{")?.trim_ascii_start().strip_prefix(b"\"schema\":")?.trim_ascii_start();
    let end = number.iter().position(|byte| !byte.is_ascii_digit())?;
    let is_number = number[end..].trim_ascii_start().starts_with(b",");
    let schema = std::str::from_utf8(&number[..end]).ok()?.parse().ok()?;
    is_number.then_some(Version { schema })
}

/// Reads the cluster that the JSON file `bytes` describes.
///
/// # Errors
/// When the file is no resolved inventory, is of another version of the schema, or lacks a value: a comparison with a cluster
/// that was half read would call everything new.
pub fn read_resolved(bytes: &[u8]) -> anyhow::Result<Cluster> {
    let version: Version = read_head(bytes)
        .map_or_else(|| serde_json::from_slice(bytes), Ok)
        .context("it is no resolved inventory: it has no number `schema`")?;
    ensure!(
        version.schema == RESOLVED_SCHEMA,
        "it has the schema {}, and this plasmagen reads the schema {RESOLVED_SCHEMA}: compare with the version of the \
         inventory instead, as plasmagen diff --since REV does",
        version.schema
    );
    let mut cluster: Cluster = serde_json::from_slice(bytes).context("it is not as plasmagen writes it")?;
    cluster.nodes.sort_by(|a, b| a.name.cmp(&b.name));
    ensure!(
        cluster.nodes.windows(2).all(|pair| pair[0].name != pair[1].name),
        "it has two nodes of one name"
    );
    for node in &mut cluster.nodes {
        node.home = node.find_home(&cluster.networks).cloned();
    }
    cluster.virtual_holders = list_holders(&cluster);
    cluster.references = list_references(&cluster);
    cluster.control_ports = control_ports(&cluster);
    Ok(cluster)
}
