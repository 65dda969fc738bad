//! Where the web root is, for the commands that publish bundles and that arm machines.

use std::path::{Path, PathBuf, absolute};

use anyhow::Context;
use clap::{Args, ValueHint};

use crate::model::{Cluster, quote_for_shell};
use crate::publish::WebRoot;

use super::inventory::{InventoryOption, read_checked};
use super::printer::Printer;

/// The web root as an option, and the inventory that names it otherwise.
#[derive(Debug, Args)]
pub(super) struct WebRootOptions {
    /// The web root: the directory that the boot server serves [default: `provisioner.web_root` of the inventory]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    root: Option<PathBuf>,
    #[command(flatten)]
    pub(super) inventory: InventoryOption,
}

impl WebRootOptions {
    /// Reads the cluster of the inventory; none where the inventory is refused, which has been printed.
    pub(super) fn cluster(&self, printer: &Printer) -> anyhow::Result<Option<Cluster>> {
        Ok(read_checked(printer, &self.inventory.find()?)?.cluster)
    }

    /// Whether the command line names the web root.
    pub(super) fn is_named(&self) -> bool {
        self.root.is_some()
    }

    /// The options as the user gave them, each after a space, for commands that messages name.
    pub(super) fn given(&self) -> String {
        let option =
            |name: &str, path: &Path| format!(" {name} {}", quote_for_shell(&path.display().to_string()));
        let root = self.root.as_deref().map(|root| option("--root", root));
        let inventory = self.inventory.named().map(|path| option("--inventory", path));
        root.into_iter().chain(inventory).collect()
    }

    /// The web root that the command line names, else that of `cluster`.
    pub(super) fn path(&self, cluster: Option<&Cluster>) -> anyhow::Result<PathBuf> {
        let written = || cluster.map(|cluster| PathBuf::from(cluster.provisioner.web_root.as_str()));
        self.root.clone().or_else(written).context("name the web root with --root")
    }
}

/// Finds the web root of plasmagen's that holds `path`, symbolic links followed; `path` need not exist.
pub(super) fn find_web_root(path: &Path) -> anyhow::Result<Option<PathBuf>> {
    let absolute = absolute(path).with_context(|| format!("{} is not a path", path.display()))?;
    // Below a directory that does not exist there is no web root.
    let real = absolute.ancestors().find_map(|ancestor| ancestor.canonicalize().ok()).unwrap_or_default();
    Ok(real.ancestors().find(|ancestor| WebRoot::is_at(ancestor)).map(Path::to_owned))
}
