//! The machines that were rendered last, by the facts that tell one machine from another.

use std::collections::HashSet;
use std::path::Path;

use anyhow::Context;
use serde::Deserialize;

use super::{open_root, read_optional};
use crate::fs::LIST_LIMIT;
use crate::model::Node;

/// The machines in `site/inventory.json`, under whatever names. The default is none.
#[derive(Clone, Debug, Default)]
pub struct FormerMachines {
    macs: HashSet<String>,
    serials: HashSet<String>,
}

/// The keys of `site/inventory.json` that are read here.
#[derive(Deserialize)]
struct ResolvedInventory {
    nodes: Vec<ResolvedNode>,
}

#[derive(Deserialize)]
struct ResolvedNode {
    mac: String,
    serial: Option<String>,
}

impl FormerMachines {
    /// Reads the machines of the site in `root`.
    ///
    /// # Errors
    /// When the file cannot be read, or is not as plasmagen writes it.
    pub fn gather(root: &Path) -> anyhow::Result<Self> {
        const PATH: &str = "site/inventory.json";
        let Some(open) = open_root(root)? else { return Ok(Self::default()) };
        let Some(text) = read_optional(&open, root, PATH, LIST_LIMIT)? else { return Ok(Self::default()) };
        let resolved: ResolvedInventory = serde_json::from_str(&text)
            .with_context(|| format!("{PATH} is not as plasmagen writes it: restore it from git"))?;
        let mut machines = Self::default();
        for node in resolved.nodes {
            machines.macs.insert(node.mac);
            machines.serials.extend(node.serial);
        }
        Ok(machines)
    }

    /// Whether the machine of `node` was rendered, under this name or another.
    #[must_use]
    pub fn has(&self, node: &Node) -> bool {
        let serial = node.serial.as_ref();
        self.macs.contains(&node.mac.to_string())
            || serial.is_some_and(|serial| self.serials.contains(serial.as_str()))
    }
}
