//! The machines that were rendered last, by the facts that tell one machine from another.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use anyhow::Context;
use serde::Deserialize;

use super::host_keys::{PUBLIC_HOST_KEY, PublishedHostKey};
use super::{open_root, read_optional};
use crate::fs::{Dir, LIST_LIMIT, TEXT_LIMIT};
use crate::model::{Cluster, DomainName, Node, Word};

/// The machines in `site/inventory.json`, under whatever names. The default is none.
#[derive(Clone, Debug, Default)]
pub struct FormerMachines {
    /// The full names by MAC address.
    macs: HashMap<String, String>,
    /// The full names by serial number.
    serials: HashMap<String, String>,
    /// The host keys in `nodes/` under full names that no node of the inventory has any more.
    host_keys: HashMap<String, PublishedHostKey>,
}

/// The keys of `site/inventory.json` that are read here.
#[derive(Deserialize)]
struct ResolvedInventory {
    nodes: Vec<ResolvedNode>,
}

#[derive(Deserialize)]
struct ResolvedNode {
    fqdn: String,
    mac: String,
    serial: Option<String>,
}

impl FormerMachines {
    /// Reads the machines of the site in `root`, and the host keys of those whose names `cluster` does not have any
    /// more.
    ///
    /// # Errors
    /// When a file cannot be read, or is not as plasmagen writes it.
    pub fn gather(root: &Path, cluster: &Cluster) -> anyhow::Result<Self> {
        const PATH: &str = "site/inventory.json";
        let Some(open) = open_root(root)? else { return Ok(Self::default()) };
        let Some(text) = read_optional(&open, root, PATH, LIST_LIMIT)? else { return Ok(Self::default()) };
        let resolved: ResolvedInventory = serde_json::from_str(&text)
            .with_context(|| format!("{PATH} is not as plasmagen writes it: restore it from git"))?;
        let names: HashSet<&str> = cluster.nodes.iter().map(|node| node.fqdn.as_str()).collect();
        let mut machines = Self::default();
        for ResolvedNode { fqdn, mac, serial } in resolved.nodes {
            if !names.contains(fqdn.as_str())
                && let Some(key) = read_host_key(&open, root, &fqdn)?
            {
                machines.host_keys.insert(fqdn.clone(), key);
            }
            machines.serials.extend(serial.map(|serial| (serial, fqdn.clone())));
            machines.macs.insert(mac, fqdn);
        }
        Ok(machines)
    }

    /// Whether the machine of `node` was rendered, under this name or another.
    #[must_use]
    pub fn has(&self, node: &Node) -> bool {
        self.list_names(node).next().is_some()
    }

    /// The host key that `nodes/` publishes for the machine of `node` under another full name, which no node has any
    /// more; with that name.
    #[must_use]
    pub fn host_key(&self, node: &Node) -> Option<(&str, &PublishedHostKey)> {
        self.list_names(node).find_map(|fqdn| Some((fqdn, self.host_keys.get(fqdn)?)))
    }

    /// The full names that the machine of `node` had, as `site/inventory.json` has them.
    pub fn list_names(&self, node: &Node) -> impl Iterator<Item = &str> {
        let serial = node.serial.as_ref().and_then(|serial| self.serials.get(serial.as_str()));
        let mac = self.macs.get(&node.mac.to_string());
        serial.into_iter().chain(mac).map(String::as_str)
    }
}

/// Reads the host key that `nodes/` publishes for the former node `fqdn`; none where there is no usable key.
fn read_host_key(open: &Dir, root: &Path, fqdn: &str) -> anyhow::Result<Option<PublishedHostKey>> {
    // The name becomes part of a path.
    if DomainName::parse(fqdn).is_err() {
        return Ok(None);
    }
    let text = read_optional(open, root, &format!("nodes/{fqdn}/{PUBLIC_HOST_KEY}"), TEXT_LIMIT)?;
    Ok(text.and_then(|text| PublishedHostKey::parse(&text).ok()))
}
