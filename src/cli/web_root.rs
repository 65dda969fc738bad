//! Where the web root is: for the commands that publish, and that arm machines.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueHint};

use crate::model::Cluster;

use super::INVENTORY;
use super::output::Output;

/// The web root, and the inventory that knows it.
#[derive(Debug, Args)]
pub(super) struct WebRoot {
    /// The web root [default: provisioner.web_root of the inventory]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    root: Option<PathBuf>,
    /// The inventory to read
    #[arg(long, short, value_name = "INVENTORY", default_value = INVENTORY, value_hint = ValueHint::FilePath)]
    pub(super) inventory: PathBuf,
}

impl WebRoot {
    /// The cluster of the inventory; none where it is refused, which has been said.
    pub(super) fn cluster(&self, output: &Output) -> anyhow::Result<Option<Cluster>> {
        Ok(output.checked(&self.inventory)?.cluster)
    }

    /// Whether the command line says where the root is.
    pub(super) fn is_named(&self) -> bool {
        self.root.is_some()
    }

    /// The root: what the command line says, else `cluster`.
    pub(super) fn path(&self, cluster: Option<&Cluster>) -> anyhow::Result<PathBuf> {
        let own = || cluster.map(|cluster| PathBuf::from(cluster.provisioner.web_root.as_str()));
        self.root.clone().or_else(own).context("name the web root with --root")
    }
}
