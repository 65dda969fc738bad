//! Where the vault of private keys is, for the commands that need keys.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use etcetera::BaseStrategy;

use crate::model::Cluster;
use crate::pki::Vault;

use super::home;

/// The vault as an option.
#[derive(Debug, Args)]
pub(super) struct VaultOption {
    /// The vault: the directory of private keys [default: `vault.path` of the inventory, else plasmagen/CLUSTER in the user's
    /// data directory]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    vault: Option<PathBuf>,
}

impl VaultOption {
    /// Opens the vault that the command line names; else `written`, which the inventory in `root` names; else the
    /// user's own.
    pub(super) fn open(
        &self,
        root: &Path,
        cluster: &Cluster,
        written: Option<&str>,
    ) -> anyhow::Result<Vault> {
        let dir = match (&self.vault, written) {
            (Some(dir), _) => dir.clone(),
            (None, Some(written)) => expand(root, written)?,
            (None, None) => home::find()?.data_dir().join("plasmagen").join(cluster.name.as_str()),
        };
        let rendered = rendered_dirs(root);
        let forbidden = rendered.each_ref().map(PathBuf::as_path);
        Vault::open_or_new(&dir, &forbidden)
    }
}

/// The directories beside the inventory that plasmagen writes: no private key may lie there.
pub(super) fn rendered_dirs(root: &Path) -> [PathBuf; 3] {
    ["nodes", "site", ".plasmagen"].map(|dir| root.join(dir))
}

/// Resolves a path that is written in the inventory: `~/` is the user's home, and other relative paths begin at the
/// inventory.
fn expand(root: &Path, written: &str) -> anyhow::Result<PathBuf> {
    match written.strip_prefix("~/") {
        Some(rest) => Ok(home::find()?.home_dir().join(rest)),
        None => Ok(root.join(written)),
    }
}
