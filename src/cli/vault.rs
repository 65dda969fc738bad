//! Where the vault of private keys is, for the commands that need keys.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use etcetera::BaseStrategy;

use crate::model::Cluster;
use crate::pki::{KnownAuthorities, Vault};

use super::home;
use super::web_root::find_web_root;

/// The vault as an option.
#[derive(Debug, Default, Args)]
pub(super) struct VaultOption {
    /// The vault: the directory of private keys [default: `vault.path` of the inventory, else plasmagen/CLUSTER in the user's
    /// data directory]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    vault: Option<PathBuf>,
}

/// The vault, as far as a command sees it that needs no key.
pub(super) enum VaultView {
    /// A vault with a CA.
    Found(KnownAuthorities),
    /// No CA at that place.
    Absent(PathBuf),
    /// A vault that cannot be used.
    Unusable(anyhow::Error),
}

impl VaultView {
    /// Explains why no CA was found; none where one was.
    pub(super) fn explain_loss(&self) -> Option<String> {
        match self {
            Self::Found(_) => None,
            Self::Absent(dir) => Some(format!(
                "nodes/ publishes a CA, but its key is not in the vault {}, which holds no CA",
                dir.display()
            )),
            Self::Unusable(error) => {
                Some(format!("nodes/ publishes a CA, and the vault cannot be used: {error:#}"))
            }
        }
    }
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
        let rendered = rendered_dirs(root);
        let path = self.path(root, cluster, written)?;
        let web_root = find_web_root(&path)?;
        let forbidden: Vec<_> = rendered.iter().chain(&web_root).map(PathBuf::as_path).collect();
        Vault::open_or_new(&path, &forbidden)
    }

    /// Looks for the vault that [`VaultOption::open`] would open, and reads the CAs in it, without their keys.
    pub(super) fn look(&self, root: &Path, cluster: &Cluster, written: Option<&str>) -> VaultView {
        let read = || {
            let vault = self.open(root, cluster, written)?;
            anyhow::Ok(KnownAuthorities { authorities: vault.authorities()?, vault: vault.dir().to_owned() })
        };
        match read() {
            Ok(known) if known.authorities.is_empty() => VaultView::Absent(known.vault),
            Ok(known) => VaultView::Found(known),
            Err(error) => VaultView::Unusable(error),
        }
    }

    /// The directory of the vault.
    fn path(&self, root: &Path, cluster: &Cluster, written: Option<&str>) -> anyhow::Result<PathBuf> {
        match (&self.vault, written) {
            (Some(dir), _) => Ok(dir.clone()),
            (None, Some(written)) => expand(root, written),
            (None, None) => Ok(home::find()?.data_dir().join("plasmagen").join(cluster.name.as_str())),
        }
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
