//! Where the vault of private keys is, for the commands that need keys.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueHint};
use etcetera::BaseStrategy;

use crate::model::Cluster;
use crate::pki::vault::count_unsaved;
use crate::pki::{Vault, VaultUse, VaultView};

use super::home;
use super::printer::{Printer, plural};
use super::web_root::find_web_root;

/// The vault as an option.
#[derive(Debug, Default, Args)]
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
        let path = self.path(root, cluster, written)?;
        let forbidden = list_forbidden(root, &path)?;
        let forbidden: Vec<_> = forbidden.iter().map(PathBuf::as_path).collect();
        let vault = Vault::open_or_new(&path, &forbidden)?;
        let site = root.canonicalize().with_context(|| format!("could not resolve {}", root.display()))?;
        Ok(vault.used_by(site, self.vault.is_some()))
    }

    /// Looks for the vault that [`VaultOption::open`] would open, for a command that needs the vault for `purpose`, and drops
    /// the private keys in it.
    pub(super) fn look(
        &self,
        root: &Path,
        cluster: &Cluster,
        written: Option<&str>,
        purpose: VaultUse,
    ) -> anyhow::Result<VaultView> {
        let dir = match self.path(root, cluster, written) {
            Ok(dir) => dir,
            Err(why) => return Ok(VaultView::NotAtHand(format!("{why:#}"))),
        };
        let forbidden = list_forbidden(root, &dir)?;
        let forbidden: Vec<_> = forbidden.iter().map(PathBuf::as_path).collect();
        let is_missing = || dir.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound);
        if self.vault.is_some() && is_missing() {
            // The rules examine something that is there. Where a new vault may not be made, there is no vault to look for.
            Vault::open_or_new(&dir, &forbidden)?;
        }
        VaultView::look(&dir, &forbidden, cluster, purpose)
    }

    /// The directory of the vault.
    fn path(&self, root: &Path, cluster: &Cluster, written: Option<&str>) -> anyhow::Result<PathBuf> {
        match (&self.vault, written) {
            (Some(dir), _) => Ok(dir.clone()),
            (None, Some(written)) => expand(root, written),
            (None, None) => {
                let vaults = home::find()?.data_dir().join("plasmagen");
                let current = vaults.join(cluster.name.as_str());
                // A vault keeps the name that the cluster had when the vault was made.
                let former = cluster.former_names.iter().flatten().map(|name| vaults.join(name.as_str()));
                let is_there = |dir: &PathBuf| dir.symlink_metadata().is_ok();
                Ok(std::iter::once(current.clone()).chain(former).find(is_there).unwrap_or(current))
            }
        }
    }
}

/// Reminds the user of keys in the vault `dir` that no backup has. Where the vault can't be read, nobody is reminded: the
/// command that has just stored keys there is done.
pub(super) fn remind_of_backup(printer: &Printer, dir: &Path) {
    if let Ok(unsaved @ 1..) = count_unsaved(dir) {
        let (shown, keys) = (dir.display(), plural(unsaved, "key"));
        printer.say(&format!(
            "the vault {shown} holds {keys} that no backup has: plasmagen vault backup --to FILE"
        ));
    }
}

/// Lists the directories in which no private key may lie, `dir` not either: those beside the inventory that plasmagen writes,
/// and the web root that `dir` is in.
pub(super) fn list_forbidden(root: &Path, dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let rendered = ["nodes", "site", ".plasmagen"].map(|dir| root.join(dir));
    Ok(rendered.into_iter().chain(find_web_root(dir)?).collect())
}

/// Resolves a path that is written in the inventory: `~/` is the user's home, and other relative paths begin at the
/// inventory.
fn expand(root: &Path, written: &str) -> anyhow::Result<PathBuf> {
    match written.strip_prefix("~/") {
        Some(rest) => Ok(home::find()?.home_dir().join(rest)),
        None => Ok(root.join(written)),
    }
}
