//! Where the vault is: for the commands that need keys.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use etcetera::BaseStrategy;

use crate::model::Cluster;
use crate::pki::Vault;

/// The vault of private keys.
#[derive(Debug, Args)]
pub(super) struct VaultArgument {
    /// Where private keys are kept [default: plasmagen/CLUSTER in the user's data directory]
    #[arg(long, value_name = "DIR")]
    vault: Option<PathBuf>,
}

impl VaultArgument {
    /// Opens the vault that the command line names, else the inventory, else the user's own.
    pub(super) fn open(
        &self,
        root: &Path,
        cluster: &Cluster,
        named: Option<String>,
    ) -> anyhow::Result<Vault> {
        let dir = match (&self.vault, named) {
            (Some(dir), _) => dir.clone(),
            (None, Some(named)) => expand(root, &named)?,
            (None, None) => home()?.data_dir().join("plasmagen").join(cluster.name.as_str()),
        };
        let ours = ours(root);
        let forbidden = ours.each_ref().map(PathBuf::as_path);
        Vault::open_or_new(&dir, &forbidden)
    }
}

/// The directories beside the inventory that are plasmagen's.
pub(super) fn ours(root: &Path) -> [PathBuf; 3] {
    ["nodes", "site", ".plasmagen"].map(|dir| root.join(dir))
}

fn home() -> anyhow::Result<etcetera::base_strategy::Xdg> {
    etcetera::base_strategy::Xdg::new()
        .context("could not find the user's home directory: name a vault with --vault")
}

/// A path of the inventory's: `~/` is the user's home, and a relative one is seen from the inventory.
fn expand(root: &Path, named: &str) -> anyhow::Result<PathBuf> {
    match named.strip_prefix("~/") {
        Some(rest) => Ok(home()?.home_dir().join(rest)),
        None => Ok(root.join(named)),
    }
}
